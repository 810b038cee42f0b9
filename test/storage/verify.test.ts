import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectMedia } from '../../src/storage/inspect-media.js';
import {
  adts,
  aiff,
  apeTag,
  box,
  fragmentedM4a,
  id3Tag,
  m4a,
  noise,
  ogg,
  rf64,
  webm,
  withChunk,
} from '../node/container-bytes.js';
import { flac, mp3, wav } from './audio-bytes.js';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const inspect = (bytes: Uint8Array, pieceBytes = 10_000) =>
  inspectMedia(() => inPieces(bytes, pieceBytes), bytes.byteLength);

const seconds = (frames: number, samples: number) => (frames * samples) / 44_100;

const id3v1 = (): Buffer => Buffer.from('TAGA title'.padEnd(128));

/** ffmpeg plays each to its end. Containers whose media are noise here are tried with files that ffmpeg makes. */
const WHOLE: readonly [name: string, bytes: Buffer, mediaType: string, seconds: number | undefined][] = [
  ['m4a', m4a(), 'audio/mp4', seconds(20, 1_024)],
  ['m4a with moov at the end', m4a(20, { moovLast: true }), 'audio/mp4', seconds(20, 1_024)],
  ['m4a with 64-bit offsets', m4a(20, { wide: true }), 'audio/mp4', seconds(20, 1_024)],
  ['m4a with an open end', m4a(20, { openEnd: true }), 'audio/mp4', seconds(20, 1_024)],
  [
    'm4a with free space behind',
    Buffer.concat([m4a(), box('free', noise(50))]),
    'audio/mp4',
    seconds(20, 1_024),
  ],
  ['fragmented m4a', fragmentedM4a(), 'audio/mp4', seconds(20, 1_024)],
  ['fragmented m4a with an index in front', fragmentedM4a(4, 'sidx'), 'audio/mp4', seconds(20, 1_024)],
  ['fragmented m4a with its length', fragmentedM4a(4, 'mehd'), 'audio/mp4', seconds(20, 1_024)],
  ['ogg', ogg(), 'audio/opus', 4],
  ['chained ogg', Buffer.concat([ogg(), ogg(4, { serial: 8 })]), 'audio/opus', 6],
  ['webm', webm(), 'audio/webm', 3],
  ['webm from a pipe', webm({ open: true }), 'audio/webm', 3],
  ['aiff', aiff(1), 'audio/aiff', 1],
  ['aiff-c', aiff(1, 'AIFC'), 'audio/aiff', 1],
  ['aac', adts(50), 'audio/aac', seconds(50, 1_024)],
  ['aac behind an ID3 tag', Buffer.concat([id3Tag(), adts(50)]), 'audio/aac', seconds(50, 1_024)],
  ['rf64', rf64(wav(1)), 'audio/wav', 1],
  ['wav with much before its samples', withChunk(wav(1), 200_000), 'audio/wav', 1],
  ['wav without sizes', wav(1, { riffLength: 0, dataLength: 0 }), 'audio/wav', 1],
  ['wav whose header counts itself', wav(1, { riffLength: 44 + 88_200 }), 'audio/wav', 1],
  ['flac behind an ID3 tag', Buffer.concat([id3Tag(300), flac(20_000)]), 'audio/flac', 20_000 / 44_100],
  ['flac before tags', Buffer.concat([flac(20_000), apeTag(), id3v1()]), 'audio/flac', 20_000 / 44_100],
  ['ogg before tags', Buffer.concat([ogg(), apeTag(), id3v1()]), 'audio/opus', 4],
  ['m4a before tags', Buffer.concat([m4a(), apeTag(), id3v1()]), 'audio/mp4', seconds(20, 1_024)],
  ['aiff behind an ID3 tag', Buffer.concat([id3Tag(), aiff(1)]), 'audio/aiff', 1],
  ['mp3 behind zeros', Buffer.concat([Buffer.alloc(5_000), mp3(50)]), 'audio/mpeg', seconds(50, 1_152)],
  ['mp3 behind an APE tag', Buffer.concat([apeTag(), mp3(50)]), 'audio/mpeg', seconds(50, 1_152)],
  ['mp3 behind part of a frame', mp3(51).subarray(100), 'audio/mpeg', seconds(50, 1_152)],
  ['mp3 before tags', Buffer.concat([mp3(50), apeTag(), id3v1()]), 'audio/mpeg', seconds(50, 1_152)],
  [
    'mp3 files one after another',
    Buffer.concat([mp3(20, { info: true }), mp3(54)]),
    'audio/mpeg',
    seconds(73, 1_152),
  ],
  [
    'tagged mp3 files one after another',
    Buffer.concat([mp3(20, { id3: true }), mp3(30, { id3: true })]),
    'audio/mpeg',
    seconds(50, 1_152),
  ],
  [
    'mp3 with a note, before zeros',
    Buffer.concat([mp3(50, { info: true }), Buffer.alloc(500)]),
    'audio/mpeg',
    seconds(49, 1_152),
  ],
];

