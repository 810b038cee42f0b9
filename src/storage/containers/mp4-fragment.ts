import { type Box, boxAt, boxesIn, type Fields, fieldsOf, versionOf } from './mp4-box.js';
import type { Extent, Movie, SampleDefaults } from './mp4-movie.js';

/** What one `moof` says about its samples. */
export interface Fragment {
  /** Where its samples are. */
  readonly extents: readonly (Extent & { readonly codec: string })[];
  /** Duration of its audio samples. */
  readonly audioSeconds: number;
}

const TFHD = { baseOffset: 1, description: 2, ticks: 8, bytes: 16 } as const;
const TRUN = {
  dataOffset: 1,
  firstFlags: 4,
  ticks: 0x100,
  bytes: 0x200,
  flags: 0x400,
  composition: 0x800,
} as const;

/**
 * @param at where the `moof` begins, which its offsets are relative to
 * @returns `undefined` if the boxes do not fit together. Throws a `RangeError` if a table is cut off.
 */
export function readFragment(moof: Uint8Array, at: number, movie: Movie): Fragment | undefined {
  const boxes = boxesIn(moof);
  if (boxes === undefined) return undefined;
  const extents: (Extent & { codec: string })[] = [];
  let audioSeconds = 0;
  // A run without an offset continues where the one before ended.
  let from = at;
  for (const { type, body } of boxes) {
    if (type !== 'traf') continue;
    const parts = boxesIn(body);
    const header = parts && readHeader(boxAt(parts, 'tfhd'), movie);
    if (parts === undefined || header === undefined) return undefined;
    const base = header.baseOffset ?? at;
    if (header.baseOffset !== undefined) from = header.baseOffset;
    for (const run of parts.filter((part: Box) => part.type === 'trun')) {
      const { dataOffset, ticks, ...sizes } = readRun(run.body, header.defaults);
      if (dataOffset !== undefined) from = base + dataOffset;
      extents.push({ from, codec: header.codec, ...sizes });
      from += sizes.bytes;
      if (header.isAudio) audioSeconds += ticks / header.ticksPerSecond;
    }
  }
  return { extents, audioSeconds };
}

interface Header {
  readonly baseOffset?: number;
  readonly defaults: SampleDefaults;
  readonly isAudio: boolean;
  readonly codec: string;
  readonly ticksPerSecond: number;
}

function readHeader(tfhd: Uint8Array | undefined, movie: Movie): Header | undefined {
  if (tfhd === undefined) return undefined;
  const fields = fieldsOf(tfhd);
  const { flags } = versionOf(fields);
  const id = fields.u32();
  const track = movie.tracks.find((one) => one.id === id);
  if (track === undefined) return undefined;
  const baseOffset = (flags & TFHD.baseOffset) === 0 ? undefined : fields.u64();
  if ((flags & TFHD.description) !== 0) fields.skip(4);
  const ticks = (flags & TFHD.ticks) === 0 ? track.defaults.ticks : fields.u32();
  const bytes = (flags & TFHD.bytes) === 0 ? track.defaults.bytes : fields.u32();
  const { isAudio, codec, ticksPerSecond } = track;
  return {
    ...(baseOffset !== undefined && { baseOffset }),
    defaults: { ticks, bytes },
    isAudio,
    codec,
    ticksPerSecond,
  };
}

function readRun(
  trun: Uint8Array,
  defaults: SampleDefaults,
): Omit<Extent, 'from'> & { dataOffset: number | undefined; ticks: number } {
  const fields = fieldsOf(trun);
  const { flags } = versionOf(fields);
  const samples = fields.u32();
  const dataOffset = (flags & TRUN.dataOffset) === 0 ? undefined : fields.i32();
  if ((flags & TRUN.firstFlags) !== 0) fields.skip(4);
  const each = flags & (TRUN.ticks | TRUN.bytes | TRUN.flags | TRUN.composition);
  // Such a run may claim any number of samples, none of which is in the file.
  if (each === 0 && samples > 0 && defaults.bytes === 0) throw new RangeError('samples without bytes');
  if (each === 0)
    return {
      dataOffset,
      bytes: samples * defaults.bytes,
      lastBytes: defaults.bytes,
      largestBytes: defaults.bytes,
      ticks: samples * defaults.ticks,
    };
  let [bytes, lastBytes, largestBytes, ticks] = [0, 0, 0, 0];
  for (let sample = 0; sample < samples; sample++) {
    ticks += fieldIf(fields, flags & TRUN.ticks) ?? defaults.ticks;
    lastBytes = fieldIf(fields, flags & TRUN.bytes) ?? defaults.bytes;
    largestBytes = Math.max(largestBytes, lastBytes);
    bytes += lastBytes;
    fieldIf(fields, flags & TRUN.flags);
    fieldIf(fields, flags & TRUN.composition);
  }
  return { dataOffset, bytes, lastBytes, largestBytes, ticks };
}

function fieldIf(fields: Fields, flag: number): number | undefined {
  return flag === 0 ? undefined : fields.u32();
}

/** Where the media listed in a `sidx` ends, relative to the end of that box. */
export function promisedBytes(sidx: Uint8Array): number {
  const fields = fieldsOf(sidx);
  const wide = versionOf(fields).version === 1;
  fields.skip(8 + (wide ? 8 : 4));
  let bytes = wide ? fields.u64() : fields.u32();
  fields.skip(2);
  for (let references = fields.u16(); references > 0; references--) {
    bytes += fields.u32() & 0x7fff_ffff;
    fields.skip(8);
  }
  return bytes;
}
