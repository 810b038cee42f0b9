import type { RequestField } from '../core/audio-request.js';
import type { Code } from '../core/codes.js';
import type { Model } from '../venice/model.js';
import type { Case, Finding } from './rule.js';
import { listed } from './text.js';

/** The name of a switch in error codes. */
export type Topic = 'instrumental' | 'lyrics-optimizer' | 'loop' | 'language';

/** Models, voices or durations named in a hint at most. */
export const NAMED_MAX = 8;

export function error(at: Finding['at'], code: Code, message: string, hint: string): Finding {
  return { code, severity: 'error', message, hint, at, fix: 'set' };
}

export function warning(at: Finding['at'], code: Code, message: string, hint?: string): Finding {
  return { code, severity: 'warning', message, at, hint, fix: 'set' };
}

/** The value has to go, or the model. */
export function unsupported(
  field: RequestField,
  code: Code,
  message: string,
  about: Case,
  takes: (model: Model) => boolean,
): Finding {
  const others = [...about.catalogue.values()].filter(
    (model) =>
      !model.offline && model.voice_changer !== true && speaks(model) === speaks(about.model) && takes(model),
  );
  const names = listed(
    others.map(({ id }) => id),
    NAMED_MAX,
  );
  const hint = names === '' ? undefined : `use a model that supports it: ${names}`;
  return { code, severity: 'error', message, hint, at: field, fix: 'unset' };
}

/** Whether it reads a text aloud: music cannot replace a narration, nor a voice a song. */
function speaks(model: Model): boolean {
  return (
    (model.voices?.length ?? 0) > 0 ||
    model.default_voice !== undefined ||
    model.supports_custom_voice_id === true ||
    model.pricing?.kind === 'per_thousand_characters'
  );
}

export function undeclared(
  field: RequestField,
  topic: Topic | 'lyrics' | 'duration' | 'voice' | 'speed',
  about: Case,
): Finding {
  const message = `${about.model.id} does not say whether it supports \`${field}\``;
  const hint = 'it is sent unchanged; the service may refuse it';
  return { code: `undeclared-${topic}`, severity: 'warning', message, hint, at: field };
}
