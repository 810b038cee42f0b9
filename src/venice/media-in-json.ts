import { AUDIO_HEAD_BYTES, isAudioHead } from './audio-magic.js';
import { audioType } from './media-type.js';
import { field, isRecord, text } from './read-json.js';

/** Contents of a finished job's JSON: the audio itself, or its address. */
export type MediaInJson =
  | { readonly kind: 'inline'; readonly mediaType: string; readonly bytes: Uint8Array }
  | { readonly kind: 'elsewhere'; readonly url: string };

/**
 * Finds the audio under any name, because the name is not documented: base64 (bare or as a `data:` URL) that decodes to
 * audio according to its first bytes, else an address, preferably under a known name.
 */
export function findMedia(body: unknown): MediaInJson | undefined {
  const texts = textsIn(body, LEVELS_MAX);
  for (const candidate of texts) {
    const inline = readInline(candidate);
    if (inline !== undefined) return inline;
  }
  const urls = texts.filter(({ value }) => isAddress(value));
  const [best] = urls.sort((a, b) => rankOf(a.name) - rankOf(b.name));
  return best && { kind: 'elsewhere', url: best.value };
}

/** Levels of nested objects; a list between them does not count. */
const LEVELS_MAX = 2;
const FIELDS_MAX = 50;
const ENTRIES_MAX = 8;
const MEDIA_TYPE_FIELDS = ['content_type', 'media_type', 'mime_type'] as const;

interface Candidate {
  readonly name: string;
  readonly value: string;
  /** According to the same object, or one around it. */
  readonly type: string | undefined;
}

/** Every text, with its name or that of the list around it. */
function textsIn(
  value: unknown,
  levels: number,
  about: Omit<Candidate, 'value'> = NAMELESS,
): readonly Candidate[] {
  if (typeof value === 'string') return [{ ...about, value }];
  if (Array.isArray(value)) {
    const entries = value.slice(0, ENTRIES_MAX).filter((entry) => !Array.isArray(entry));
    return entries.flatMap((entry) => textsIn(entry, levels, about));
  }
  if (!isRecord(value) || levels === 0) return [];
  const type = MEDIA_TYPE_FIELDS.map((key) => text(field(value, key), 200)).find(Boolean) ?? about.type;
  const fields = Object.entries(value).slice(0, FIELDS_MAX);
  return fields.flatMap(([name, entry]) => textsIn(entry, levels - 1, { name, type }));
}

const NAMELESS = { name: '', type: undefined };

/** Without a media type, the bytes decide. */
function readInline({ value, type }: Candidate): MediaInJson | undefined {
  const dataUrl = /^data:([a-z0-9.+-]+\/[a-z0-9.+-]+)(?:;[^,]{0,200})?;base64,/i.exec(value);
  const bytes = audioFromBase64(dataUrl === null ? value : value.slice(dataUrl[0].length));
  if (bytes === undefined) return undefined;
  return { kind: 'inline', mediaType: audioType(dataUrl?.[1] ?? type) ?? 'application/octet-stream', bytes };
}

/** Characters that encode the head: four for three bytes. */
const HEAD_LENGTH = (AUDIO_HEAD_BYTES / 3) * 4;

function audioFromBase64(value: string): Uint8Array | undefined {
  if (!isAudioHead(Buffer.from(value.slice(0, HEAD_LENGTH), 'base64'))) return undefined;
  const clean = value.replace(/[\r\n]/g, '');
  // Node skips characters that are not base64, so a text that only begins like audio would decode to something else.
  return clean.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(clean)
    ? Buffer.from(clean, 'base64')
    : undefined;
}

const URL_NAMES = ['url', 'audio_url', 'download_url', 'media_url', 'audio'];

/** Lower is better. */
function rankOf(name: string): number {
  const at = URL_NAMES.indexOf(name);
  return at < 0 ? URL_NAMES.length : at;
}

/** The transport decides whether it may be requested at all. */
function isAddress(value: string): boolean {
  return value.length <= 8_192 && /^https?:\/\/\S+$/i.test(value) && URL.canParse(value);
}
