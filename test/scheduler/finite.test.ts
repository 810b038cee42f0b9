import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import type { Settled } from '../../src/scheduler/scheduler.js';
import { readRetrieved } from '../../src/venice/wire.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const EDGES = [
  1e-10,
  1e-300,
  5e-324,
  0,
  -0,
  -1,
  0.5,
  1,
  10,
  249,
  250,
  1e6,
  DAY_MS,
  1e15,
  1e300,
  Number.MAX_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];
const numbers = fc.oneof(fc.constantFrom(...EDGES), fc.double());

interface World {
  readonly answers: readonly Settled[];
  readonly history: readonly { model: string; runMs: number }[];
  readonly queuedAtMs: readonly number[];
}

const answer: fc.Arbitrary<Settled> = fc.oneof(
  fc.record({ kind: fc.constant('running' as const), averageExecutionMs: numbers, executionMs: numbers }),
  fc.record({ kind: fc.constant('again' as const), notBeforeMs: numbers }),
);
const worlds: fc.Arbitrary<World> = fc.record({
  answers: fc.array(answer, { maxLength: 30 }),
  history: fc.array(fc.record({ model: fc.constant('m'), runMs: numbers }), { maxLength: 5 }),
  queuedAtMs: fc.array(numbers, { minLength: 1, maxLength: 5 }),
});

/** Polls until all jobs are stored. @returns the longest wait the scheduler asked for, ms */
function longestWaitMs({ answers, history, queuedAtMs }: World): number {
  const scheduler = createScheduler({ history, keep: true });
  let nowMs = 1e12;
  for (const [job, bornMs] of queuedAtMs.entries())
    scheduler.addInFlight(String(job), { model: 'm' }, bornMs, nowMs);
  let longestMs = 0;
  for (let asked = 0; ; ) {
    const action = scheduler.next(nowMs);
    if (action.kind === 'finished') return longestMs;
    if (action.kind === 'wait') {
      longestMs = Math.max(longestMs, action.untilMs - nowMs);
      if (!Number.isFinite(action.untilMs)) return Number.POSITIVE_INFINITY;
      nowMs = Math.max(nowMs + 1, action.untilMs);
      continue;
    }
    scheduler.answered('m', { status: 200, rate: {}, job: action.job }, nowMs);
    scheduler.settled(action.job, answers[asked] ?? { kind: 'stored', clean: true, readyAtMs: nowMs }, nowMs);
    scheduler.estimate(nowMs).expectedRunMs(action.job);
    asked += 1;
  }
}

describe('numbers from outside', () => {
  it('leave each job in flight with a finite time of its next poll', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        expect(longestWaitMs(world)).toBeLessThanOrEqual(HOUR_MS);
      }),
      { numRuns: 300 },
    );
  });

  it.each(EDGES)('delay no job by more than ten minutes: an average of %d ms', (averageExecutionMs) => {
    const reported: Settled = { kind: 'running', averageExecutionMs };
    const world = { answers: [reported, reported, reported], history: [], queuedAtMs: [1e12, 1e12, 1e12] };
    expect(longestWaitMs(world)).toBeLessThanOrEqual(10 * 60_000);
  });

  it.each(['1e-10', '0', '-1', '1e300', '1e999', '"20000"'])('are ignored if implausible: %s', (number) => {
    const body = `{"status":"PROCESSING","average_execution_time":${number},"execution_duration":-1}`;
    expect(readRetrieved(JSON.parse(body))).toEqual({ kind: 'running' });
  });
});
