/** Small, valid audio files of further containers, built byte by byte. Their contents need not be decodable. */

function u16(value: number): Buffer {
  return Buffer.from([(value >> 8) & 0xff, value & 0xff]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

/** Bytes without a zero, so that nothing in them passes for padding. */
export function noise(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, at) => 1 + ((at * 37 + (at >> 3)) % 90)));
}

export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(8 + body.length), Buffer.from(type, 'latin1'), body]);
}

function full(type: string, ...words: readonly (number | Uint8Array)[]): Buffer {
  return box(type, u32(0), ...words.map((word) => (typeof word === 'number' ? u32(word) : word)));
}

const FTYP = box('ftyp', Buffer.from('M4A \0\0\0\0M4A isom'));
const RATE = 44_100;
const FRAME = 1_024;

interface Samples {
  readonly sizes: readonly number[];
  readonly perChunk: number;
  readonly offsets: readonly number[];
  /** 64-bit offsets. */
  readonly wide?: boolean;
}

function moov(frames: number, samples: Samples, extra: readonly Uint8Array[] = []): Buffer {
  const mvhd = full('mvhd', 0, 0, RATE, frames * FRAME, Buffer.alloc(80));
  const tkhd = full('tkhd', 0, 0, 1, 0, frames * FRAME, Buffer.alloc(60));
  const mdhd = full('mdhd', 0, 0, RATE, frames * FRAME, 0);
  const hdlr = full('hdlr', 0, Buffer.from('soun'), Buffer.alloc(13));
  const entry = box(
    'mp4a',
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(8),
    u16(1),
    u16(16),
    u32(0),
    u32(RATE << 16),
  );
  const { sizes, perChunk, offsets, wide } = samples;
  const stbl = box(
    'stbl',
    full('stsd', 1, entry),
    full('stts', 1, sizes.length, FRAME),
    full('stsc', ...(sizes.length === 0 ? [0] : [1, 1, perChunk, 1])),
    full('stsz', 0, sizes.length, ...sizes),
    wide === true
      ? full('co64', offsets.length, ...offsets.flatMap((at) => [0, at]))
      : full('stco', offsets.length, ...offsets),
  );
  const minf = box('minf', full('smhd', 0), box('dinf', full('dref', 1, full('url ', 1))), stbl);
  return box('moov', mvhd, box('trak', tkhd, box('mdia', mdhd, hdlr, minf)), ...extra);
}

export interface M4aOptions {
  /** The position of `moov`. Default: in front. */
  readonly moovLast?: boolean;
  readonly wide?: boolean;
  /** `mdat` says "to the end of the file". */
  readonly openEnd?: boolean;
  /** Added to each chunk offset. */
  readonly shift?: number;
}

/** 20 frames in chunks of 5. */
export function m4a(frames = 20, options: M4aOptions = {}): Buffer {
  const perChunk = 5;
  const sizes = Array.from({ length: frames }, (_, at) => 30 + ((at * 7) % 11));
  const media = noise(sizes.reduce((sum, size) => sum + size, 0));
  const chunks = Array.from({ length: frames / perChunk }, (_, at) =>
    sizes.slice(0, at * perChunk).reduce((sum, size) => sum + size, 0),
  );
  const moovAt = (from: number) =>
    moov(frames, {
      sizes,
      perChunk,
      offsets: chunks.map((at) => from + at + (options.shift ?? 0)),
      wide: options.wide === true,
    });
  const mdat = box('mdat', media);
  if (options.openEnd === true) mdat.writeUInt32BE(0, 0);
  if (options.moovLast === true) return Buffer.concat([FTYP, mdat, moovAt(FTYP.length + 8)]);
  const from = FTYP.length + moovAt(0).length + 8;
  return Buffer.concat([FTYP, moovAt(from), mdat]);
}

