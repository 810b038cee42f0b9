import type { AudioBody } from '../service-response.js';
import { BLOCK } from './loops.js';
import { RATE } from './synth.js';
import type { Track } from './track.js';

/*
 * M4A with Apple Lossless (ALAC): widely supported, needs no psychoacoustics like AAC, and its frames may be
 * uncompressed, so that all sizes are known before the first byte. Mono, 16 bit. Sources: ISO/IEC 14496-12;
 * ALACMagicCookieDescription.txt and ag_dec.c of Apple's reference decoder.
 */

const BITS = 16;
/** Header of a full frame before its samples: element type, instance tag, unused bits, and the uncompressed flag. */
const FRAME_HEAD_BITS = 3 + 4 + 12 + 1 + 2 + 1;
/** Present only in the last, shorter frame. */
const LENGTH_BITS = 32;
const END_BITS = 3;

export function m4aBody(track: Track): AudioBody {
  const sizes = Array.from({ length: track.blocks }, (_, index) => frameBytes(lengthOf(track, index)));
  const audioBytes = sizes.reduce((sum, size) => sum + size, 0);
  const kind = box('ftyp', text('M4A '), u32(0), text('M4A mp42isom'));
  // The offset of the samples is in `moov`, whose length does not depend on it.
  const mediaAt = kind.length + moov(track, sizes, 0).length + 8;
  const head = Buffer.concat([kind, moov(track, sizes, mediaAt), u32(8 + audioBytes), text('mdat')]);
  return {
    bytes: head.length + audioBytes,
    *chunks() {
      yield head;
      for (let index = 0; index < track.blocks; index += 1) yield frame(track.block(index).samples);
    },
  };
}

function lengthOf(track: Track, index: number): number {
  return Math.min(BLOCK, track.samples - index * BLOCK);
}

function frameBytes(samples: number): number {
  const lengthBits = samples === BLOCK ? 0 : LENGTH_BITS;
  return Math.ceil((FRAME_HEAD_BITS + lengthBits + samples * BITS + END_BITS) / 8);
}

function frame(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(frameBytes(samples.length));
  const short = samples.length !== BLOCK;
  let [at, held, heldBits] = [0, 0, 0];
  const write = (value: number, bits: number) => {
    held = (held << bits) | value;
    heldBits += bits;
    for (; heldBits >= 8; heldBits -= 8) bytes[at++] = (held >> (heldBits - 8)) & 0xff;
    held &= 0xff;
  };
  write(0, 16);
  write(0, 3);
  write(short ? 0b1001 : 0b0001, 4);
  if (short) {
    write(0, 16);
    write(samples.length, 16);
  }
  for (const sample of samples) write(sample & 0xffff, BITS);
  write(0b111, END_BITS);
  if (heldBits > 0) write(0, 8 - heldBits);
  return bytes;
}

function moov(track: Track, sizes: readonly number[], mediaAt: number): Buffer {
  const duration = u32(track.samples);
  const movie = full(
    'mvhd',
    u32(0),
    u32(0),
    u32(RATE),
    duration,
    u32(0x1_0000),
    u16(0x100),
    zeros(10),
    MATRIX,
    zeros(24),
    u32(2),
  );
  const header = box(
    'tkhd',
    u32(3),
    u32(0),
    u32(0),
    u32(1),
    u32(0),
    duration,
    zeros(8),
    u32(0),
    u16(0x100),
    zeros(2),
    MATRIX,
    zeros(8),
  );
  const media = full('mdhd', u32(0), u32(0), u32(RATE), duration, u16(0x55c4), u16(0));
  const handler = full('hdlr', u32(0), text('soun'), zeros(12), text('Sandbox\0'));
  const data = box('dinf', full('dref', u32(1), box('url ', u32(1))));
  const information = box('minf', full('smhd', u32(0)), data, sampleTable(track, sizes, mediaAt));
  return box('moov', movie, box('trak', header, box('mdia', media, handler, information)));
}

function sampleTable(track: Track, sizes: readonly number[], mediaAt: number): Buffer {
  const last = lengthOf(track, track.blocks - 1);
  const runs =
    track.blocks === 1
      ? [[1, last]]
      : [
          [track.blocks - 1, BLOCK],
          [1, last],
        ];
  const times = runs.flatMap(([count, samples]) => [u32(count!), u32(samples!)]);
  return box(
    'stbl',
    full('stsd', u32(1), sampleEntry(Math.max(...sizes))),
    full('stts', u32(runs.length), ...times),
    full('stsc', u32(1), u32(1), u32(sizes.length), u32(1)),
    full('stsz', u32(0), u32(sizes.length), ...sizes.map(u32)),
    full('stco', u32(1), u32(mediaAt)),
  );
}

/** Mono, 16 bit, and the decoder configuration, the "magic cookie". */
function sampleEntry(frameBytesMax: number): Buffer {
  const cookie = full(
    'alac',
    u32(BLOCK),
    // Version 0, 16 bit, the usual Rice parameters, one channel.
    Buffer.from([0, BITS, 40, 10, 14, 1]),
    u16(255),
    u32(frameBytesMax),
    u32(RATE * BITS),
    u32(RATE),
  );
  return box('alac', zeros(6), u16(1), zeros(8), u16(1), u16(BITS), zeros(4), u32(RATE * 0x1_0000), cookie);
}

const MATRIX = Buffer.concat([0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000].map(u32));

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([u32(8 + body.length), text(type), body]);
}

/** A box that begins with version and flags, both 0. */
function full(type: string, ...parts: readonly Buffer[]): Buffer {
  return box(type, u32(0), ...parts);
}

function text(value: string): Buffer {
  return Buffer.from(value, 'latin1');
}

function zeros(count: number): Buffer {
  return Buffer.alloc(count);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
