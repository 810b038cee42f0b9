import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/events.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import { execute, type RunInput, type RunOutcome } from '../../src/run/execute.js';
import { StoreFault } from '../../src/shared-log/object-store.js';
import type { CallFailure, CallResult, Retrieved } from '../../src/venice/client.js';
import { attempt, file as built, id } from '../lockfile/build.js';
import { fakeClock, START_MS } from '../report/fakes.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const RUN_MS_MAX = 30 * MINUTE_MS;

const audio = new Uint8Array(1_234);
const file = { ...built, sha256: createHash('sha256').update(audio).digest('hex') };
/** Every file is on disk as recorded. */
const output = {
  root: '/album',
  files: {
    facts: async () => ({ kind: 'file', bytes: audio.length }),
    open: async () => ({ write: async () => {}, sync: async () => {}, close: async () => {} }),
    syncDirectory: async () => {},
    stream: async function* () {
      yield audio;
    },
  },
};
const keySignature = createKeySignature('0'.repeat(32), 'key');

type Answer = CallResult<Retrieved>;
const refusedConnection: Answer = {
  ok: false,
  kind: 'no_answer',
  sent: false,
  code: 'ECONNREFUSED',
  message: 'connect ECONNREFUSED',
  rate: {},
};
const failing: Answer = {
  ok: false,
  kind: 'refused',
  status: 500,
  sent: true,
  code: 'http-500',
  message: 'no',
  rate: {},
};
const running: Answer = { ok: true, value: { kind: 'running' }, rate: {} };

function queued(track: string, fields: Partial<Attempt> = {}): Attempt {
  const at = { intent: new Date(START_MS).toISOString(), queued: new Date(START_MS).toISOString() };
  const job = { attempt: id(track), queue_id: track };
  return attempt({ ...job, track, state: 'queued', key: keySignature.of(job), at, ...fields });
}

interface Around {
  readonly clock: RunInput['ports']['clock'];
  retrieve(track: string): Promise<Answer>;
  models?(): Promise<unknown>;
  complete?(queueId: string): Promise<CallResult<boolean>>;
  readonly store: object;
  readonly audio?: object | undefined;
  emit(event: RunEvent): void;
}

/** A run that buys nothing. */
function collecting({ clock, retrieve, models, complete, store, audio, emit }: Around): RunInput {
  return {
    ports: { clock, random: { bytes: (count: number) => new Uint8Array(count) } },
    client: {
      retrieve: (_model: string, queueId: string) => retrieve(queueId),
      complete: (_model: string, queueId: string) => complete?.(queueId),
      models,
    },
    store: { fault: () => undefined, ...store },
    audio,
    purchases: [],
    takes: [],
    approvedMicroUsd: 0,
    keySignature,
    output,
    settings: { command: (verb: string) => verb },
    stop: new AbortController().signal,
    emit,
  } as unknown as RunInput;
}

/** Collects three jobs. `answer` gets the milliseconds since the start. */
async function collect(
  answer: (atMs: number, track: string) => Answer,
  reachable = true,
  jobs = ['one', 'two', 'three'].map((track) => queued(track)),
  audioStore?: object,
) {
  const clock = fakeClock();
  const completed: string[] = [];
  const attempts = new Map(jobs.map((job) => [job.attempt, job]));
  const events: RunEvent[] = [];
  const input = collecting({
    clock,
    audio: audioStore,
    complete: async (queueId) => {
      completed.push(queueId);
      return { ok: true, value: true, rate: {} };
    },
    retrieve: async (track) => answer(clock.nowMs() - START_MS, track),
    models: async () => (reachable ? { ok: true, value: new Map(), rate: {} } : refusedConnection),
    store: {
      attempts,
      newest: (key: string) => attempts.get(key),
      fault: () => undefined,
      record: async (next: Attempt) => {
        attempts.set(next.attempt, next);
        return 'recorded' as const;
      },
    },
    emit: (event: RunEvent) => events.push(event),
  });
  let outcome: RunOutcome | undefined;
  const ended = execute(input).then((result) => {
    outcome = result;
  });
  while (outcome === undefined && clock.nowMs() - START_MS < RUN_MS_MAX) await clock.advance(SECOND_MS);
  const tookMs = clock.nowMs() - START_MS;
  await ended;
  const state = (track: string) => attempts.get(id(track));
  return { tookMs, events, state, completed, stopReasons: [...outcome!.stopReasons] };
}