describe('containers of all kinds', () => {
  it.each(WHOLE)(
    '%s: recognised by its bytes, with its length, in pieces of any size',
    async (_, bytes, mediaType, length) => {
      for (const pieceBytes of [97, 4_096, bytes.byteLength]) {
        const finding = await inspect(bytes, pieceBytes);
        expect(finding).toMatchObject({ kind: 'whole', mediaType });
        if (length !== undefined)
          expect(finding).toHaveProperty('durationSeconds', expect.closeTo(length, 3));
      }
    },
  );

  /** Formats without an end of their own, where a cut between two frames cannot be seen. */
  const endless =
    /chained|pipe|without sizes|^aac|zeros$|before zeros|part of a frame|APE|before tags|one after another|open end/;
  const ended = WHOLE.filter(([name]) => !endless.test(name));

  it.each(ended)('%s: never whole when cut, wherever', async (name, whole) => {
    // What follows the sound may be missing.
    const soundBytes = name.includes('free space') ? whole.byteLength - 58 : whole.byteLength;
    for (let at = 1; at < soundBytes; at += Math.ceil(soundBytes / 60)) {
      const { kind } = await inspect(whole.subarray(0, at));
      expect([at, kind]).not.toEqual([at, 'whole']);
    }
    expect((await inspect(whole.subarray(0, soundBytes - 1))).kind).not.toBe('whole');
  });

  it.each([
    ['aac', adts(30)],
    ['mp3', mp3(30)],
    ['mp3 behind zeros', Buffer.concat([Buffer.alloc(500), mp3(30)])],
  ])('%s: not whole when cut within a frame', async (_, whole) => {
    for (let cut = 1; cut < 185; cut += 7) {
      expect((await inspect(whole.subarray(0, -cut))).kind).toBe('incomplete');
    }
  });

  it.each([
    ['m4a', m4a()],
    ['m4a with moov at the end', m4a(20, { moovLast: true })],
    ['fragmented m4a', fragmentedM4a()],
    ['ogg', ogg()],
  ])('%s: not whole when cut and filled up with zeros', async (_, whole) => {
    for (let cut = 150; cut < whole.byteLength; cut += Math.ceil(whole.byteLength / 60)) {
      const filled = Buffer.concat([whole.subarray(0, -cut), Buffer.alloc(cut + 64)]);
      expect([cut, (await inspect(filled)).kind]).not.toEqual([cut, 'whole']);
    }
  });

  it('a file that ends earlier than declared, within the zeros behind the audio, is incomplete', async () => {
    for (const whole of [ogg(), m4a()]) {
      const bytes = Buffer.concat([whole, Buffer.alloc(64)]);
      expect((await inspectMedia(() => inPieces(bytes, 97), bytes.byteLength + 512)).kind).toBe('incomplete');
    }
  });

  it('a compressed wav: its length is the number of samples that it states', async () => {
    const adpcm = withChunk(wav(1), 4);
    adpcm.writeUInt16LE(0x11, 20);
    adpcm.writeUInt32LE(22_000, 28);
    adpcm.write('fact', 36);
    adpcm.writeUInt32LE(176_400, 44);
    expect(await inspect(adpcm)).toMatchObject({ kind: 'whole', durationSeconds: 4 });
    adpcm.writeUInt32LE(0, 44);
    expect(await inspect(adpcm)).toMatchObject({ kind: 'whole', durationSeconds: expect.closeTo(4.009, 3) });
    const plain = withChunk(wav(1), 4);
    plain.write('fact', 36);
    plain.writeUInt32LE(1, 44);
    expect(await inspect(plain)).toMatchObject({ kind: 'whole', durationSeconds: 1 });
  });

  it('a wav with a wrong rate of bytes: its length is that of its samples', async () => {
    const wrong = wav(2);
    for (const rate of [0, 44_100, 176_400]) {
      wrong.writeUInt32LE(rate, 28);
      expect(await inspect(wrong)).toMatchObject({ kind: 'whole', durationSeconds: 2 });
    }
  });

  it('a compressed aiff-c: it states packets, so its length is not known', async () => {
    const packed = aiff(1, 'AIFC');
    packed.write('ima4', packed.indexOf('sowt'), 'latin1');
    const finding = await inspect(packed);
    expect(finding).toMatchObject({ kind: 'whole', mediaType: 'audio/aiff' });
    expect(finding).not.toHaveProperty('durationSeconds');
  });

  it('an m4a that was cut and filled up with zeros is noticed', async () => {
    const whole = m4a();
    const filled = Buffer.concat([whole.subarray(0, -60), Buffer.alloc(60)]);
    expect((await inspect(filled)).kind).toBe('incomplete');
  });

  it.each([
    ['m4a', m4a()],
    ['m4a with moov at the end', m4a(20, { moovLast: true })],
    ['fragmented m4a', fragmentedM4a()],
    ['fragmented m4a with an index in front', fragmentedM4a(4, 'sidx')],
  ])('%s: no box size can be changed unnoticed', async (_, whole) => {
    for (const at of sizesOf(whole))
      for (const change of [-9, -1, 1, 4, 0x0100_0000]) {
        const flipped = Buffer.from(whole);
        flipped.writeUInt32BE((whole.readUInt32BE(at) + change) >>> 0, at);
        expect([at, change, (await inspect(flipped)).kind]).not.toEqual([at, change, 'whole']);
      }
  });

  it.each([
    ['before the media', m4a(20, { shift: -1 })],
    ['behind the media', m4a(20, { shift: 1 })],
    ['far behind', m4a(20, { shift: 1_000_000 })],
  ])('an m4a whose chunks are %s is not whole', async (_, bytes) => {
    expect((await inspect(bytes)).kind).toBe('incomplete');
  });

  it('fragments without a count of them may be incomplete', async () => {
    expect((await inspect(fragmentedM4a(4, 'none'))).kind).toBe('incomplete');
  });

  it('fragments that an index lists must be there, not zeros instead', async () => {
    const whole = fragmentedM4a(4, 'sidx');
    const second = whole.indexOf('moof', whole.indexOf('moof') + 1) - 4;
    expect((await inspect(zeroed(whole, second, whole.byteLength))).kind).toBe('incomplete');
    const oneListed = Buffer.from(whole);
    oneListed.writeUInt16BE(1, whole.indexOf('sidx') + 26);
    expect((await inspect(oneListed)).kind).toBe('incomplete');
  });

  it.each([
    ['m4a', m4a(200), 2_000, 100],
    ['m4a with moov at the end', m4a(200, { moovLast: true }), 2_000, 100],
    ['fragmented m4a', fragmentedM4a(), -80, 56],
    ['flac', flac(60_000), 50_000, 4_096],
    ['webm', webm(), 500, 400],
    ['ogg', ogg(), 500, 100],
    ['aac', adts(50), 4_000, 400],
    ['mp3 that notes its length', mp3(50, { info: true }), 8_000, 2_000],
  ])('%s: zeros in the middle are noticed', async (_, whole, at, length) => {
    expect((await inspect(whole)).kind).toBe('whole');
    const from = at < 0 ? whole.byteLength + at : at;
    expect((await inspect(zeroed(whole, from, from + length))).kind).toBe('incomplete');
  });

  it('a FLAC without one of its frames is noticed, wherever its first frame begins', async () => {
    const whole = flac(4_096 * 6);
    const frameBytes = (whole.byteLength - 42) / 6;
    const at = (frame: number) => 42 + frame * frameBytes;
    const without = (frame: number) =>
      Buffer.concat([whole.subarray(0, at(frame)), whole.subarray(at(frame + 1))]);
    for (const frame of [0, 2, 4]) expect((await inspect(without(frame))).kind).toBe('incomplete');
    const unknownTotal = flac(4_096 * 6, { totalSamples: 0 });
    const late = Buffer.concat([unknownTotal.subarray(0, 42), unknownTotal.subarray(at(2))]);
    expect(await inspect(late)).toMatchObject({ kind: 'whole', durationSeconds: (4_096 * 4) / 44_100 });
  });

  it('one frame at the end of something else is a coincidence', async () => {
    const other = noise(10 * 188);
    expect((await inspect(Buffer.concat([other, adts(1)]))).kind).toBe('unknown');
    expect((await inspect(Buffer.concat([other, adts(1), id3v1()]))).kind).toBe('unknown');
    expect((await inspect(adts(1))).kind).toBe('whole');
  });

  it('an Ogg file with a damaged byte, a missing page or no end is not whole', async () => {
    const whole = ogg();
    const pageBytes = 28 + 200;
    const damaged = Buffer.from(whole);
    damaged[300]! ^= 1;
    const gap = Buffer.concat([whole.subarray(0, -2 * pageBytes), whole.subarray(-pageBytes)]);
    for (const bytes of [damaged, gap, ogg(6, { ended: false })])
      expect((await inspect(bytes)).kind).toBe('incomplete');
  });

  it('a video is not accepted as sound, nor is another kind of EBML', async () => {
    expect((await inspect(webm({ trackType: 1 }))).kind).toBe('incomplete');
    expect((await inspect(webm({ docType: 'other' }))).kind).toBe('unknown');
  });

  it('a cut in one of several concatenated mp3 files is noticed', async () => {
    const cut = Buffer.concat([mp3(20, { info: true }).subarray(0, -417 * 3), mp3(54, { info: true })]);
    expect((await inspect(cut)).kind).toBe('incomplete');
  });

  it('a run of a billion samples does not fill the memory', async () => {
    const claims = fragmentedM4a();
    const run = claims.indexOf('trun');
    // No flags: neither sizes nor durations are listed.
    claims.writeUInt32BE(0, run + 4);
    claims.writeUInt32BE(1_000_000_000, run + 8);
    expect((await inspect(claims)).kind).toBe('incomplete');
  });

  it('is read in linear time, whatever its headers claim', async () => {
    const boxes = Buffer.concat(Array.from({ length: 50_000 }, () => box('free')));
    const claims = m4a();
    claims.writeUInt32BE(0xffff_ffff, claims.indexOf('stsz') + 12);
    for (const bytes of [
      boxes,
      box('ftyp', boxes),
      Buffer.concat([m4a().subarray(0, 24), box('moov', boxes)]),
      claims,
    ])
      expect((await inspect(bytes)).kind).not.toBe('whole');
  });
});

