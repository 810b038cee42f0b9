import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Files, WebRequest } from '../../src/core/ports.js';
import { openAudioStore } from '../../src/shared-log/open-object-store.js';
import type { WaitsFor } from '../../src/shared-log/patience.js';
import { parseStateAddress } from '../../src/shared-log/state-address.js';
import { NO_REPLY, type Reply, reply, webThat } from '../fakes/web.js';
import { createHandClock } from './hand-clock.js';
import { worldOf } from './places.js';

const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testtesttest' };
const MINUTE_MS = 60_000;
/** How long a silent request takes until its deadline. */
const TRY_MS = 2 * MINUTE_MS;
const SONG = new Uint8Array(20 * 64 * 1024);
const HASH = createHash('sha256').update(SONG).digest('hex');
const SILENT = expect.objectContaining({ kind: 'unreachable' });

/** An audio store that answers as told, by hand-moved time. */
function stage(
  answers: (request: WebRequest, pass: (ms: number) => Promise<void>) => Reply | Promise<Reply>,
) {
  const { clock, pass } = createHandClock();
  const stop = new AbortController();
  const shown: WaitsFor[] = [];
  const asked: string[] = [];
  const web = webThat((request) => {
    asked.push(request.method);
    return answers(request, (ms) => clock.sleep(ms));
  });
  const files = {
    stream: async function* () {
      yield SONG;
    },
    facts: async () => undefined,
    makeDirectory: async () => {},
    open: async () => ({ write: async () => {}, sync: async () => {}, close: async () => {} }),
    remove: async () => {},
  } as unknown as Files;
  const world = { ...worldOf('/', KEYS), clock, files, web: () => web };
  const stopping = { stop: stop.signal, waits: (what: WaitsFor) => void shown.push(what) };
  const store = openAudioStore(parseStateAddress('s3://bucket/p'), world, stopping);
  if (store === undefined) throw new Error('no audio store');
  const watch = (work: Promise<unknown>) => {
    const outcome: { now: unknown } = { now: 'waiting' };
    const ended = (what: unknown) => {
      outcome.now = what;
    };
    work.then(ended, ended);
    return outcome;
  };
  const put = () => watch(store.put('/a.wav', HASH, SONG.length));
  const download = () => watch(store.download(HASH, SONG.length, { files, path: '/b.wav' }));
  return { store, pass, stop, shown, asked, put, download };
}

const silent = async (_: WebRequest, pass: (ms: number) => Promise<void>) => {
  await pass(TRY_MS);
  return NO_REPLY;
};

describe('an audio store that accepts requests and does not answer', () => {
  it('is waited for some minutes once, then for one try at a time, and not for hours', async () => {
    const { put, pass, asked, shown } = stage(silent);
    const first = put();
    await pass(15 * MINUTE_MS);
    expect(first.now).toEqual(SILENT);
    expect(shown).toContain('answers');
    const before = asked.length;
    const second = put();
    // The upload, and whether it is there anyway.
    await pass(2 * TRY_MS);
    expect(second.now).toEqual(SILENT);
    expect(asked.slice(before)).toEqual(['PUT', 'HEAD']);
  });

  it('is waited for at most half a minute after the stop, and asked nothing more', async () => {
    const { store, put, download, pass, stop, shown, asked } = stage(silent);
    const uploads = [put(), put()];
    const pull = download();
    await pass(1_000);
    stop.abort();
    await pass(29_000);
    expect([...uploads, pull].map(({ now }) => now)).toEqual(['waiting', 'waiting', 'waiting']);
    await pass(1_000);
    expect([...uploads, pull].map(({ now }) => now)).toEqual([SILENT, SILENT, SILENT]);
    expect(shown).toEqual(['stopping', 'nothing']);
    const before = asked.length;
    await expect(store.has(HASH)).rejects.toEqual(SILENT);
    expect(asked.length).toBe(before);
  });

  it('may be silent in the middle of a download: it ends after the stop, too', async () => {
    const body = (async function* () {
      yield SONG.subarray(0, 10);
      await new Promise(() => {});
    })();
    const { download, pass, stop } = stage(({ method }) => {
      const answer = reply(200, '', { 'content-length': String(SONG.length) });
      return method === 'HEAD' || answer.kind !== 'answer' ? answer : { ...answer, body };
    });
    const pull = download();
    await pass(MINUTE_MS);
    stop.abort();
    await pass(29_000);
    expect(pull.now).toBe('waiting');
    await pass(1_000);
    expect(pull.now).toEqual(SILENT);
  });
});

it('an upload that makes progress after the stop may finish', async () => {
  const { put, pass, stop, shown } = stage(async ({ method, body }, takes) => {
    if (method === 'HEAD') return reply(200, '', { 'content-length': String(SONG.length) });
    for await (const _ of body as AsyncIterable<Uint8Array>) await takes(25_000);
    return reply(200);
  });
  const upload = put();
  await pass(1_000);
  stop.abort();
  await pass(7 * MINUTE_MS);
  expect(upload.now).toBe('waiting');
  await pass(2 * MINUTE_MS);
  expect(upload.now).toBe('stored');
  // Shown once, however often it pauses.
  expect(shown).toEqual(['stopping']);
});