function codes(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'notice' ? [event.code] : []));
}

describe('an unreachable service', () => {
  it('is given up on after two to three minutes, with one message', async () => {
    const { tookMs, events, stopReasons } = await collect(() => refusedConnection);
    expect(tookMs).toBeGreaterThanOrEqual(2 * MINUTE_MS);
    expect(tookMs).toBeLessThanOrEqual(3 * MINUTE_MS + 10 * SECOND_MS);
    expect(stopReasons).toEqual(['unavailable']);
    expect(codes(events).filter((code) => code === 'no-answer')).toHaveLength(1);
    expect(codes(events)).not.toContain('given-up');
  });

  it('gets the full time again after each response', async () => {
    const goneMs = 5 * MINUTE_MS;
    const { tookMs } = await collect((atMs) => (atMs < goneMs ? running : refusedConnection));
    expect(tookMs).toBeGreaterThanOrEqual(goneMs + 2 * MINUTE_MS);
    expect(tookMs).toBeLessThanOrEqual(goneMs + 4 * MINUTE_MS);
  });

  it('differs from one that answers with errors, which gets its own time', async () => {
    const { tookMs, events, state } = await collect(() => failing, false);
    expect(tookMs).toBeGreaterThan(4 * MINUTE_MS);
    expect(codes(events)).not.toContain('no-answer');
    expect(state('one')).toMatchObject({ state: 'queued' });
  });
});

function refusedWith(status: number, message: string): CallFailure {
  return { ok: false, kind: 'refused', status, sent: true, code: `http-${status}`, message, rate: {} };
}

