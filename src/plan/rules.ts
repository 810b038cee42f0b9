import type { RequestField } from '../core/audio-request.js';
import { closest } from '../core/closest.js';
import type { Model } from '../venice/model.js';
import { formatChecked } from './checked-format.js';
import type { Case, Finding, Rule } from './rule.js';
import { error, NAMED_MAX, type Topic, undeclared, unsupported, warning } from './rule-findings.js';
import { listed, quoted } from './text.js';
import { lyricsRules, promptRules } from './text-rules.js';

type Switch =
  | 'supports_force_instrumental'
  | 'supports_lyrics_optimizer'
  | 'supports_loop'
  | 'supports_language_code';

/** A field that a model either supports or not, whatever its value. */
function switched(field: RequestField, supports: Switch, topic: Topic): Rule {
  return (about) => {
    if (about.request[field] === undefined || about.model[supports] === true) return undefined;
    if (about.model[supports] === undefined) return undeclared(field, topic, about);
    const message = `${about.model.id} does not support \`${field}\``;
    return unsupported(field, `${topic}-unsupported`, message, about, (model) => model[supports] === true);
  };
}

/** Whether the model has any field about duration. A model without one takes no `duration_seconds`. */
function takesDuration(model: Model): boolean {
  return (
    (model.duration_options?.length ?? 0) > 0 ||
    model.min_duration !== undefined ||
    model.max_duration !== undefined ||
    model.default_duration !== undefined
  );
}

function durationTaken(about: Case): Finding | undefined {
  const { request, model } = about;
  if (request.duration_seconds === undefined || takesDuration(model)) return undefined;
  // Priced by time, but without any field about time: contradictory, so nothing is proven.
  const byTime = model.pricing?.kind === 'durations' || model.pricing?.kind === 'per_second';
  if (byTime) return undeclared('duration_seconds', 'duration', about);
  const message = `${model.id} does not support \`duration_seconds\``;
  return unsupported('duration_seconds', 'duration-unsupported', message, about, takesDuration);
}

function durationAllowed({ request, model }: Case): Finding | undefined {
  const seconds = request.duration_seconds;
  if (seconds === undefined) return undefined;
  const options = model.duration_options ?? [];
  if (options.length > 0) {
    if (options.includes(seconds)) return undefined;
    const message = `${model.id} does not make ${seconds} s`;
    return error('duration_seconds', 'duration-not-offered', message, nearestOptions(seconds, options));
  }
  const { min_duration: least, max_duration: most } = model;
  if (least !== undefined && seconds < least) {
    const message = `${seconds} s is shorter than the minimum of ${model.id}, ${least} s`;
    return error('duration_seconds', 'duration-out-of-range', message, `use ${least} or more`);
  }
  if (most !== undefined && seconds > most) {
    const message = `${seconds} s is longer than the maximum of ${model.id}, ${most} s`;
    return error('duration_seconds', 'duration-out-of-range', message, `use ${most} or less`);
  }
  return undefined;
}

/** `use 60 or 90 (it makes 30, 60, 90 and 120 s)`. */
function nearestOptions(seconds: number, options: readonly number[]): string {
  const sorted = [...options].sort((a, b) => a - b);
  const below = sorted.filter((option) => option < seconds).at(-1);
  const above = sorted.find((option) => option > seconds);
  const near = [below, above].filter((option) => option !== undefined).join(' or ');
  return sorted.length <= 2
    ? `use ${near}`
    : `use ${near} (it makes ${listed(sorted.map(String), 2 * NAMED_MAX)} s)`;
}

/** Speed 1, or the model's default, has no effect. */
export function isDefaultSpeed(speed: number, model: Model): boolean {
  return speed === (model.default_speed ?? 1);
}

function speedTaken(about: Case): Finding | undefined {
  const { request, model } = about;
  if (request.speed === undefined || model.supports_speed === true) return undefined;
  if (isDefaultSpeed(request.speed, model)) return undefined;
  if (model.supports_speed === undefined) return undeclared('speed', 'speed', about);
  const message = `${model.id} does not support \`speed\``;
  return unsupported('speed', 'speed-unsupported', message, about, (other) => other.supports_speed === true);
}

function speedInRange({ request, model }: Case): Finding | undefined {
  const { speed } = request;
  if (speed === undefined || model.supports_speed === false) return undefined;
  const least = model.min_speed ?? 0;
  const most = model.max_speed ?? Number.POSITIVE_INFINITY;
  if (speed >= least && speed <= most) return undefined;
  const hint = speed < least ? `use ${least} or more` : `use ${most} or less`;
  return error('speed', 'speed-out-of-range', `speed ${speed} is outside the range of ${model.id}`, hint);
}

