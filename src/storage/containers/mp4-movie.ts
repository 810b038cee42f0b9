import { ascii } from './bytes.js';
import { type Box, boxAt, boxesIn, fieldsOf, versionOf } from './mp4-box.js';

const TRACKS_MAX = 64;
/** Chunks of one track. A table of equal sizes can claim any number of samples in a few bytes. */
const CHUNKS_MAX = 4_000_000;

export interface Movie {
  /** Duration of the samples listed in `moov` itself; 0 if there are none, or it is unknown. */
  readonly seconds: number;
  /** Duration including all fragments; 0 if unknown. */
  readonly secondsInAll: number;
  readonly tracks: readonly Track[];
}

export interface Track {
  readonly id: number;
  readonly isAudio: boolean;
  /** Type of the sample entry: `mp4a`, `alac`, … */
  readonly codec: string;
  readonly ticksPerSecond: number;
  readonly chunks: ChunkTable;
  /** Values for samples in fragments that do not state their own. */
  readonly defaults: SampleDefaults;
}

export interface SampleDefaults {
  readonly ticks: number;
  readonly bytes: number;
}

/** Where the samples are in the file. The tables are read in place, because they are long in long files. */
export interface ChunkTable {
  readonly samples: number;
  readonly chunks: number;
  /** All chunks in order. */
  extents(): Generator<Extent>;
}

/** Samples that lie one after another. */
export interface Extent {
  readonly from: number;
  readonly bytes: number;
  /** Of the last sample. */
  readonly lastBytes: number;
  /** Of the largest sample. */
  readonly largestBytes: number;
}

/** @returns `undefined` if the boxes do not fit together. Throws a `RangeError` if a table is cut off. */
export function readMovie(moov: Uint8Array): Movie | undefined {
  const boxes = boxesIn(moov);
  const header = boxes && boxAt(boxes, 'mvhd');
  if (boxes === undefined || header === undefined) return undefined;
  const fragmented = boxAt(boxes, 'mvex');
  const fragments = fragmented === undefined ? [] : boxesIn(fragmented);
  if (fragments === undefined) return undefined;
  const tracks: Track[] = [];
  for (const { type, body } of boxes) {
    if (type !== 'trak') continue;
    const track = readTrack(body, fragments);
    if (track === undefined || tracks.length >= TRACKS_MAX) return undefined;
    tracks.push(track);
  }
  const { ticks, ticksPerSecond } = readTimes(header);
  const mehd = boxAt(fragments, 'mehd');
  const inAll = mehd === undefined ? 0 : readFragmentsTicks(mehd);
  return { seconds: ticks / ticksPerSecond, secondsInAll: inAll / ticksPerSecond, tracks };
}

/** Reads `mvhd` or `mdhd`, which begin alike. An unknown duration has all bits set. */
function readTimes(body: Uint8Array): { ticks: number; ticksPerSecond: number } {
  const fields = fieldsOf(body);
  const wide = versionOf(fields).version === 1;
  fields.skip(wide ? 16 : 8);
  const ticksPerSecond = fields.u32();
  const ticks = wide ? fields.u64() : fields.u32();
  const unknown = ticks >= (wide ? 2 ** 63 : 2 ** 32 - 1);
  return { ticks: unknown ? 0 : ticks, ticksPerSecond: ticksPerSecond || 1 };
}

function readFragmentsTicks(mehd: Uint8Array): number {
  const fields = fieldsOf(mehd);
  return versionOf(fields).version === 1 ? fields.u64() : fields.u32();
}

function readTrack(trak: Uint8Array, fragments: readonly Box[]): Track | undefined {
  const boxes = boxesIn(trak);
  const media = boxes && boxAt(boxes, 'mdia');
  const parts = media && boxesIn(media);
  const table = parts && boxAt(parts, 'minf', 'stbl');
  const tables = table && boxesIn(table);
  const [header, times, kind] = [
    boxAt(boxes ?? [], 'tkhd'),
    boxAt(parts ?? [], 'mdhd'),
    boxAt(parts ?? [], 'hdlr'),
  ];
  if (tables === undefined || header === undefined || times === undefined || kind === undefined)
    return undefined;
  const id = readTrackId(header);
  const chunks = readChunks(tables);
  if (chunks === undefined) return undefined;
  return {
    id,
    isAudio: ascii(kind, 8, 4) === 'soun',
    codec: ascii(boxAt(tables, 'stsd') ?? new Uint8Array(), 12, 4),
    ticksPerSecond: readTimes(times).ticksPerSecond,
    chunks,
    defaults: readDefaults(fragments, id),
  };
}