describe('a job whose retrieve fails', () => {
  const others = (answer: Answer) => (atMs: number, track: string) =>
    track === 'one' ? answer : atMs < 5 * MINUTE_MS ? running : failing;

  it.each([400, 422])('has failed at once with %i, refunded as documented', async (status) => {
    const { state, events } = await collect(others(refusedWith(status, 'The provider refused this')));
    expect(state('one')).toMatchObject({
      state: 'failed',
      reason: { code: `http-${status}`, status },
      refunded: true,
      refund_ground: 'documented',
    });
    const asked = events.filter((event) => event.type === 'take' && event.track === 'one');
    expect(asked.at(-1)).toMatchObject({ state: 'failed', money: 'refunded (as documented)' });
  });

  it('stays charged if it was submitted on an earlier day of the service, whatever day it is here', async () => {
    const dateUnixSeconds = Date.parse(new Date(START_MS).toISOString().slice(0, 10)) / 1_000;
    const refused = { ...refusedWith(400, 'The provider refused this'), rate: { dateUnixSeconds } };
    const { state } = await collect(() => refused);
    expect(state('one')).toMatchObject({ state: 'failed' });
    expect(state('one')).not.toHaveProperty('refund_ground');
  });

  it.each([500, 503])(
    'has failed with %i only after repeats past the time that an unknown model may take',
    async (status) => {
      const { state } = await collect(others(refusedWith(status, 'Inference processing failed')));
      expect(state('one')).toMatchObject({ state: 'failed', refunded: true, reason: { status } });
      const settledMs = Date.parse(state('one')!.at.failed!) - START_MS;
      expect(settledMs).toBeGreaterThanOrEqual(3 * MINUTE_MS);
      expect(settledMs).toBeLessThanOrEqual(4 * MINUTE_MS);
    },
  );

  it('has not failed with 500 before its expected time', async () => {
    const slow: Answer = {
      ok: true,
      value: { kind: 'running', averageExecutionMs: 8 * MINUTE_MS },
      rate: {},
    };
    const { state } = await collect((atMs) => (atMs < 2 * MINUTE_MS ? slow : failing));
    expect(Date.parse(state('one')!.at.failed!) - START_MS).toBeGreaterThanOrEqual(8 * MINUTE_MS);
  });

  it('has failed with 500 although it was queued while the clock was ahead', async () => {
    const queuedAt = new Date(START_MS + 20 * 24 * 60 * MINUTE_MS).toISOString();
    const ahead = queued('one', { at: { intent: queuedAt, queued: queuedAt } });
    const { state } = await collect(others(failing), true, [ahead, queued('two')]);
    expect(state('one')).toMatchObject({ state: 'failed' });
  });

  it('is lost after three responses of 400 for an unknown id, within 90 s', async () => {
    const { state } = await collect(others(refusedWith(400, 'Request ID is invalid.')));
    expect(state('one')).toMatchObject({ state: 'lost', reason: { code: 'not_found', status: 400 } });
    const [lostMs, firstMs] = [Date.parse(state('one')!.at.lost!), START_MS];
    expect(lostMs - firstMs).toBeGreaterThanOrEqual(35 * SECOND_MS);
    expect(lostMs - firstMs).toBeLessThanOrEqual(90 * SECOND_MS);
  });

  const plain = (status: number, message: string): CallFailure => ({
    ...refusedWith(status, message),
    plain: true,
  });

  it.each([400, 404])(
    'is lost after three responses of %i in plain words that do not say why, and stays charged',
    async (status) => {
      const { state, events } = await collect(others(plain(status, 'Bad Request')));
      expect(state('one')).toMatchObject({ state: 'lost', reason: { code: 'not_found', status } });
      expect(state('one')).not.toHaveProperty('refunded');
      const lostMs = Date.parse(state('one')!.at.lost!) - START_MS;
      expect(lostMs).toBeGreaterThanOrEqual(35 * SECOND_MS);
      expect(lostMs).toBeLessThanOrEqual(90 * SECOND_MS);
      const last = events.findLast((event) => event.type === 'take' && event.track === 'one');
      expect(last).toMatchObject({ state: 'lost', message: 'Bad Request' });
    },
  );

  it.each([400, 404])('is not lost by %i in plain words while the models are not served', async (status) => {
    const { state, stopReasons } = await collect(() => plain(status, 'Bad Request'), false);
    expect([state('one')?.state, stopReasons]).toEqual(['queued', ['unavailable']]);
  });

  it('has failed at once if plain words say so', async () => {
    const { state } = await collect(others(plain(400, 'The provider refused this request')));
    expect(state('one')).toMatchObject({ state: 'failed', refunded: true, refund_ground: 'documented' });
  });

  it('is left for the next run after 503 in plain words: the gateway cannot reach the service', async () => {
    const { state } = await collect(() => plain(503, 'no healthy upstream'), true, [queued('one')]);
    expect(state('one')?.state).toBe('queued');
  });

  it('has a hint how to give it up if each request for it is refused as faulty', async () => {
    const faulty: Answer = { ...refusedWith(400, 'Invalid request parameters'), invalid: true };
    const { state, events } = await collect(() => faulty, true, [queued('one')]);
    expect(state('one')?.state).toBe('queued');
    const given = events.find((event) => event.type === 'notice' && event.code === 'given-up');
    expect(given).toMatchObject({ hint: expect.stringContaining('to give it up: resolve') });
  });

  it('is left for the next run if 403 closes its model, while other jobs go on', async () => {
    const { state, events, stopReasons } = await collect(() => refusedWith(403, 'Forbidden'));
    expect(state('one')).toMatchObject({ state: 'queued' });
    expect(codes(events).filter((code) => code === 'model-refused')).toHaveLength(1);
    expect(stopReasons).toEqual(['authentication']);
  });
});

describe('a refusal that every request would get', () => {
  it.each([
    [401, 'authentication', 'authentication'],
    [402, 'balance', 'balance-spent'],
  ] as const)(
    'with %i stops the run at once, is reported once and loses no job',
    async (status, reason, code) => {
      const { tookMs, events, state, stopReasons } = await collect(() => refusedWith(status, 'Not now'));
      expect(tookMs).toBeLessThan(10 * SECOND_MS);
      expect(stopReasons).toEqual([reason]);
      expect(codes(events)).toEqual([code]);
      for (const track of ['one', 'two', 'three']) expect(state(track)).toMatchObject({ state: 'queued' });
    },
  );
});