function zeroed(whole: Buffer, from: number, to: number): Buffer {
  return Buffer.from(whole).fill(0, from, to);
}

/** Offsets of all box sizes, including those of nested boxes. */
function sizesOf(bytes: Buffer, from = 0, to = bytes.byteLength): number[] {
  const sizes: number[] = [];
  for (let at = from; at < to; at += bytes.readUInt32BE(at)) {
    sizes.push(at);
    const within = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'moof', 'traf', 'mvex'];
    if (within.includes(bytes.toString('latin1', at + 4, at + 8)))
      sizes.push(...sizesOf(bytes, at + 8, at + bytes.readUInt32BE(at)));
  }
  return sizes;
}

describe('whole audio', () => {
  it.each([
    ['wav', wav(3), 'audio/wav', 3],
    [
      'wav written without seeking back',
      wav(3, { riffLength: 0xffff_ffff, dataLength: 0xffff_ffff }),
      'audio/wav',
      3,
    ],
    ['flac', flac(100_000), 'audio/flac', 100_000 / 44_100],
    ['flac of whole blocks', flac(4_096 * 5), 'audio/flac', (4_096 * 5) / 44_100],
    ['long flac', flac(44_100 * 20), 'audio/flac', 20],
    [
      'flac with an ID3v1 tag',
      Buffer.concat([flac(50_000), Buffer.from('TAG'.padEnd(128))]),
      'audio/flac',
      50_000 / 44_100,
    ],
    ['mp3', mp3(200), 'audio/mpeg', (200 * 1_152) / 44_100],
    [
      'mp3 with the encoder’s note of its length',
      mp3(200, { info: true }),
      'audio/mpeg',
      (199 * 1_152) / 44_100,
    ],
    ['mp3 with a tag in front', mp3(200, { id3: true }), 'audio/mpeg', (200 * 1_152) / 44_100],
  ])('%s is recognised by its bytes, with its length', async (_, bytes, mediaType, seconds) => {
    for (const pieceBytes of [100, 65_536, bytes.byteLength]) {
      const finding = await inspect(bytes, pieceBytes);
      expect(finding).toMatchObject({ kind: 'whole', mediaType });
      expect(finding).toHaveProperty('durationSeconds', expect.closeTo(seconds, 1));
    }
  });

  it('is recognised even if the total is not declared', async () => {
    expect(await inspect(flac(100_000, { totalSamples: 0 }))).toMatchObject({ mediaType: 'audio/flac' });
  });
});