function readTrackId(tkhd: Uint8Array): number {
  const fields = fieldsOf(tkhd);
  fields.skip(versionOf(fields).version === 1 ? 16 : 8);
  return fields.u32();
}

function readDefaults(fragments: readonly Box[], trackId: number): SampleDefaults {
  for (const { type, body } of fragments) {
    if (type !== 'trex') continue;
    const fields = fieldsOf(body);
    fields.skip(4);
    if (fields.u32() !== trackId) continue;
    fields.skip(4);
    return { ticks: fields.u32(), bytes: fields.u32() };
  }
  return { ticks: 0, bytes: 0 };
}

/** Reads `stsz`, `stsc` and `stco` or `co64`. */
function readChunks(tables: readonly Box[]): ChunkTable | undefined {
  const [sizes, runs] = [boxAt(tables, 'stsz'), boxAt(tables, 'stsc')];
  const [offsets, wideOffsets] = [boxAt(tables, 'stco'), boxAt(tables, 'co64')];
  const places = offsets ?? wideOffsets;
  if (sizes === undefined || runs === undefined || places === undefined) return undefined;
  const sampleSizes = fieldsOf(sizes);
  sampleSizes.skip(4);
  const [allAlike, samples] = [sampleSizes.u32(), sampleSizes.u32()];
  const chunks = countOf(places);
  if (chunks > CHUNKS_MAX) return undefined;
  return {
    samples,
    chunks,
    *extents() {
      const [place, perChunk] = [fieldsOf(places), samplesPerChunk(runs)];
      place.skip(8);
      let samplesLeft = samples;
      const size = sampleSizeReader(sizes, allAlike);
      for (let chunk = 0; chunk < chunks; chunk++) {
        const from = offsets === undefined ? place.u64() : place.u32();
        const count = perChunk(chunk);
        samplesLeft -= count;
        if (samplesLeft < 0) throw new RangeError('more samples in chunks than there are');
        yield { from, ...size(count) };
      }
      if (samplesLeft > 0) throw new RangeError('samples without a chunk');
    },
  };
}

function countOf(table: Uint8Array): number {
  const fields = fieldsOf(table);
  fields.skip(4);
  return fields.u32();
}

/** Sizes of the next samples. */
function sampleSizeReader(stsz: Uint8Array, allAlike: number): (count: number) => Omit<Extent, 'from'> {
  if (allAlike > 0)
    return (count) => ({ bytes: allAlike * count, lastBytes: allAlike, largestBytes: allAlike });
  const fields = fieldsOf(stsz);
  fields.skip(12);
  return (count) => {
    let [bytes, lastBytes, largestBytes] = [0, 0, 0];
    for (let sample = 0; sample < count; sample++) {
      lastBytes = fields.u32();
      largestBytes = Math.max(largestBytes, lastBytes);
      bytes += lastBytes;
    }
    return { bytes, lastBytes, largestBytes };
  };
}

/** The number of samples in each chunk, asked for in order: `stsc` lists only the chunks where it changes. */
function samplesPerChunk(stsc: Uint8Array): (chunk: number) => number {
  const fields = fieldsOf(stsc);
  fields.skip(4);
  let entriesLeft = fields.u32();
  let samples = 0;
  let next = readRun();
  return (chunk) => {
    while (next !== undefined && chunk + 1 >= next.firstChunk) {
      samples = next.samples;
      next = readRun();
    }
    return samples;
  };

  function readRun(): { firstChunk: number; samples: number } | undefined {
    if (entriesLeft === 0) return undefined;
    entriesLeft -= 1;
    const run = { firstChunk: fields.u32(), samples: fields.u32() };
    fields.skip(4);
    return run;
  }
}
