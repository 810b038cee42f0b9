import { flacMaskIn } from '../../audio/decode-flac.js';
import { MASK_FIELD } from '../../audio/layout.js';
import { bigEndian, concat, latin1, textAt } from './binary.js';
import { withoutId3 } from './id3.js';
import { type Tags, UntaggableError } from './tags.js';
import { pictureBlock, vorbisComment } from './vorbis.js';

const BLOCK = { padding: 1, comment: 4, picture: 6 } as const;
const BLOCK_BYTES_MAX = 2 ** 24 - 1;
const LAST = 0x80;

interface Block {
  readonly kind: number;
  readonly content: Uint8Array;
}

/**
 * Replaces the tags of a FLAC file. Its frames, and metadata blocks other than tags, are unchanged. Source: RFC 9639.
 */
export function tagFlac(file: Uint8Array, tags: Tags): Uint8Array {
  const bytes = withoutId3(file);
  if (textAt(bytes, 0, 4) !== 'fLaC') throw new UntaggableError('not a FLAC file');
  const { blocks, end } = readBlocks(bytes);
  const replaced: readonly number[] = Object.values(BLOCK);
  const mask = blocks.flatMap(({ kind, content }) =>
    kind === BLOCK.comment ? (flacMaskIn(content) ?? []) : [],
  )[0];
  // Players need it to know what each channel is.
  const kept = mask === undefined ? [] : [[MASK_FIELD, `0x${mask.toString(16).toUpperCase()}`] as const];
  const all = [
    ...blocks.filter(({ kind }) => !replaced.includes(kind)),
    { kind: BLOCK.comment, content: vorbisComment(tags, kept) },
    ...(tags.cover === undefined ? [] : [{ kind: BLOCK.picture, content: pictureBlock(tags.cover) }]),
  ];
  const parts = all.map(({ kind, content }, at) => {
    if (content.byteLength > BLOCK_BYTES_MAX) throw new UntaggableError('a cover of more than 16 MiB');
    return concat([
      Uint8Array.of(kind | (at === all.length - 1 ? LAST : 0)),
      bigEndian(content.byteLength, 3),
      content,
    ]);
  });
  return concat([latin1('fLaC'), ...parts, bytes.subarray(end)]);
}

function readBlocks(bytes: Uint8Array): { readonly blocks: readonly Block[]; readonly end: number } {
  const blocks: Block[] = [];
  for (let at = 4; at + 4 <= bytes.byteLength; ) {
    const head = bytes[at]!;
    const size = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const end = at + 4 + size;
    if (end > bytes.byteLength) break;
    blocks.push({ kind: head & 0x7f, content: bytes.subarray(at + 4, end) });
    if ((head & LAST) !== 0) return { blocks, end };
    at = end;
  }
  throw new UntaggableError('a FLAC file that ends before its audio');
}
