import { describe, expect, it } from 'vitest';
import { BatchError, EXIT } from '../../src/core/errors.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import type { RunLockState } from '../../src/lockfile/run-lock.js';
import { type Job, newJob, type RunContext } from '../../src/run/context.js';
import { createCeiling } from '../../src/run/spend-limit.js';
import { submitJob } from '../../src/run/submit.js';
import type { Settled } from '../../src/scheduler/scheduler.js';
import type { CallResult, Queued } from '../../src/venice/client.js';

const MODEL = 'elevenlabs-music';

function wanted(track: string): Job {
  const request = { model: MODEL, prompt: 'A door falls shut' };
  const span = { file: 'album.yaml', line: 1, column: 1, endLine: 1, endColumn: 2 };
  const about = { track, take: 1, takes: 1, digest: 'v1:aa', parts: {}, stem: `out/${track}` };
  const take = { ...about, key: track, request, span, fieldSpans: {} };
  const quote = { model: MODEL, microUsd: 690_000, atMs: 0 };
  return newJob(`take:${track}`, track, {
    take,
    purchase: { take, request, quote, why: { kind: 'new' } } as never,
  });
}

function refused(code: string, status = 503, message = 'no'): CallResult<Queued> {
  return { ok: false, kind: 'refused', status, sent: true, code, message, rate: {} };
}

/** A run whose submits get these responses, and whose clock advances only by the waits it is asked for. */
function stage(
  answer: (count: number) => CallResult<Queued>,
  lock: RunLockState = 'ours',
  pausedUntilMs = Number.NEGATIVE_INFINITY,
) {
  const events: RunEvent[] = [];
  let nowMs = 0;
  let asked = 0;
  const context = {
    ports: {
      clock: { nowMs: () => nowMs },
      random: { bytes: (count: number) => new Uint8Array(count).fill(asked + 1) },
    },
    client: { queue: async () => answer(++asked) },
    store: {
      newest: () => undefined,
      record: async (_attempt: Attempt) => 'recorded' as const,
      confirm: async () => {},
      fault: () => undefined,
    },
    checkLock: async () => lock,
    scheduler: {
      answered() {},
      pausedUntilMs: () => (nowMs < pausedUntilMs ? pausedUntilMs : undefined),
      refusalsInARow: () => 0,
      stopSubmitting() {},
      submitSingly() {},
      learnedLimits: () => ({}),
      estimate: () => ({ expectedRunMs: () => undefined }),
    },
    ceiling: createCeiling({ approvedMicroUsd: 69_000_000, spentBeforeMicroUsd: 0 }),
    prices: { current: async () => 690_000, isFresh: () => true },
    settings: { failFast: false, command: (...words: string[]) => words.join(' ') },
    stop: new AbortController().signal,
    halt: new AbortController(),
    emit: (event: RunEvent) => events.push(event),
    stopReasons: new Set(),
    queueIds: new Set(),
    closedModels: new Map(),
    dropUnsubmitted() {},
    otherModels: new Set(),
    limitsRecorded: {},
    inDoubtInARow: 0,
    notSentInARow: 0,
    buying: true,
    keySignature: createKeySignature('0'.repeat(32), 'key'),
    followOthers: () => {},
  } as unknown as RunContext;
  return {
    context,
    asked: () => asked,
    nowMs: () => nowMs,
    notices: (code: string) => events.filter((event) => event.type === 'notice' && event.code === code),
    /** Submits the job, and again when its time has come, until it is settled. */
    async submit(job: Job): Promise<Settled> {
      for (;;) {
        const settled = await submitJob(context, job);
        if (settled.kind !== 'again') return settled;
        nowMs = settled.notBeforeMs;
      }
    },
  };
}

describe('a claim that the shared log refused', () => {
  it('ends buying with the reason of the log, also if the log has recovered since', async () => {
    const { context, submit, asked, notices } = stage(() => refused('never-sent'));
    const denied = new BatchError('state-denied', 's3://bucket/album: access denied', {
      exitCode: EXIT.authentication,
    });
    const store = { ...context.store, record: () => Promise.reject(denied) };
    Object.assign(context, { store });
    expect(await submit(wanted('one'))).toEqual({ kind: 'gone', unsent: true });
    expect(asked()).toBe(0);
    expect(notices('state-denied')).toHaveLength(1);
    expect([...context.stopReasons]).toEqual(['log_refused']);
  });
});

