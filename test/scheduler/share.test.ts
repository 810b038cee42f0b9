import { describe, expect, it } from 'vitest';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { createRouteBudget } from '../../src/scheduler/route-budget.js';
import { playJobs } from '../bench/virtual/jobs.js';
import { type Scene, simulate } from '../bench/virtual/world.js';

/** Sends and answers as many requests as the budget allows within a minute of `fromMs`. */
function sentInAMinute(budget: ReturnType<typeof createRouteBudget>, fromMs: number): number {
  let sent = 0;
  for (let nowMs = fromMs; nowMs < fromMs + 60_000; nowMs += 50)
    if (budget.available(nowMs) >= 1) {
      budget.answered(budget.sent(nowMs), 'counted', nowMs + 10);
      sent += 1;
    }
  return sent;
}

describe('a request limit shared by runs', () => {
  it('is divided evenly', () => {
    const budget = createRouteBudget(40);
    budget.shareWith(4);
    expect(sentInAMinute(budget, 0)).toBe(10);
    budget.shareWith(1);
    expect(sentInAMinute(budget, 120_000)).toBe(40);
  });

  it('counts what others sent against the whole, not against this run', () => {
    const budget = createRouteBudget(40);
    budget.shareWith(4);
    budget.remember(Array.from({ length: 30 }, (_, at) => 1_000 - at));
    expect(sentInAMinute(budget, 1_000)).toBe(10);
    const full = createRouteBudget(40);
    full.remember(new Array<number>(36).fill(1_000));
    expect(sentInAMinute(full, 1_000)).toBe(4);
  });

  it('is not used up by a submit that was never sent', () => {
    const budget = createRouteBudget(40);
    for (let at = 0; at < 100; at += 1) budget.answered(budget.sent(at), 'unsent', at);
    expect(sentInAMinute(budget, 1_000)).toBe(40);
  });

  it("is learned as a whole from one run's part", () => {
    const budget = createRouteBudget(40);
    budget.shareWith(4);
    for (let at = 0; at < 5; at += 1) budget.answered(budget.sent(at * 300), 'counted', at * 300 + 10);
    budget.answered(budget.sent(2_000), 'refused', 2_010);
    expect([budget.limit(), budget.perMinute()]).toEqual([20, 5]);
  });
});

it('a take that another run claimed is left alone, unless its submit is in flight', () => {
  const scheduler = createScheduler({});
  for (const id of ['a', 'b']) scheduler.addTake(id, { model: 'music' });
  expect(scheduler.next(0)).toEqual({ kind: 'submit', job: 'a' });
  expect(scheduler.leave('a')).toBe(false);
  expect(scheduler.leave('b')).toBe(true);
  expect(scheduler.leave('b')).toBe(false);
  scheduler.settled('a', { kind: 'gone', unsent: true }, 10);
  expect(scheduler.next(20)).toEqual({ kind: 'finished' });
});

it.each(['sliding', 'window'] as const)(
  'four jobs end nearly as early as one, and get at most one 429 each: %s minute',
  (shape) => {
    const scene: Scene = {
      tracks: 200,
      law: 'ln20',
      p80Factor: 1,
      limit: { kind: 'routes', routes: { submit: 40, poll: 120, shape } },
      seed: 1,
    };
    let refusals: readonly number[] = [];
    const play = (jobs: number) =>
      simulate(scene, (world) => {
        refusals = playJobs(createScheduler, world, scene, jobs);
      });
    const [one, four] = [play(1), play(4)];
    expect([one.unfinished, four.unfinished]).toEqual([0, 0]);
    expect(four.makespanMs / one.makespanMs).toBeLessThan(1.15);
    expect(Math.max(...refusals)).toBeLessThanOrEqual(1);
  },
);

describe('a limit learned from a 429', () => {
  const MINUTE_MS = 60_100;

  /** For `minutes`, sends all that may be sent to a service that allows `most` a minute. @returns its 429s */
  function fill(budget: ReturnType<typeof createRouteBudget>, fromMs: number, minutes: number, most: number) {
    let refusals = 0;
    let nowMs = fromMs;
    for (let minute = 0; minute < minutes; minute += 1) {
      for (let sent = 1; budget.available(nowMs) >= 1; sent += 1) {
        const isRefused = sent > most;
        budget.answered(budget.sent(nowMs), isRefused ? 'refused' : 'counted', nowMs + 10);
        refusals += isRefused ? 1 : 0;
        nowMs += 300;
      }
      nowMs = Math.max(nowMs, budget.opensAtMs(nowMs));
    }
    return { refusals, nowMs };
  }

  it('is raised after ten minutes, or kept for an hour if that gets another 429', () => {
    const budget = createRouteBudget(40);
    expect(fill(budget, 0, 9, 20)).toMatchObject({ refusals: 1 });
    expect(budget.limit()).toBe(20);
    expect(fill(budget, 10 * MINUTE_MS, 50, 20)).toMatchObject({ refusals: 1 });
    expect(budget.limit()).toBe(20);
  });

  it('rises to the documented limit if no 429 comes', () => {
    const budget = createRouteBudget(40);
    const { nowMs } = fill(budget, 0, 9, 20);
    expect(budget.limit()).toBe(20);
    expect(fill(budget, nowMs + 3 * MINUTE_MS, 6, 40)).toMatchObject({ refusals: 0 });
    expect(budget.limit()).toBe(40);
  });

  it('is not raised while it holds nothing up', () => {
    const budget = createRouteBudget(40);
    fill(budget, 0, 2, 20);
    for (let minute = 15; minute < 30; minute += 1) {
      const nowMs = minute * MINUTE_MS;
      budget.answered(budget.sent(nowMs), 'counted', nowMs + 10);
    }
    expect(budget.limit()).toBe(20);
  });
});
