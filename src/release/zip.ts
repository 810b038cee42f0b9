import { crc32 } from 'node:zlib';
import { concat, latin1, littleEndian, utf8 } from './tags/binary.js';

/** A file to archive. */
export interface ZipEntry {
  /** Relative, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** CRC-32 of the content, from `checksum`. */
  readonly crc32: number;
}

/** 1980-01-01 00:00, the earliest date: without times, two archives of the same files are identical. */
export const DATE = littleEndian(0x0021_0000, 4);
const VERSION_STORED = 20;
const UTF8_NAMES = 0x0800;
const SIZE_MAX = 0xffff_fffe;
const ENTRIES_MAX = 0xfffe;

/** Continues from the checksum of the preceding bytes. */
export function checksum(bytes: Uint8Array, before = 0): number {
  return crc32(bytes, before);
}

/** Whether the entries fit in the format (without its 64-bit extension). */
export function fitsZip(entries: readonly ZipEntry[]): boolean {
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes + 2 * utf8(entry.path).byteLength + 128, 0);
  return bytes <= SIZE_MAX && entries.length <= ENTRIES_MAX;
}

/** The archive, uncompressed, because audio does not shrink. Source: APPNOTE.TXT 6.3.10. */
export async function* zipOf(
  entries: readonly ZipEntry[],
  content: (entry: ZipEntry) => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const entry of entries) {
    const name = utf8(entry.path);
    const about = aboutOf(entry, name.byteLength);
    const head = concat([latin1('PK\u0003\u0004'), about, name]);
    directory.push(
      concat([
        latin1('PK\u0001\u0002'),
        littleEndian(VERSION_STORED, 2),
        about,
        // Comment, disk, attributes.
        new Uint8Array(10),
        littleEndian(at, 4),
        name,
      ]),
    );
    yield head;
    yield* content(entry);
    at += head.byteLength + entry.bytes;
  }
  const index = concat(directory);
  yield index;
  yield concat([
    latin1('PK\u0005\u0006'),
    new Uint8Array(4),
    littleEndian(entries.length, 2),
    littleEndian(entries.length, 2),
    littleEndian(index.byteLength, 4),
    littleEndian(at, 4),
    new Uint8Array(2),
  ]);
}

/**
 * Fields of both headers of an entry: version, flags, method, time, checksum, sizes, lengths of name and extra field.
 */
function aboutOf(entry: ZipEntry, nameBytes: number): Uint8Array {
  return concat([
    littleEndian(VERSION_STORED, 2),
    littleEndian(UTF8_NAMES, 2),
    littleEndian(0, 2),
    DATE,
    littleEndian(entry.crc32, 4),
    littleEndian(entry.bytes, 4),
    littleEndian(entry.bytes, 4),
    littleEndian(nameBytes, 2),
    littleEndian(0, 2),
  ]);
}
