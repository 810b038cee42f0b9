import { createHash } from 'node:crypto';
import { type AudioRequest, FIELD_KINDS, REQUEST_FIELDS, type RequestField } from '../core/audio-request.js';
import type { Track } from './manifest.types.js';

const CANONICAL_ORDER = [...REQUEST_FIELDS].sort();

/** The fields of a track that are part of the request, as in the manifest. */
export type RequestInput = { readonly [Field in RequestField]?: Track[Field] | undefined };

/** See `AudioRequest`. Also ignores space around texts, and how their lines end. */
export function normaliseRequest(input: RequestInput, normalise = normaliseText): AudioRequest {
  const request: Partial<Record<RequestField, string | number | true>> = {};
  for (const field of CANONICAL_ORDER) {
    const value = FIELD_KINDS[field] === 'seconds' ? seconds(input[field]) : input[field];
    const said = typeof value === 'string' ? normalise(value) : value;
    if (said !== undefined && said !== false && said !== '') request[field] = said;
  }
  const { model, prompt } = input;
  return {
    ...(request as Partial<AudioRequest>),
    model: normalise(model ?? ''),
    prompt: normalise(prompt ?? ''),
  };
}

/** The normalisation before blanks at line ends were ignored. Digests made then remain valid. */
export function normaliseAround(text: string): string {
  return text.replace(/\r\n?/g, '\n').trim();
}

/** LF line ends, no byte-order mark, no surrounding space, no trailing blanks. */
export function normaliseText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trim();
}

function seconds(value: RequestInput[RequestField]): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Identity of a request: see `Take.digest` and `Take.parts`. */
export interface Digests {
  readonly digest: string;
  readonly parts: Readonly<Partial<Record<RequestField, string>>>;
}

/**
 * `v1:` is the SHA-256 of the request as JSON with sorted keys. The function caches, because the same few models,
 * lengths and voices repeat throughout a manifest.
 */
export function createDigester(): (request: AudioRequest) => Digests {
  const known = new Map<string, string>();
  const part = (json: string): string => {
    const hash = known.get(json) ?? sha256(json).slice(0, 8);
    if (json.length <= 64) known.set(json, hash);
    return hash;
  };
  return (request) => {
    const parts: Partial<Record<RequestField, string>> = {};
    const members: string[] = [];
    for (const field of CANONICAL_ORDER) {
      if (request[field] === undefined) continue;
      const json = JSON.stringify(request[field]);
      parts[field] = part(json);
      members.push(`${JSON.stringify(field)}:${json}`);
    }
    return { digest: `v1:${sha256(`{${members.join(',')}}`)}`, parts };
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