function voiceTaken(about: Case): Finding | undefined {
  const { request, model } = about;
  const { voices, supports_custom_voice_id: custom } = model;
  if (
    request.voice === undefined ||
    request.voice === model.default_voice ||
    voices?.includes(request.voice)
  ) {
    return undefined;
  }
  if (voices === undefined && custom === undefined && model.default_voice === undefined) {
    return undeclared('voice', 'voice', about);
  }
  if ((voices?.length ?? 0) === 0 && custom === false) {
    const message = `${model.id} does not support \`voice\``;
    return unsupported(
      'voice',
      'voice-unsupported',
      message,
      about,
      (other) => (other.voices?.length ?? 0) > 0,
    );
  }
  return unlistedVoice(request.voice, model);
}

/** A voice that is not listed: a custom voice id, if the model supports those, or a name that it does not have. */
function unlistedVoice(voice: string, model: Model): Finding | undefined {
  const voices = model.voices ?? [];
  const meant = closest(voice, voices);
  const message = `${model.id} lists no voice ${quoted(voice)}`;
  const isCustom = model.supports_custom_voice_id === true;
  const choice = voices.length === 0 ? '' : `voices: ${listed(voices, isCustom ? NAMED_MAX : 3 * NAMED_MAX)}`;
  const hint = meant === undefined ? choice : `did you mean ${quoted(meant)}? ${choice}`;
  if (isCustom) {
    if (voices.length === 0) return undefined;
    return warning('voice', 'voice-not-listed', `${message}, so it is sent as a custom voice id`, hint);
  }
  if (model.supports_custom_voice_id === false || meant !== undefined) {
    return error('voice', 'unknown-voice', message, hint || 'remove `voice`');
  }
  const unclear = `${message} and does not say whether it supports custom voice ids`;
  return warning('voice', 'undeclared-custom-voice', unclear, hint);
}

function online({ model }: Case): Finding | undefined {
  if (!model.offline) return undefined;
  return error('model', 'model-offline', `${model.id} is offline`, 'use another model, or try again later');
}

function makesFromPrompt({ model, catalogue }: Case): Finding | undefined {
  if (model.voice_changer !== true) return undefined;
  const message = `${model.id} changes the voice of a recording; it cannot make audio from a prompt`;
  const others = [...catalogue.values()].filter((other) => !other.offline && other.voice_changer !== true);
  const names = listed(
    others.map(({ id }) => id),
    NAMED_MAX,
  );
  return error('model', 'voice-changer', message, `use another model${names === '' ? '' : `: ${names}`}`);
}

function deprecated({ model, nowMs }: Case): Finding | undefined {
  const leavesMs = Date.parse(model.deprecationDate ?? '');
  if (Number.isNaN(leavesMs)) return undefined;
  const day = new Date(leavesMs).toISOString().slice(0, 10);
  const leaves = leavesMs > nowMs ? 'leaves' : 'was due to leave';
  const successor = model.replacementModelId;
  const hint =
    successor === undefined ? 'choose another model soon' : `its successor is ${quoted(successor)}`;
  return warning('model', 'model-deprecated', `${model.id} ${leaves} the service on ${day}`, hint);
}

/** The rules of each field; `[]` for a field that every model supports. */
const RULES_BY_FIELD = {
  model: [online, makesFromPrompt, deprecated],
  prompt: promptRules,
  lyrics_prompt: lyricsRules,
  lyrics_optimizer: [switched('lyrics_optimizer', 'supports_lyrics_optimizer', 'lyrics-optimizer')],
  force_instrumental: [switched('force_instrumental', 'supports_force_instrumental', 'instrumental')],
  loop: [switched('loop', 'supports_loop', 'loop')],
  language_code: [switched('language_code', 'supports_language_code', 'language')],
  voice: [voiceTaken],
  speed: [speedTaken, speedInRange],
  duration_seconds: [durationTaken, durationAllowed],
} satisfies Record<RequestField, readonly Rule[]>;

const RULES: readonly Rule[] = [...Object.values(RULES_BY_FIELD).flat(), formatChecked];

/**
 * The rules of the API that a request for this model can break. Each has at most one finding. A model that takes no
 * prompt has to be replaced first.
 */
export function rulesFor(model: Model): readonly Rule[] {
  return model.voice_changer === true ? RULES_BY_FIELD.model : RULES;
}
