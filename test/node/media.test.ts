import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectMedia } from '../../src/node/media.js';
import { flac, mp3, wav } from './audio-bytes.js';

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

const inspect = (bytes: Uint8Array, pieceBytes = 10_000) =>
  inspectMedia(inPieces(bytes, pieceBytes), bytes.byteLength);

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
  ])('%s is known by its bytes, with its length', async (_, bytes, mediaType, seconds) => {
    for (const pieceBytes of [100, 65_536, bytes.byteLength]) {
      const facts = await inspect(bytes, pieceBytes);
      expect(facts?.mediaType).toBe(mediaType);
      expect(facts?.durationSeconds).toBeCloseTo(seconds, 1);
    }
  });

  it('is known also where the total is not declared', async () => {
    expect(await inspect(flac(100_000, { totalSamples: 0 }))).toMatchObject({ mediaType: 'audio/flac' });
  });
});

describe('what is no whole audio', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a page', Buffer.from('<!doctype html><title>502</title>'.repeat(100))],
    ['JSON', Buffer.from('{"status":"PROCESSING"}')],
    ['zeros', Buffer.alloc(100_000)],
    ['an Ogg file', Buffer.from(`OggS${'\0'.repeat(1_000)}`)],
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
    expect(await inspect(bytes)).toBeUndefined();
  });

  it.each([
    ['wav', wav(2)],
    ['flac', flac(60_000)],
    ['mp3 that notes its length', mp3(300, { info: true })],
  ])('%s that was cut anywhere is refused', async (_, whole) => {
    for (const share of [0.1, 0.37, 0.5, 0.9, 0.98]) {
      expect(await inspect(whole.subarray(0, Math.floor(whole.byteLength * share)))).toBeUndefined();
    }
  });

  it('a FLAC cut by a single byte, or exactly between two frames, is refused', async () => {
    const whole = flac(4_096 * 4);
    const frameBytes = (whole.byteLength - 42) / 4;
    expect(await inspect(whole.subarray(0, -1))).toBeUndefined();
    expect(await inspect(whole.subarray(0, -frameBytes))).toBeUndefined();
    expect(await inspect(whole)).toBeDefined();
  });

  it('a file of another size than told is refused', async () => {
    const whole = wav(1);
    expect(await inspectMedia(inPieces(whole, 1_000), whole.byteLength + 1)).toBeUndefined();
  });

  it('noise is answered without a throw, behind any magic', async () => {
    const magic = fc.constantFrom('RIFF\x24\0\0\0WAVEfmt ', 'fLaC', 'ID3\x04', '\xff\xfb\x90\0', '');
    await fc.assert(
      fc.asyncProperty(magic, fc.uint8Array({ maxLength: 3_000 }), async (start, noise) => {
        const bytes = Buffer.concat([Buffer.from(start, 'latin1'), noise]);
        const facts = await inspect(bytes);
        expect(facts === undefined || facts.mediaType.startsWith('audio/')).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a fault of the source', () => {
  it.each([0, 100, 70_000, 150_000])('after %s bytes is thrown on, not taken for damage', async (good) => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield* inPieces(wav(3).subarray(0, good), 1_000);
      throw Object.assign(new Error('EIO'), { code: 'EIO' });
    }
    await expect(inspectMedia(failing(), wav(3).byteLength)).rejects.toHaveProperty('code', 'EIO');
  });

  it('is not needed to close it', async () => {
    let closed = false;
    async function* page(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(65_536);
      } finally {
        closed = true;
      }
    }
    expect(await inspectMedia(page(), 1_000_000)).toBeUndefined();
    expect(closed).toBe(true);
  });
});