describe('a price that has to be quoted again', () => {
  const unpriced = (status: number, message = 'no') => {
    const scene = stage(() => refused('never-sent'));
    let quotes = 0;
    const current = async () => {
      quotes += 1;
      return refused(`http-${status}`, status, message);
    };
    Object.assign(scene.context, { prices: { current, isFresh: () => true } });
    return { ...scene, quotes: () => quotes };
  };

  it.each([
    [401, 'Authentication failed', 'authentication', ['authentication']],
    [401, 'This model is for Pro users', 'model-refused', ['authentication']],
    [403, 'Forbidden', 'model-refused', ['authentication']],
    [404, 'Not found', 'unknown-model', []],
    [410, 'Retired', 'unknown-model', []],
    [400, 'Invalid request', 'service', ['unavailable']],
  ])('and is refused with %i (%s) is requested once', async (status, message, code, reasons) => {
    const { context, submit, quotes, notices } = unpriced(status, message);
    const settled = await submit(wanted('one'));
    expect([settled.kind, quotes(), notices(code).length]).toEqual(['gone', 1, 1]);
    expect([...context.stopReasons]).toEqual(reasons);
    expect(context.closedModels.has(MODEL)).toBe(['model-refused', 'unknown-model'].includes(code));
    expect(context.buying).toBe(context.closedModels.has(MODEL));
  });

  it('and cannot be fetched for now is requested nine times', async () => {
    const { submit, quotes, notices } = unpriced(503);
    expect(await submit(wanted('one'))).toEqual({ kind: 'gone' });
    expect([quotes(), notices('service').length]).toEqual([9, 1]);
  });
});

describe('an unavailable model', () => {
  it('is tried for about a minute if it is offline, longer if it is full', async () => {
    const offline = stage(() => refused('http-503', 503, 'The model is currently offline'));
    expect(await offline.submit(wanted('one'))).toEqual({ kind: 'gone' });
    expect(offline.nowMs()).toBeGreaterThanOrEqual(30_000);
    expect(offline.nowMs()).toBeLessThanOrEqual(90_000);
    const full = stage(() => refused('MODEL_AT_CAPACITY'));
    await full.submit(wanted('one'));
    expect(full.nowMs()).toBeGreaterThan(3 * offline.nowMs());
  });

  it('gets no other take if it is offline, with one message', async () => {
    const { context, submit, asked, notices } = stage(() => refused('MODEL_OFFLINE'));
    await submit(wanted('one'));
    const before = asked();
    for (const track of ['two', 'three'])
      expect(await submit(wanted(track))).toEqual({ kind: 'gone', unsent: true });
    expect(asked()).toBe(before);
    expect(notices('model-offline')).toHaveLength(1);
    expect(context.stopReasons).toEqual(new Set(['unavailable']));
    expect(context.ceiling.spentMicroUsd()).toBe(0);
  });
});

describe('a take that was not sent because buying had ended', () => {
  it('is left to be reported as rejected, as in the lockfile', async () => {
    const { context, asked } = stage(() => refused('never-sent'));
    const checkLock = async () => {
      context.buying = false;
      return 'ours' as const;
    };
    Object.assign(context, { checkLock });
    const job = wanted('one');
    expect((await submitJob(context, job)).kind).toBe('again');
    expect(asked()).toBe(0);
    expect(job).toMatchObject({
      postponed: { code: 'stopped' },
      attempt: { state: 'rejected', reason: { code: 'stopped' } },
    });
  });
});