/** Some fragments of five frames each, by default with `mfra` at the end. */
export function fragmentedM4a(fragments = 4, end: 'mfra' | 'sidx' | 'mehd' | 'none' = 'mfra'): Buffer {
  const frames = 5;
  const mehd = end === 'mehd' ? [full('mehd', fragments * frames * FRAME)] : [];
  const mvex = box('mvex', ...mehd, full('trex', 1, 1, FRAME, 0, 0));
  const parts = Array.from({ length: fragments }, (_, at) => fragment(at, frames));
  const referenced = parts.flatMap((part) => [part.length, frames * FRAME, 0]);
  const sidx = full('sidx', 1, RATE, 0, 0, u16(0), u16(fragments), ...referenced);
  return Buffer.concat([
    FTYP,
    moov(0, { sizes: [], perChunk: 0, offsets: [] }, [mvex]),
    ...(end === 'sidx' ? [sidx] : []),
    ...parts,
    ...(end === 'mfra' ? [box('mfra', full('mfro', 24))] : []),
  ]);
}

function fragment(index: number, frames: number): Buffer {
  const sizes = Array.from({ length: frames }, (_, at) => 20 + ((index + at) % 5));
  const make = (dataOffset: number) => {
    // Offsets count from the `moof`; each sample has its size.
    const tfhd = box('tfhd', u32(0x02_0000), u32(1));
    const trun = box('trun', u32(0x201), u32(frames), u32(dataOffset), ...sizes.map(u32));
    return box('moof', full('mfhd', index + 1), box('traf', tfhd, trun));
  };
  const media = noise(sizes.reduce((sum, size) => sum + size, 0));
  return Buffer.concat([make(make(0).length + 8), box('mdat', media)]);
}

/** Ogg pages; the first contains the header of an Opus stream. */
export function ogg(pages = 6, options: { ended?: boolean; serial?: number } = {}): Buffer {
  const opusHead = Buffer.concat([Buffer.from('OpusHead\x01\x01', 'latin1'), Buffer.alloc(9)]);
  return Buffer.concat(
    Array.from({ length: pages }, (_, at) =>
      oggPage({
        body: at === 0 ? opusHead : noise(200),
        flags: at === 0 ? 2 : at === pages - 1 && options.ended !== false ? 4 : 0,
        granule: Math.max(0, at - 1) * 48_000,
        serial: options.serial ?? 7,
        sequence: at,
      }),
    ),
  );
}

function oggPage(page: {
  body: Buffer;
  flags: number;
  granule: number;
  serial: number;
  sequence: number;
}): Buffer {
  const head = Buffer.alloc(27);
  head.write('OggS');
  head[5] = page.flags;
  head.writeBigUInt64LE(BigInt(page.granule), 6);
  head.writeUInt32LE(page.serial, 14);
  head.writeUInt32LE(page.sequence, 18);
  head[26] = 1;
  const bytes = Buffer.concat([head, Buffer.from([page.body.length]), page.body]);
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c1_1db7 : 0);
  }
  bytes.writeUInt32LE(crc >>> 0, 22);
  return bytes;
}

function element(id: number, body: Uint8Array, open = false): Buffer {
  const name = Buffer.from(id.toString(16), 'hex');
  const size = open
    ? Buffer.from('01ffffffffffffff', 'hex')
    : Buffer.concat([Buffer.from([0x10]), u32(body.length).subarray(1)]);
  return Buffer.concat([name, size, body]);
}

/** 3 s; `open`: as written to a pipe. */
export function webm(options: { open?: boolean; docType?: string; trackType?: number } = {}): Buffer {
  const duration = Buffer.alloc(8);
  duration.writeDoubleBE(3_000);
  const info = element(
    0x1549a966,
    Buffer.concat([element(0x2ad7b1, u32(1_000_000)), element(0x4489, duration)]),
  );
  const track = element(
    0xae,
    Buffer.concat([element(0xd7, Buffer.from([1])), element(0x83, Buffer.from([options.trackType ?? 2]))]),
  );
  const cluster = (at: number) =>
    element(
      0x1f43b675,
      Buffer.concat([element(0xe7, u32(at)), element(0xa3, noise(300))]),
      options.open === true,
    );
  const segment = Buffer.concat([
    info,
    element(0x1654ae6b, track),
    cluster(0),
    cluster(1_000),
    cluster(2_000),
  ]);
  return Buffer.concat([
    element(0x1a45dfa3, element(0x4282, Buffer.from(options.docType ?? 'webm'))),
    element(0x18538067, segment, options.open === true),
  ]);
}