describe('a refusal that says nothing about the job', () => {
  it.each([
    [400, 'Specified model is not available', 5],
    [404, 'The model was retired', 5],
    [405, 'Method not allowed', 5],
    [410, 'This model has been retired', 5],
    [408, 'Request timeout', 13],
    [502, 'Bad gateway', 13],
  ])(
    'with %i (%s) is tried %i times, then the job is left for the next run',
    async (status, message, tries) => {
      let asked = 0;
      const answer = () => {
        asked += 1;
        return refusedWith(status, message);
      };
      const { events, state, stopReasons } = await collect(answer, true, [queued('one')]);
      expect(asked).toBe(tries);
      expect([state('one')?.state, stopReasons]).toEqual(['queued', ['unavailable']]);
      const given = events.find((event) => event.type === 'notice' && event.code === 'given-up');
      expect(given).toMatchObject({ message: expect.stringContaining(`after ${tries} tries`) });
    },
  );
});

describe('a job that never finishes', () => {
  const HOUR_MS = 60 * MINUTE_MS;

  /** @param sleepMs How long the machine is suspended after the first minute: the clock jumps by it. */
  async function watch(answer: (atMs: number) => Answer, sleepMs = 0) {
    const awake = fakeClock();
    let sleptMs = 0;
    const clock = { nowMs: () => awake.nowMs() + sleptMs, sleep: awake.sleep };
    const attempts = new Map([[id('one'), queued('one')]]);
    const events: RunEvent[] = [];
    let over = false;
    const ended = execute(
      collecting({
        clock,
        retrieve: async () => answer(clock.nowMs() - START_MS),
        store: {
          attempts,
          newest: (key: string) => attempts.get(key),
          record: async () => 'recorded' as const,
        },
        emit: (event: RunEvent) => events.push(event),
      }),
    ).then(() => {
      over = true;
    });
    for (let minute = 0; minute < 500 && !over; minute += 1) {
      await awake.advance(MINUTE_MS);
      if (minute === 0) sleptMs = sleepMs;
    }
    await ended;
    return { codes: codes(events), endedMs: clock.nowMs() - START_MS };
  }

  const failed: Answer = { ok: true, value: { kind: 'failed', code: 'NO', message: 'no' }, rate: {} };

  it('is left for the next run after six hours of running', async () => {
    const reported = await watch(() => running);
    expect(reported.codes).toEqual(['still-running']);
    expect(reported.endedMs).toBeGreaterThan(6 * HOUR_MS);
  });

  it('is polled again after the machine was suspended, however long', async () => {
    const endMs = 9 * HOUR_MS + 10 * MINUTE_MS;
    const reported = await watch((atMs) => (atMs < endMs ? running : failed), 9 * HOUR_MS);
    expect(reported.codes).toEqual([]);
    expect(reported.endedMs).toBeGreaterThanOrEqual(endMs);
  });
});

describe('a job whose file was moved meanwhile to make way for another', () => {
  it('continues from the record of the move', async () => {
    const clock = fakeClock();
    const known = queued('one');
    const moved: Attempt = { ...known, rev: 7, file: { ...file, path: 'aside.mp3' } };
    const recorded: Attempt[] = [];
    const failed: Answer = {
      ok: true,
      value: { kind: 'failed', code: 'GENERATION_FAILED', message: 'no', creditsRefunded: true },
      rate: {},
    };
    const attempts = new Map([[known.attempt, known]]);
    const record = async (next: Attempt) => void recorded.push(next);
    const store = { attempts, newest: () => moved, record };
    const ended = execute(collecting({ clock, retrieve: async () => failed, store, emit: () => {} }));
    await clock.advance(MINUTE_MS);
    await ended;
    expect(recorded).toEqual([expect.objectContaining({ rev: 8, state: 'failed', file: moved.file })]);
  });
});

describe('a job that another run collected meanwhile in a shared log', () => {
  const unknownId: Answer = { ...failing, status: 404, code: 'http-404', message: 'Not found' };
  const failed: Answer = {
    ok: true,
    value: { kind: 'failed', code: 'GENERATION_FAILED', message: 'no', creditsRefunded: false },
    rate: {},
  };

  it.each<[string, Answer, Attempt['state']]>([
    ['gone', unknownId, 'done'],
    ['gone', unknownId, 'stored'],
    ['failed', failed, 'done'],
  ])('keeps the record of that run if it is now %s', async (_, answer, state) => {
    const clock = fakeClock();
    const known = queued('one');
    const attempts = new Map([[known.attempt, known]]);
    let newest = known;
    const recorded: Attempt[] = [];
    const events: RunEvent[] = [];
    const retrieve = async () => {
      newest = { ...known, rev: 4, state, file };
      return answer;
    };
    const record = async (next: Attempt) => void recorded.push(next);
    const store = { attempts, newest: () => newest, record };
    const input = collecting({ clock, retrieve, store, emit: (event) => events.push(event) });
    const ended = execute(input);
    for (let seconds = 0; seconds < 120; seconds += 1) await clock.advance(SECOND_MS);
    await ended;
    expect(recorded).toEqual([]);
    const reported = events.flatMap((event) => (event.type === 'take' ? [event.state] : []));
    expect(reported).not.toContain('lost');
    expect(reported).not.toContain('failed');
  });
});

