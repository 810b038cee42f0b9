import path from 'node:path';
import { expect, it } from 'vitest';
import type { MediaFinding } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import { execute, type RunInput } from '../../src/run/execute.js';
import { openOutput } from '../../src/storage/output.js';
import { keptNames } from '../../src/storage/place-file.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, command } from '../lockfile/build.js';
import { lockOn } from '../lockfile/lock-on.js';
import { makeTake } from '../plan/builders.js';
import { fakeClock, START_MS } from '../report/fakes.js';

const keySignature = createKeySignature('0'.repeat(32), 'key');
const at = { intent: new Date(START_MS).toISOString(), queued: new Date(START_MS).toISOString() };
const made = attempt({ state: 'queued', stem: 'out/one', queue_id: 'job', duration_seconds: 10, rev: 2, at });
const queued: Attempt = { ...made, key: keySignature.of(made) };
const KEPT = `/album/out/one.${queued.attempt.slice(0, 8)}.unverified`;

const FILE = { path: path.posix.relative('/album', KEPT), media_type: 'audio/mpeg' };

/** What a body is: one second of sound for each letter, unless it says that it is not audio. */
function inspect(text: string): MediaFinding {
  if (text.startsWith('?')) return { kind: 'unknown' };
  return { kind: 'whole', mediaType: 'audio/mpeg', durationSeconds: text.length };
}

/** Collects one job of 10 s. After the given downloads the service does not know it any more. */
async function collect(
  downloads: readonly (string | undefined)[],
  first = queued,
  before: string | Readonly<Record<string, string>> = '',
  takes: readonly unknown[] = [],
  status = 404,
) {
  const clock = fakeClock();
  const there = typeof before === 'string' ? { [KEPT]: before } : before;
  const disk = createMemoryDisk(before === '' ? {} : there);
  const store = await lockOn(disk, [first]);
  const left = [...downloads];
  let asked = 0;
  const retrieve = async () => {
    asked += 1;
    if (left.length === 0)
      return {
        ok: false,
        kind: 'refused',
        status,
        sent: true,
        code: `http-${status}`,
        message: 'no',
        rate: {},
      };
    const text = left.shift();
    const body = async function* () {
      yield Buffer.from(text ?? '');
      if (text === undefined) throw Object.assign(new Error('cut'), { code: 'UND_ERR_SOCKET' });
    };
    const answer = { body: body(), framed: true, discard: () => {} };
    return { ok: true, value: { kind: 'audio', mediaType: 'audio/mpeg', answer }, rate: {} };
  };
  let over = false;
  const ended = execute({
    ports: {
      clock,
      files: disk.files,
      random: { bytes: (count: number) => new Uint8Array(count) },
      inspectMedia: async (read: () => AsyncIterable<Uint8Array>) => {
        const all: Uint8Array[] = [];
        for await (const piece of read()) all.push(piece);
        return inspect(Buffer.concat(all).toString());
      },
    },
    client: { retrieve, complete: async () => ({ ok: true, value: true, rate: {} }) },
    output: await openOutput(disk.files, '/album'),
    store: store,
    purchases: [],
    takes,
    approvedMicroUsd: 0,
    keySignature,
    settings: { outputRoot: '/album', rescueDirectories: [], command },
    stop: new AbortController().signal,
    emit: () => {},
  } as unknown as RunInput).then(() => {
    over = true;
  });
  for (let second = 0; second < 1_800 && !over; second++) await clock.advance(1_000);
  await ended;
  const texts = disk.texts();
  const record = store.attempts.get(first.attempt);
  return { record, kept: texts[KEPT], texts, unused: left.length, asked };
}

it('an unconfirmed short download is kept for the user if the service has nothing more', async () => {
  const { record, kept } = await collect(['short']);
  expect(record).toMatchObject({ state: 'unverified', reason: { code: 'not_found' }, kept: { bytes: 5 } });
  expect(kept).toBe('short');
});

it.each([
  ['once by a run after the one that found it gone', 'not_found', 1],
  ['as often as it takes if it was only never complete', 'incomplete', 3],
])('a kept download is asked for %s', async (_, code, times) => {
  const { record: first } = await collect(['short']);
  const again = await collect([], { ...first!, reason: { code } }, 'short');
  expect(again.asked).toBe(times);
  expect(again.record).toMatchObject({
    state: 'unverified',
    reason: { code: 'not_found' },
    kept: { bytes: 5 },
  });
  expect(again.kept).toBe('short');
});

it('a kept download that the service has after all is stored', async () => {
  const { record: first } = await collect(['short']);
  const again = await collect(['0123456789'], first!, 'short');
  expect(again.record).toMatchObject({ state: 'done', file: { bytes: 10 } });
});

it('the first short download is recorded at once, so that a run after a crash knows it', async () => {
  const { texts, record } = await collect(['short']);
  const records = texts['/album/album.lock.jsonl']!.split('\n').filter((line) => line.includes('"kept"'));
  expect(JSON.parse(records[0]!)).toMatchObject({ state: 'queued', at, kept: record!.kept });
  const before = { ...queued, kept: record!.kept! };
  expect((await collect([], before, 'short')).record).toMatchObject({
    state: 'unverified',
    kept: { bytes: 5 },
  });
});

