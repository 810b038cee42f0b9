import { expect, it } from 'vitest';
import type { RunEvent, TakeEvent } from '../../src/core/events.js';
import { SILENT_MS } from '../../src/core/run-silence.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createKeySignature } from '../../src/lockfile/key-signature.js';
import { execute, type RunInput } from '../../src/run/execute.js';
import { attempt } from '../lockfile/build.js';
import { makeTake } from '../plan/builders.js';
import { fakeClock, START_MS } from '../report/fakes.js';

it('a take that still waits after a refusal when the run is stopped is not reported as rejected', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const attempts = new Map<string, Attempt>();
  const states: Pick<TakeEvent, 'state' | 'status'>[] = [];
  const take = makeTake();
  const quote = { key: 'song', model: 'song', microUsd: 500_000, quotedAtMs: START_MS };
  const ended = execute({
    ports: { clock, random: { bytes: (count: number) => new Uint8Array(count).fill(attempts.size + 1) } },
    client: {
      queue: async () => ({
        ok: false,
        kind: 'refused',
        status: 429,
        sent: true,
        code: 'http-429',
        message: 'The model is overloaded',
        rate: {},
      }),
    },
    store: {
      attempts,
      newest: () => undefined,
      fault: () => undefined,
      confirm: async () => {},
      record: async (next: Attempt) => {
        attempts.set(next.attempt, next);
        return 'recorded' as const;
      },
    },
    checkLock: async () => 'ours',
    purchases: [{ take, request: take.request, quote, why: { kind: 'new' } }],
    takes: [take],
    known: new Set(),
    approvedMicroUsd: 500_000,
    keySignature: createKeySignature('0'.repeat(32), 'key'),
    settings: { command: (verb: string) => verb },
    stop: stop.signal,
    emit: (event: RunEvent) => {
      if (event.type === 'take')
        states.push({ state: event.state, ...(event.status !== undefined && { status: event.status }) });
    },
  } as unknown as RunInput);
  await clock.advance(15_000);
  expect(states.at(-1)).toEqual({ state: 'waiting', status: 429 });
  stop.abort();
  await clock.advance(1_000);
  const outcome = await ended;
  expect(states.at(-1)).toEqual({ state: 'waiting', status: 429 });
  expect(outcome).toMatchObject({ spentMicroUsd: 0, madeCount: 0, stopReasons: new Set(['interrupted']) });
});

it('a run that waits for what others bought says until when, and gives no estimate and no clean-up', async () => {
  const clock = fakeClock();
  const stop = new AbortController();
  const heardMs = START_MS - 60_000;
  const theirs = attempt({ state: 'queued', queue_id: 'q' });
  const events: RunEvent[] = [];
  const ended = execute({
    ports: { clock },
    store: {
      attempts: new Map([[theirs.attempt, theirs]]),
      newest: () => theirs,
      fault: () => undefined,
      confirm: async () => {},
      sharing: {
        holderOf: () => ({ kind: 'elsewhere', silent: false, heardMs }),
        unseen: () => [],
        runs: () => 1,
        refresh: async () => {},
      },
    },
    checkLock: async () => 'ours',
    purchases: [],
    takes: [],
    known: new Map(),
    approvedMicroUsd: 0,
    settings: { command: (verb: string) => verb },
    stop: stop.signal,
    emit: (event: RunEvent) => events.push(event),
  } as unknown as RunInput);
  await clock.advance(1_000);
  expect(events.findLast(({ type }) => type === 'progress')).toMatchObject({
    remaining_ms_low: null,
    remaining_ms_high: null,
    other_runs: {
      takes: 1,
      heard_at: new Date(heardMs).toISOString(),
      collects_at: new Date(heardMs + SILENT_MS).toISOString(),
    },
  });
  expect(events.filter(({ type }) => type === 'phase')).toEqual([]);
  stop.abort();
  await clock.advance(1_000);
  await ended;
});