/** Mono, 16 bit. */
export function aiff(seconds: number, kind: 'AIFF' | 'AIFC' = 'AIFF'): Buffer {
  const frames = Math.round(seconds * RATE);
  const rate = Buffer.from('400eac44000000000000', 'hex');
  const coding = kind === 'AIFC' ? [Buffer.from('sowt\0\0')] : [];
  const comm = chunk('COMM', u16(1), u32(frames), u16(16), rate, ...coding);
  return chunk('FORM', Buffer.from(kind), comm, chunk('SSND', Buffer.alloc(8), Buffer.alloc(frames * 2, 5)));
}

/** AIFF: length and name are in the opposite order of a box, and the length excludes both. */
function chunk(name: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(name), u32(body.length), body]);
}

/** AAC in ADTS, 44.1 kHz: frames of about 200 bytes and 1,024 samples. */
export function adts(frames: number): Buffer {
  return Buffer.concat(
    Array.from({ length: frames }, (_, at) => {
      const length = 190 + (at % 20);
      const head = [
        0xff,
        0xf1,
        0x50,
        0x80 | (length >> 11),
        (length >> 3) & 0xff,
        ((length & 7) << 5) | 0x1f,
        0xfc,
      ];
      return Buffer.concat([Buffer.from(head), noise(length - 7)]);
    }),
  );
}

/** A WAV as RF64: sizes in a `ds64` chunk, and none in the usual places. */
export function rf64(wav: Buffer): Buffer {
  const data = wav.subarray(44);
  const sizes = Buffer.alloc(36);
  sizes.write('ds64');
  sizes.writeUInt32LE(28, 4);
  sizes.writeBigUInt64LE(BigInt(wav.length - 8 + 36), 8);
  sizes.writeBigUInt64LE(BigInt(data.length), 16);
  const head = Buffer.concat([wav.subarray(0, 12), sizes, wav.subarray(12, 44)]);
  head.write('RF64');
  head.writeUInt32LE(0xffff_ffff, 4);
  head.writeUInt32LE(0xffff_ffff, head.length - 4);
  return Buffer.concat([head, data]);
}

/** A WAV with one more chunk before its samples. */
export function withChunk(wav: Buffer, bytes: number): Buffer {
  const junk = Buffer.alloc(8 + bytes);
  junk.write('JUNK');
  junk.writeUInt32LE(bytes, 4);
  const all = Buffer.concat([wav.subarray(0, 36), junk, wav.subarray(36)]);
  all.writeUInt32LE(all.length - 8, 4);
  return all;
}

/** An APEv2 tag with a header of its own. */
export function apeTag(itemBytes = 40): Buffer {
  const head = Buffer.alloc(32);
  head.write('APETAGEX');
  head.writeUInt32LE(2_000, 8);
  head.writeUInt32LE(itemBytes + 32, 12);
  head.writeUInt32LE(0xa000_0000, 20);
  const foot = Buffer.from(head);
  foot.writeUInt32LE(0x8000_0000, 20);
  return Buffer.concat([head, Buffer.alloc(itemBytes), foot]);
}

export function id3Tag(bytes = 20): Buffer {
  return Buffer.concat([
    Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, bytes >> 7, bytes & 0x7f]),
    Buffer.alloc(bytes),
  ]);
}

/** 1 by 1 pixel. */
export const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
/** 8 by 8 pixels, as ffmpeg writes it. */
export const JPEG = Buffer.from(
  '/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCDg4NwcHBoaHBwfHyDg4+Tj4eHg4eTk5ubm7q6srLZ2eD/////xABMAAEBAAAAAAAAAAAAAAAAAAAABgEBAQAAAAAAAAAAAAAAAAAABgcQAQAAAAAAAAAAAAAAAAAAAAARAQAAAAAAAAAAAAAAAAAAAAD/wAARCAAIAAgDASIAAhEAAxEA/9oADAMBAAIRAxEAPwCLAFF/f//Z',
  'base64',
);