describe('a model that refuses every submit', () => {
  it.each([
    ['offline', 'model-offline', refused('http-503', 503, 'The model is offline')],
    ['busy', 'given-up', refused('http-503', 503, 'The model is at capacity')],
    ['busy', 'given-up', refused('http-429', 429, 'The model is overloaded')],
  ])('is closed as %s once its refusals in a row are too many', async (because, code, answer) => {
    const { context, submit, asked, notices } = stage(() => answer);
    let inARow = 0;
    Object.assign(context.scheduler, { refusalsInARow: () => ++inARow });
    inARow = because === 'offline' ? 2 : 7;
    const first = wanted('one');
    expect((await submitJob(context, first)).kind).toBe('again');
    expect(context.closedModels).toEqual(new Map());
    expect(await submit(first)).toEqual({ kind: 'gone' });
    expect(context.closedModels).toEqual(new Map([[MODEL, because]]));
    expect(await submit(wanted('two'))).toEqual({ kind: 'gone', unsent: true });
    expect(asked()).toBe(2);
    expect(notices(code)).toHaveLength(1);
    expect(first).toMatchObject({ postponed: undefined, attempt: { state: 'rejected' } });
    expect(context.stopReasons).toEqual(new Set(['unavailable']));
  });
});

describe('a model that the key may not use', () => {
  it('is closed after one refusal, while other models go on', async () => {
    const { context, submit, asked, notices } = stage(() => refused('http-403', 403, 'Not for this key'));
    for (const track of ['one', 'two']) expect(await submit(wanted(track))).toMatchObject({ kind: 'gone' });
    expect(asked()).toBe(1);
    expect(notices('model-refused')).toHaveLength(1);
    expect(context.buying).toBe(true);
    expect(context.stopReasons).toEqual(new Set(['authentication']));
  });

  it('rejects takes one by one if it is retired, as a refusal costs nothing', async () => {
    const { context, submit } = stage(() => refused('http-410', 410, 'This model has been retired'));
    const job = wanted('one');
    await submit(job);
    expect(job.attempt).toMatchObject({ state: 'rejected', reason: { status: 410 } });
    expect(context.ceiling.spentMicroUsd()).toBe(0);
    expect(context.buying).toBe(true);
  });
});

describe('a submit whose response names another model', () => {
  const queued = (model: string) => (count: number) =>
    ({ ok: true, value: { queueId: `job-${count}`, model }, rate: {} }) as const;

  it('is reported with both names, once for two jobs', async () => {
    const { submit, notices } = stage(queued('elevenlabs-music-v2'));
    for (const track of ['one', 'two']) {
      const job = wanted(track);
      expect(await submit(job)).toEqual({ kind: 'queued' });
      expect(job.attempt?.model).toBe('elevenlabs-music-v2');
    }
    const [notice, ...more] = notices('other-model');
    expect(more).toEqual([]);
    expect(notice).toMatchObject({ level: 'warning' });
    for (const name of [/\bone\b/, /elevenlabs-music,/, /elevenlabs-music-v2/])
      expect(notice).toMatchObject({ message: expect.stringMatching(name) });
  });

  it('is not reported if it names the requested model', async () => {
    const { submit, notices } = stage(queued(MODEL));
    await submit(wanted('one'));
    expect(notices('other-model')).toEqual([]);
  });
});

describe("a run lock that is no longer this run's", () => {
  it.each([
    ['taken', 'lock-taken'],
    ['gone', 'lock-deleted'],
  ] as const)('stops submits: %s', async (state, code) => {
    const { context, asked, submit, notices } = stage(() => refused('busy'), state);
    for (const track of ['one', 'two']) await submit(wanted(track));
    expect(asked()).toBe(0);
    expect(context.buying).toBe(false);
    expect(notices(code)).toHaveLength(1);
    expect(context.stopReasons).toContain('lock_lost');
  });
});

describe('a submit that is about to be sent when the service asks for a pause', () => {
  const PAUSE_MS = 60_000;

  it('is held back: its intent ends as rejected, and it is sent after the pause', async () => {
    const { context, asked, submit } = stage(() => refused('http-400', 400), 'ours', PAUSE_MS);
    const job = wanted('one');
    expect(await submitJob(context, job)).toEqual({ kind: 'again', notBeforeMs: PAUSE_MS, unsent: true });
    expect([asked(), context.ceiling.spentMicroUsd()]).toEqual([0, 0]);
    expect(job.attempt).toMatchObject({ state: 'rejected', reason: { code: 'not_sent' } });
    expect(job.postponed?.message).toBe('not sent yet: the service asked for a pause of 60 s');
    await submit(job);
    expect(asked()).toBe(1);
    expect(job.attempt).toMatchObject({ state: 'rejected', reason: { status: 400 } });
  });
});