it.each([
  ['a file that nobody recorded', queued],
  [
    'a recorded file that the user has edited',
    { ...queued, kept: { ...FILE, bytes: 1, sha256: '0'.repeat(64) } },
  ],
])('%s stays: the download is kept under another name', async (_, first) => {
  const { record, kept, texts } = await collect(['short'], first, 'edited by the user');
  expect(kept).toBe('edited by the user');
  expect(record?.kept).toMatchObject({ bytes: 5, path: expect.stringMatching(/-2\.unverified$/) });
  expect(texts[`/album/${record!.kept!.path}`]).toBe('short');
});

it('a download without an end is not kept in the place of anything', async () => {
  const { record, kept } = await collect(['', ''], queued, 'edited by the user');
  expect(kept).toBe('edited by the user');
  expect(record).toMatchObject({ state: 'unverified', reason: { code: 'empty' } });
  expect(record).not.toHaveProperty('kept');
});

it('a download that is cut off does not remove the one before it', async () => {
  const { record, kept } = await collect(['short', undefined]);
  expect(record).toMatchObject({ state: 'unverified', kept: { bytes: 5 } });
  expect(kept).toBe('short');
});

it('a download that failed the check once is kept, too', async () => {
  const { record, kept } = await collect(['?amr sound']);
  expect(record).toMatchObject({ state: 'unverified', reason: { code: 'not_found' }, kept: { bytes: 10 } });
  expect(kept).toBe('?amr sound');
});

it('a download of a job that failed afterwards is kept, too', async () => {
  const { record, kept } = await collect(['short'], queued, '', [], 400);
  expect(record).toMatchObject({ state: 'failed', refunded: true, kept: { bytes: 5 } });
  expect(kept).toBe('short');
});

it('a longer download is recorded as soon as it replaces the one that the record names', async () => {
  const { record: first } = await collect(['?amr sound', '?amr sound']);
  const { record, kept } = await collect(['?amr sound, longer'], first!, '?amr sound');
  expect(kept).toBe('?amr sound, longer');
  // Twice: for the download, and for the loss of the audio.
  expect(record).toMatchObject({ state: 'unverified', kept: { bytes: kept!.length }, rev: first!.rev + 2 });
});

it.each([
  ['the same bytes twice', ['?amr sound', '?amr sound']],
  ['a shorter one', ['?amr sound', '?amr']],
  ['a longer one', ['?amr', '?amr sound']],
  ['an empty one', ['?amr sound', '']],
])('nothing but the longest download is left after %s', async (_, downloads) => {
  const { texts } = await collect(downloads);
  const there = Object.entries(texts).filter(([name]) => name.startsWith('/album/out/'));
  expect(there).toEqual([[KEPT, '?amr sound']]);
});

it('a download that could not be kept stays in the part file', async () => {
  const mine = Object.fromEntries(
    keptNames(KEPT.slice(0, -'.unverified'.length)).map((name) => [name, 'edited by the user']),
  );
  const { texts } = await collect(['?amr sound'], queued, mine);
  expect(texts).toMatchObject({ ...mine, [KEPT.replace('.unverified', '.part')]: '?amr sound' });
});

it('the longest of several downloads is kept, and they are not repeated for ever', async () => {
  const { record, kept, unused } = await collect(['a', 'abcd', 'ab', 'abcdef', 'abc', 'abcde']);
  expect(record).toMatchObject({ state: 'unverified', reason: { code: 'incomplete' }, kept: { bytes: 6 } });
  expect(kept).toBe('abcdef');
  expect(unused).toBeGreaterThan(0);
});

it('the job of a removed track does not take the name that another track has now', async () => {
  const other = makeTake({ track: 'two', stem: 'out/one' });
  const { record } = await collect(['0123456789'], queued, '', [other]);
  expect(record?.file?.path).toMatch(/^out\/one\.[0-9a-f]{8}\.mp3$/);
  expect((await collect(['0123456789'])).record?.file?.path).toBe('out/one.mp3');
});

it('nothing is left beside a file that was stored in the end', async () => {
  const { record, kept } = await collect(['short', 'short']);
  expect(record).toMatchObject({ state: 'done', file: { bytes: 5 } });
  expect(kept).toBeUndefined();
});

it('what an earlier run kept survives worse downloads, and the loss of the audio', async () => {
  const first = await collect(['?amr sound', '?amr sound']);
  expect(first.record).toMatchObject({ state: 'unverified', reason: { code: 'not_audio' } });
  const worse = await collect(['?', ''], first.record!, '?amr sound');
  expect(worse.record).toMatchObject({ state: 'unverified', kept: first.record!.kept! });
  expect(worse.kept).toBe('?amr sound');
  const gone = await collect([], worse.record!, '?amr sound');
  expect(gone.record).toMatchObject({
    state: 'unverified',
    reason: { code: 'not_found' },
    kept: first.record!.kept!,
  });
});
