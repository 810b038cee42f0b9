import { concat, latin1, littleEndian, textAt, utf8, viewOf } from './binary.js';
import { id3Tag } from './id3.js';
import { type Tags, UntaggableError } from './tags.js';

const HEAD_BYTES = 12;
/** Chunks that contain tags. */
const TAG_CHUNKS: ReadonlySet<string> = new Set(['id3 ', 'ID3 ', 'LIST']);
/** Writers that do not know a length put the highest numbers into this 32-bit field. */
const UNKNOWN_FROM = 0x7fff_0000;

/**
 * Replaces the tags of a WAV file. Writes them twice: as `LIST INFO`, which most programs read, and as ID3v2 in an `id3
 * ` chunk, which holds all of them. All other chunks are unchanged. Source: RIFF MCI 1991, EBU Tech 3285.
 */
export function tagWav(bytes: Uint8Array, tags: Tags): Uint8Array {
  const body = concat([...audioChunks(bytes), chunk('LIST', info(tags)), chunk('id3 ', id3Tag(tags))]);
  if (body.byteLength + 4 > 0xffff_ffff) throw new UntaggableError('a WAV file of more than 4 GiB');
  return concat([latin1('RIFF'), littleEndian(body.byteLength + 4, 4), latin1('WAVE'), body]);
}

function audioChunks(bytes: Uint8Array): readonly Uint8Array[] {
  if (textAt(bytes, 0, 4) !== 'RIFF' || textAt(bytes, 8, 4) !== 'WAVE')
    throw new UntaggableError('not a plain WAV file');
  const chunks: Uint8Array[] = [];
  for (let at = HEAD_BYTES; at + 8 <= bytes.byteLength; ) {
    const name = textAt(bytes, at, 4);
    const declared = viewOf(bytes).getUint32(at + 4, true);
    const rest = bytes.byteLength - at - 8;
    const unknown = name === 'data' && (declared === 0 || declared >= UNKNOWN_FROM);
    const size = unknown ? rest : Math.min(declared, rest);
    const content = bytes.subarray(at + 8, at + 8 + size);
    if (!isTag(name, content)) chunks.push(chunk(name, content));
    at += 8 + size + (size % 2);
  }
  if (!chunks.some((one) => textAt(one, 0, 4) === 'data'))
    throw new UntaggableError('a WAV file without audio');
  return chunks;
}

/** A `LIST` of another kind (cue labels) is not a tag. */
function isTag(name: string, content: Uint8Array): boolean {
  return TAG_CHUNKS.has(name) && (name !== 'LIST' || textAt(content, 0, 4) === 'INFO');
}

function chunk(name: string, content: Uint8Array): Uint8Array {
  const pad = new Uint8Array(content.byteLength % 2);
  return concat([latin1(name), littleEndian(content.byteLength, 4), content, pad]);
}

function info(tags: Tags): Uint8Array {
  const fields: readonly (readonly [string, string | undefined])[] = [
    ['INAM', tags.title],
    ['IART', tags.artist],
    ['IPRD', tags.album],
    ['ITRK', String(tags.track)],
    ['ICRD', tags.date],
    ['IGNR', tags.genre],
    ['ICOP', tags.copyright],
    ['ICMT', tags.comment],
    ['IKEY', tags.aiMark],
  ];
  const chunks = fields.flatMap(([name, text]) =>
    text === undefined ? [] : [chunk(name, concat([utf8(text), Uint8Array.of(0)]))],
  );
  return concat([latin1('INFO'), ...chunks]);
}