describe('a job whose file was stored before, and that is fetched again', () => {
  const unknownId: Answer = { ...failing, status: 404, code: 'http-404', message: 'Not found' };

  it.each<[string, () => Promise<boolean>, Attempt['state']]>([
    ['is done if another machine has uploaded the file', async () => true, 'done'],
    ['is lost if nobody has the file', async () => false, 'lost'],
    [
      'is left for the next run while the audio store cannot be asked',
      () => Promise.reject(new StoreFault('unreachable', 'no answer')),
      'queued',
    ],
  ])('%s', async (_, holds, state) => {
    const jobs = [queued('one', { file })];
    const result = await collect(() => unknownId, true, jobs, { holds });
    expect(result.state('one')).toMatchObject({ state, file });
  });
});

describe('a job in flight from an earlier run', () => {
  it('is reported at once, with its age', async () => {
    const { events } = await collect(() => refusedConnection);
    const reported = events.flatMap((event) => (event.type === 'take' ? [event] : []));
    expect(reported.map(({ track, state, queued_at }) => [track, state, queued_at])).toEqual(
      ['one', 'two', 'three'].map((track) => [track, 'queued', new Date(START_MS).toISOString()]),
    );
  });
});

describe('a forged line in the lockfile', () => {
  it.each<[string, Attempt['at']]>([
    ['without a time', {}],
    ['that was queued in the year 9999', { queued: '9999-12-31T23:59:59Z' }],
    ['that was queued in the year 0000', { intent: '0000-01-01T00:00:00Z' }],
    ['that was queued on an impossible date', { queued: '2026-02-31T00:00:00Z' }],
  ])('%s is still polled for, and the run ends', async (_, at) => {
    const asked: string[] = [];
    const { tookMs } = await collect(
      (_atMs, track) => {
        asked.push(track);
        return refusedWith(422, 'Content policy');
      },
      true,
      [queued('one', { at })],
    );
    expect(asked).toEqual(['one']);
    expect(tookMs).toBeLessThan(10 * MINUTE_MS);
  });

  const stored = (fields: Partial<Attempt> = {}): Attempt => {
    const made = queued('one', { state: 'stored', file, ...fields });
    return { ...made, key: keySignature.of(made), ...fields };
  };

  it.each<[string, Partial<Attempt>]>([
    [
      'with the signature of another line',
      { key: keySignature.of({ attempt: id('two'), queue_id: 'one', file }) },
    ],
    [
      'with its own signature and another job',
      { key: keySignature.of({ attempt: id('one'), queue_id: 'two', file }) },
    ],
    ['that claims an existing file', { key: keySignature.of({ attempt: id('one'), queue_id: 'one' }) }],
    ['with the signature of another key', { key: createKeySignature('0'.repeat(32), 'other').of(stored()) }],
    [
      'with the signature of another lockfile',
      { key: createKeySignature('1'.repeat(32), 'key').of(stored()) },
    ],
    ['with the signature that release 0.1 put on every line', { key: markOfVersion1() }],
  ])('%s never gets its remote copy deleted', async (_, fields) => {
    const { completed, events, state } = await collect(() => failing, true, [stored(fields)]);
    expect(completed).toEqual([]);
    expect(codes(events)).toEqual(['remote-copy-left']);
    expect(state('one')).toMatchObject({ state: 'done' });
  });

  it('differs from a genuine one, whose remote copy is deleted', async () => {
    const { completed, state } = await collect(() => failing, true, [stored()]);
    expect(completed).toEqual(['one']);
    expect(state('one')).toMatchObject({ state: 'done' });
  });
});

function markOfVersion1(): string {
  return createHash('sha256')
    .update(`${'0'.repeat(32)}\0key`)
    .digest('hex')
    .slice(0, 16);
}
