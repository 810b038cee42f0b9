import type { RequestField } from '../core/audio-request.js';
import type { Model } from '../venice/model.js';
import type { Case, Finding, Rule } from './rule.js';
import { error, undeclared, unsupported, warning } from './rule-findings.js';
import { characterCounts } from './text.js';

/** A model takes lyrics if it says so, or if a limit or requirement for lyrics implies it. */
function takesLyrics(model: Model): boolean | undefined {
  if (model.supports_lyrics !== undefined) return model.supports_lyrics;
  return model.lyrics_required === true || model.lyrics_character_limit !== undefined ? true : undefined;
}

function lyricsTaken(about: Case): Finding | undefined {
  if (about.request.lyrics_prompt === undefined) return undefined;
  const taken = takesLyrics(about.model);
  if (taken === true) return undefined;
  if (taken === undefined) return undeclared('lyrics_prompt', 'lyrics', about);
  const message = `${about.model.id} does not support lyrics`;
  return unsupported(
    'lyrics_prompt',
    'lyrics-unsupported',
    message,
    about,
    (model) => takesLyrics(model) === true,
  );
}

function lyricsRequired({ request, model }: Case): Finding | undefined {
  if (model.lyrics_required !== true || request.lyrics_prompt !== undefined) return undefined;
  // The optimizer writes them. The API refuses both together.
  if (request.lyrics_optimizer === true && model.supports_lyrics_optimizer !== false) return undefined;
  const optimizer = model.supports_lyrics_optimizer === true ? ', or `lyrics_optimizer: true`' : '';
  const hint = `add \`lyrics_prompt\` or \`lyrics_file\`${optimizer}`;
  return error('track', 'lyrics-required', `${model.id} needs lyrics`, hint);
}

function optimizerAgainstLyrics({ request }: Case): Finding | undefined {
  if (request.lyrics_optimizer !== true || request.lyrics_prompt === undefined) return undefined;
  const message = '`lyrics_optimizer` writes the lyrics itself, so it cannot be combined with lyrics';
  return {
    ...error('lyrics_optimizer', 'optimizer-with-lyrics', message, 'remove one of the two'),
    fix: undefined,
  };
}

function lyricsTooLong(about: Case): Finding | undefined {
  const text = about.request.lyrics_prompt;
  if (text === undefined || takesLyrics(about.model) === false) return undefined;
  return tooLong(
    'lyrics_prompt',
    'lyrics',
    text,
    about.model.lyrics_character_limit ?? LYRICS_LIMIT_DEFAULT,
    about.model,
  );
}

/** The service's limits if a model declares none. */
const LYRICS_LIMIT_DEFAULT = 4096;
const MIN_LYRICS_DEFAULT = 10;
const MIN_PROMPT_DEFAULT = 10;

/**
 * No model declares a minimum for lyrics. Those known to have one also make instrumental music, and then, or if they write
 * the lyrics themselves, need none.
 */
function lyricsTooShort({ request, model }: Case): Finding | undefined {
  if (takesLyrics(model) !== true || model.supports_force_instrumental !== true) return undefined;
  if (request.force_instrumental === true || request.lyrics_optimizer === true) return undefined;
  const text = request.lyrics_prompt;
  const code = 'lyrics-length-unclear';
  if (text === undefined) {
    if (model.lyrics_required !== undefined) return undefined;
    const message = `there are no lyrics; ${model.id} may require at least ${MIN_LYRICS_DEFAULT} characters, unless the track is instrumental`;
    const optimizer = model.supports_lyrics_optimizer === true ? ', `lyrics_optimizer: true`' : '';
    const hint = `add \`lyrics_prompt\` or \`lyrics_file\`${optimizer}, or \`force_instrumental: true\``;
    return warning('track', code, message, hint);
  }
  const { points } = characterCounts(text.trim());
  if (points >= MIN_LYRICS_DEFAULT) return undefined;
  const message = `the lyrics have ${counted(points)}; ${model.id} declares no minimum, but may require ${MIN_LYRICS_DEFAULT}`;
  return warning('lyrics_prompt', code, message, addAtLeast(MIN_LYRICS_DEFAULT - points));
}

function counted(characters: number): string {
  return `${characters} character${characters === 1 ? '' : 's'}`;
}

function addAtLeast(missing: number): string {
  return `to be safe, add at least ${counted(missing)}`;
}

function promptTooLong({ request, model }: Case): Finding | undefined {
  return tooLong('prompt', 'prompt', request.prompt, model.prompt_character_limit, model);
}

function tooLong(
  field: RequestField,
  what: 'prompt' | 'lyrics',
  text: string,
  limit: number | undefined,
  model: Model,
): Finding | undefined {
  if (limit === undefined || text.length <= limit) return undefined;
  const { points, units } = characterCounts(text);
  if (points > limit) {
    const message = `the ${what} ${what === 'lyrics' ? 'have' : 'has'} ${counted(points)}; ${model.id} allows at most ${limit}`;
    return error(field, `${what}-too-long`, message, `remove at least ${counted(points - limit)}`);
  }
  const message = `the ${what} ${what === 'lyrics' ? 'have' : 'has'} ${counted(points)}, ${units} if emoji and rare letters count twice; ${model.id} allows at most ${limit}`;
  return warning(
    field,
    `${what}-length-unclear`,
    message,
    `to be safe, remove at least ${counted(units - limit)}`,
  );
}

function promptTooShort({ request, model }: Case): Finding | undefined {
  const least = model.min_prompt_length ?? MIN_PROMPT_DEFAULT;
  const { points, units } = characterCounts(request.prompt);
  if (points >= least) return undefined;
  if (model.min_prompt_length === undefined) {
    const message = `the prompt has ${counted(points)}; ${model.id} declares no minimum, so the service may require ${least}`;
    return warning('prompt', 'prompt-length-unclear', message, addAtLeast(least - points));
  }
  if (units < least) {
    const message = `the prompt has ${counted(points)}; ${model.id} needs at least ${least}`;
    return error('prompt', 'prompt-too-short', message, 'describe the sound in more detail');
  }
  const message = `the prompt has ${counted(points)}, ${units} if emoji and rare letters count twice; ${model.id} needs at least ${least}`;
  return warning('prompt', 'prompt-length-unclear', message, addAtLeast(least - points));
}

export const promptRules: readonly Rule[] = [promptTooShort, promptTooLong];

export const lyricsRules: readonly Rule[] = [
  lyricsRequired,
  lyricsTaken,
  lyricsTooShort,
  lyricsTooLong,
  optimizerAgainstLyrics,
];