describe('what is not whole audio', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a page', Buffer.from('<!doctype html><title>502</title>'.repeat(100))],
    ['JSON', Buffer.from('{"status":"PROCESSING"}')],
    ['zeros', Buffer.alloc(100_000)],
    ['an Ogg file of zeros', Buffer.from(`OggS${'\0'.repeat(1_000)}`)],
    ['a WAV header alone', wav(1).subarray(0, 44)],
    ['a WAV without format', Buffer.from('RIFF\x04\0\0\0WAVE', 'latin1')],
    ['a WAV without channels', wav(1).fill(0, 22, 24)],
    ['a WAV without sample rate', wav(1).fill(0, 24, 28)],
    ['a WAV of a cut format', wav(1).fill(14, 16, 17)],
    ['a FLAC header alone', flac(10_000).subarray(0, 42)],
    ['FLAC magic and noise', Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(5_000, 7)])],
    [
      'an ID3 tag and a page',
      Buffer.concat([mp3(1, { id3: true }).subarray(0, 30), Buffer.from('<html>'.repeat(500))]),
    ],
  ])('%s is refused', async (_, bytes) => {
    expect((await inspect(bytes)).kind).not.toBe('whole');
  });

  it.each([
    ['wav', wav(2)],
    ['flac', flac(60_000)],
    ['mp3 that notes its length', mp3(300, { info: true })],
  ])('%s that was cut anywhere is refused', async (_, whole) => {
    for (const share of [0.1, 0.37, 0.5, 0.9, 0.98]) {
      const cut = whole.subarray(0, Math.floor(whole.byteLength * share));
      expect((await inspect(cut)).kind).toBe('incomplete');
    }
  });

  it('a FLAC cut by a single byte, or exactly between two frames, is refused', async () => {
    const whole = flac(4_096 * 4);
    const frameBytes = (whole.byteLength - 42) / 4;
    expect((await inspect(whole.subarray(0, -1))).kind).toBe('incomplete');
    expect((await inspect(whole.subarray(0, -frameBytes))).kind).toBe('incomplete');
    expect((await inspect(whole)).kind).toBe('whole');
  });

  it('a file of another size than declared is refused', async () => {
    const whole = wav(1);
    const finding = await inspectMedia(() => inPieces(whole, 1_000), whole.byteLength + 1);
    expect(finding.kind).not.toBe('whole');
  });

  it('noise never throws, whatever magic bytes precede it', async () => {
    const magic = fc.constantFrom(
      ...['RIFF\x24\0\0\0WAVEfmt ', 'RF64\xff\xff\xff\xffWAVEds64', 'fLaC', 'ID3\x04', '\xff\xfb\x90\0', ''],
      ...[
        '\0\0\0\x08ftyp',
        '\0\0\0\x08ftyp\0\0\x01\0moov\0\0\0\x6cmvhd',
        'OggS\0\x02',
        '\x1a\x45\xdf\xa3\x80',
        'FORM\0\0\x01\0AIFF',
      ],
    );
    await fc.assert(
      fc.asyncProperty(magic, fc.uint8Array({ maxLength: 3_000 }), async (start, noise) => {
        const bytes = Buffer.concat([Buffer.from(start, 'latin1'), noise]);
        const finding = await inspect(bytes);
        expect(finding.kind === 'unknown' || finding.mediaType.startsWith('audio/')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a read error', () => {
  it.each([0, 100, 70_000, 150_000])('after %s bytes is rethrown, not mistaken for damage', async (good) => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* inPieces(wav(3).subarray(0, good), 1_000);
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    }
    await expect(inspectMedia(failing, wav(3).byteLength)).rejects.toHaveProperty('code', 'EIO');
  });

  it('that only the second parser meets is rethrown as well', async () => {
    const whole = withChunk(wav(3), 200_000);
    let reads = 0;
    async function* failingAgain(): AsyncGenerator<Uint8Array> {
      reads += 1;
      yield* inPieces(reads === 1 ? whole : whole.subarray(0, 100), 100);
      if (reads > 1) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    }
    await expect(inspectMedia(failingAgain, whole.byteLength)).rejects.toHaveProperty('code', 'EIO');
  });

  it('is not needed to close the source', async () => {
    let closed = false;
    async function* page(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(65_536);
      } finally {
        closed = true;
      }
    }
    expect((await inspectMedia(page, 1_000_000)).kind).toBe('unknown');
    expect(closed).toBe(true);
  });
});
