import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inspectMedia } from '../../src/storage/inspect-media.js';
import { adts, aiff, apeTag, fragmentedM4a, id3Tag, m4a, ogg, rf64, webm } from '../node/container-bytes.js';
import { flac, mp3, wav } from './audio-bytes.js';

/* One rule for all containers: what may follow the end of the sound. */

async function inspect(...parts: readonly Uint8Array[]) {
  const bytes = Buffer.concat(parts);
  const finding = await inspectMedia(async function* () {
    yield bytes;
  }, bytes.byteLength);
  // The second parser may stumble over what follows the sound: that does not decide.
  return finding.kind === 'whole' ? { ...finding, warning: undefined } : finding;
}

/** The container shows where its sound ends. */
const ENDED: readonly [name: string, bytes: Buffer][] = [
  ['mp3 that notes its length', mp3(20, { info: true })],
  ['wav', wav(0.1)],
  ['rf64', rf64(wav(0.1))],
  ['flac', flac(10_000)],
  ['m4a', m4a()],
  ['m4a with moov at the end', m4a(20, { moovLast: true })],
  ['fragmented m4a', fragmentedM4a()],
  ['ogg', ogg()],
  ['webm', webm()],
  ['aiff', aiff(0.1)],
  ['aiff-c', aiff(0.1, 'AIFC')],
];
/** The end of the file is all that shows it. */
const ENDLESS: readonly [name: string, bytes: Buffer][] = [
  ['mp3', mp3(20)],
  ['aac', adts(20)],
  ['webm from a pipe', webm({ open: true })],
];

const id3v1 = Buffer.from('TAGA title'.padEnd(128));
const extension = Buffer.from('TAG+A longer title'.padEnd(227));
const lyrics = Buffer.from('LYRICSBEGININD00002110LYR00005Words000040LYRICS200');
const lyrics1 = Buffer.from('LYRICSBEGINWordsLYRICSEND');
/** Without a header: only its end shows what it is. */
const apeOfOld = apeTag().subarray(32).fill(0, 60, 64).fill('item', 0, 40);

const TAGS: readonly Buffer[] = [
  ...[id3v1, apeTag(), id3Tag(600), apeOfOld, lyrics, lyrics1],
  Buffer.concat([extension, id3v1]),
  Buffer.concat([apeTag(), lyrics, id3v1]),
  Buffer.concat([apeOfOld, id3v1]),
];

describe.each(ENDED)('behind the sound of %s', (_, whole) => {
  it('any tag may follow, and up to 511 zeros before or after it', async () => {
    // Three zeros before "TAG" are the size of a small box of an m4a.
    const counts = fc.nat({ max: 511 }).filter((count) => count !== 3);
    const zeros = counts.map((count) => Buffer.alloc(count));
    await fc.assert(
      fc.asyncProperty(zeros, fc.constantFrom(...TAGS), zeros, async (before, tag, after) => {
        // A tag that only its end shows has to be the last thing in the file.
        const behind = tag.includes(apeOfOld) ? Buffer.alloc(0) : after;
        expect(await inspect(whole, before, tag, behind)).toEqual(await inspect(whole));
      }),
      { numRuns: 50 },
    );
  });

  it('up to 511 zeros may follow, and more are noticed', async () => {
    for (const zeros of [1, 7, 511])
      expect(await inspect(whole, Buffer.alloc(zeros))).toEqual(await inspect(whole));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 512, max: 70_000 }), async (zeros) => {
        expect((await inspect(whole, Buffer.alloc(zeros))).kind).toBe('incomplete');
      }),
      { numRuns: 20 },
    );
  });

  it('a cut file with a few zeros or a tag behind is not whole', async () => {
    // In uncompressed audio, anything that fills the gap is sound.
    const cuts = fc.integer({ min: 129, max: whole.byteLength - 1 });
    const behind = fc.constantFrom(Buffer.alloc(1), Buffer.alloc(128), id3v1, apeTag());
    await fc.assert(
      fc.asyncProperty(cuts, behind, async (cut, tail) => {
        expect((await inspect(whole.subarray(0, -cut), tail)).kind).not.toBe('whole');
      }),
      { numRuns: 100 },
    );
  });
});

describe.each(ENDLESS)('behind %s', (_, whole) => {
  it('zeros are noticed: they may stand where sound was', async () => {
    for (const zeros of [1, 7, 64, 511, 5_000, 200_000])
      expect((await inspect(whole, Buffer.alloc(zeros))).kind).toBe('incomplete');
  });
});

describe.each([...ENDED, ...ENDLESS])('behind %s', (_, whole) => {
  it('a page is noticed', async () => {
    const page = Buffer.from('HTML page '.repeat(20));
    for (const before of [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(500), id3v1])
      expect((await inspect(whole, before, page)).kind).toBe('incomplete');
  });
});

// In one with an open end, a few bytes can be an element of it.
describe.each([...ENDED, ...ENDLESS].filter(([name]) => !name.includes('pipe')))('behind %s', (_, whole) => {
  it('any other bytes are noticed', async () => {
    const other = fc
      .uint8Array({ minLength: 1, maxLength: 3_000, size: 'max' })
      .filter((bytes) => bytes.some((byte) => byte !== 0));
    await fc.assert(
      fc.asyncProperty(other, async (bytes) => {
        expect((await inspect(whole, bytes)).kind).toBe('incomplete');
      }),
      { numRuns: 100 },
    );
  });
});

describe('a second file behind the first', () => {
  it.each(ENDED.filter(([name]) => !/mp3|ogg/.test(name)))('%s: is noticed', async (_, whole) => {
    expect((await inspect(whole, whole)).kind).toBe('incomplete');
  });
});

describe('chunks behind a wav', () => {
  const list = Buffer.from('LIST\x0c\0\0\0INFOICMT\0\0\0\0', 'latin1');

  it('may be left out of the count in its header, but have to be complete', async () => {
    expect(await inspect(wav(0.1), list)).toEqual(await inspect(wav(0.1)));
    expect((await inspect(wav(0.1), list.subarray(0, -1))).kind).toBe('incomplete');
    expect((await inspect(wav(0.1), list, Buffer.alloc(511))).kind).toBe('whole');
    expect((await inspect(wav(0.1), list, Buffer.alloc(512))).kind).toBe('incomplete');
  });

  it('zeros that its header counts are no chunks', async () => {
    const counted = Buffer.concat([wav(0.1), Buffer.alloc(3_000)]);
    counted.writeUInt32LE(counted.byteLength - 8, 4);
    expect((await inspect(counted)).kind).toBe('incomplete');
  });

  it('may lack the last pad byte', async () => {
    const odd = Buffer.concat([wav(0.1), Buffer.from('note\x03\0\0\0abc', 'latin1')]);
    for (const counted of [wav(0.1).byteLength, odd.byteLength, odd.byteLength + 1]) {
      odd.writeUInt32LE(counted - 8, 4);
      expect((await inspect(odd)).kind).toBe('whole');
    }
  });
});
