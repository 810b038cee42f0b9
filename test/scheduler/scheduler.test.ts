import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { drive, driveJobs } from '../bench/virtual/scheduled.js';
import { EPOCH_MS, type LimitRule } from '../bench/virtual/service.js';
import { simulate, type World } from '../bench/virtual/world.js';
import { type ModelScene, play, type Scene } from './schedule-world.js';

const PER_60: LimitRule = { kind: 'window', perMinute: 60 };

function model(more: Partial<ModelScene> = {}): ModelScene {
  return { tracks: 20, limit: PER_60, runMs: [10_000, 30_000], p80Ms: 26_000, ...more };
}

const limits: fc.Arbitrary<LimitRule> = fc.oneof(
  fc.record({
    kind: fc.constant('window' as const),
    perMinute: fc.constantFrom(10, 60, 120),
    rounding: fc.constantFrom('none' as const, 'up' as const),
  }),
  fc.record({ kind: fc.constant('bucket' as const), perMinute: fc.constantFrom(30, 60) }),
  fc.constant({ kind: 'window' as const }),
);

const models: fc.Arbitrary<ModelScene> = fc
  .record({
    tracks: fc.integer({ min: 0, max: 25 }),
    limit: limits,
    fastestMs: fc.integer({ min: 200, max: 60_000 }),
    spread: fc.double({ min: 1, max: 4, noNaN: true }),
    p80Factor: fc.option(fc.double({ min: 0.3, max: 3, noNaN: true })),
    durationSeconds: fc.option(fc.constantFrom([30], [15, 30, 60], [10, 200])),
  })
  .map(({ tracks, limit, fastestMs, spread, p80Factor, durationSeconds }) => ({
    tracks,
    limit,
    runMs: [fastestMs, fastestMs * spread] as const,
    ...(p80Factor === null ? {} : { p80Ms: fastestMs * spread * p80Factor }),
    ...(durationSeconds === null ? {} : { durationSeconds }),
  }));

const scenes: fc.Arbitrary<Scene> = fc
  .record({
    seed: fc.integer({ min: 1, max: 1e9 }),
    models: fc.array(models, { minLength: 1, maxLength: 3 }),
    concurrency: fc.option(fc.integer({ min: 1, max: 20 })),
    resumed: fc.integer({ min: 0, max: 10 }),
    pending: fc.integer({ min: 0, max: 40 }),
    again: fc.option(fc.record({ share: fc.double({ min: 0, max: 0.3, noNaN: true }) })),
    gone: fc.double({ min: 0, max: 0.1, noNaN: true }),
    latencyMs: fc.constantFrom([35, 55] as const, [5, 900] as const),
    submitMs: fc.constantFrom(0, 0, 3_000, 110_000),
    downloadMs: fc.constantFrom(0, 300, 60_000),
    namesJobs: fc.boolean(),
  })
  .map(({ concurrency, again, ...rest }) => ({
    ...rest,
    options: concurrency === null ? {} : { concurrency },
    ...(again === null ? {} : { again }),
  }));

describe('a whole run, whatever the service does', () => {
  it('ends with every job ended, never sends two requests for one job at once or too early, and keeps its limits', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const report = play(scene);
        expect(report.breaches).toEqual([]);
        expect(report.pollGapMinMs).toBeGreaterThanOrEqual(2_000);
        expect(report.activeRequestsMax).toBeLessThanOrEqual(16);
        expect(report.failuresIn30sMax).toBeLessThanOrEqual(20);
        expect(report.blocks).toBe(0);
        const concurrency = scene.options?.concurrency;
        if (concurrency !== undefined) {
          expect(report.inFlightMax).toBeLessThanOrEqual(Math.max(concurrency, scene.resumed ?? 0));
        }
        // Everything that was stored, and every clean-up that was due, is cleaned up.
        expect(report.completed).toBe(report.stored + (scene.toCleanUp ?? 0));
        if (scene.gone === 0) {
          const tracks = scene.models.reduce((sum, { tracks }) => sum + tracks, 0);
          expect(report.stored).toBe(tracks + (scene.resumed ?? 0));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('gets no 429 from a service whose only refusals are its limits', () => {
    fc.assert(
      fc.property(scenes, ({ again: _, ...scene }) => {
        const quiet = { ...scene, gone: 0, latencyMs: [35, 55] as const, submitMs: 0, namesJobs: true };
        expect(play(quiet).refusals).toEqual(scene.models.map(() => 0));
      }),
      { numRuns: 40 },
    );
  });

  it('is repeatable', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        expect(play(scene).trace).toEqual(play(scene).trace);
      }),
      { numRuns: 10 },
    );
  });
});

describe('limits set by the user', () => {
  it.each([1, 3, 8])('%i jobs in flight are reached and never exceeded', (concurrency) => {
    const report = play({ seed: 7, models: [model()], options: { concurrency } });
    expect(report.inFlightMax).toBe(concurrency);
  });

  it('share the places in flight between models', () => {
    const report = play({
      seed: 7,
      models: [model(), model({ runMs: [40_000, 50_000] })],
      options: { concurrency: 4 },
    });
    expect(report.inFlightMax).toBe(4);
    expect(report.stored).toBe(40);
  });

  it('keep to the largest number of requests in flight', () => {
    const report = play({
      seed: 3,
      models: [model({ tracks: 60, limit: { kind: 'window' } })],
      options: { requestsMax: 5 },
      downloadMs: 5_000,
    });
    expect(report.activeRequestsMax).toBeLessThanOrEqual(5);
    expect(report.stored).toBe(60);
  });

  it('send no clean-up if remote copies are to stay', () => {
    const report = play({ seed: 3, models: [model()], options: { keep: true }, toCleanUp: 5 });
    expect(report.stored).toBe(20);
    expect(report.completed).toBe(0);
  });
});

describe('submitting', () => {
  it('stops at once when asked to, while queued jobs are collected', () => {
    const report = play({ seed: 5, models: [model({ tracks: 200 })], stopAtMs: 100_000 });
    expect(report.submitsAfterStop).toBe(0);
    expect(report.stored).toBeGreaterThan(0);
    expect(report.stored).toBeLessThan(200);
    expect(report.completed).toBe(report.stored);
    expect(report.breaches).toEqual([]);
  });

  it('is done one at a time when asked to', () => {
    const scene: Scene = { seed: 5, models: [model({ tracks: 40 })], submitMs: 2_000 };
    expect(play(scene).submitsAtOnceMax).toBeGreaterThan(1);
    const single = play({ ...scene, singlyAtMs: 0 });
    expect(single.submitsAtOnceSinglyMax).toBe(1);
    expect(single.stored).toBe(40);
  });

  it('that is slow does not keep finished jobs from being fetched', () => {
    const report = play({
      seed: 5,
      models: [model({ tracks: 80, limit: { kind: 'window' } })],
      submitMs: 100_000,
    });
    expect(report.submitsAtOnceMax).toBe(4);
    expect(report.stored).toBe(80);
  });
});

describe('several models', () => {
  it('run side by side, each within its own limit', () => {
    // When a window begins is random, and the last of three ends later than one would; hence several seeds.
    const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
    const one = model({ tracks: 60 });
    const sumOfEnds = (models: readonly ModelScene[]): number =>
      seeds.reduce((sum, seed) => sum + play({ seed, models }).endMs, 0);
    expect(sumOfEnds([one, one, one])).toBeLessThan(1.25 * sumOfEnds([one]));
  });

  it('do not wait for one whose downloads take forever', () => {
    const slow = model({ tracks: 40, limit: { kind: 'window' }, runMs: [100, 200] });
    const quick = model({ tracks: 5 });
    const report = play({ seed: 9, models: [slow, quick], downloadMs: 60_000 });
    const [slowEndMs, quickEndMs] = report.endMsByModel;
    expect(quickEndMs).toBeLessThan(slowEndMs!);
  });

  it('are not held up by one that is overloaded', () => {
    const scheduler = createScheduler({});
    for (const job of ['a', 'b']) scheduler.addTake(job, { model: job });
    scheduler.addTake('another b', { model: 'b' });
    // The first response may show that each model has its own limit.
    expect([scheduler.next(0), scheduler.next(0), scheduler.next(250)]).toEqual([
      { kind: 'submit', job: 'b' },
      { kind: 'wait', untilMs: 250 },
      { kind: 'submit', job: 'a' },
    ]);
    const overloaded = { status: 429, rate: { retryAfterSeconds: 30 }, overloaded: true };
    scheduler.answered('a', { ...overloaded, job: 'a' }, 300);
    scheduler.settled('a', { kind: 'again', notBeforeMs: 300 }, 300);
    scheduler.answered('b', { status: 200, rate: {}, job: 'b' }, 300);
    scheduler.settled('b', { kind: 'queued' }, 300);
    expect(scheduler.next(300)).toEqual({ kind: 'submit', job: 'another b' });
    const sent: string[] = [];
    for (let nowMs = 300; nowMs < 30_300; nowMs += 100) {
      const action = scheduler.next(nowMs);
      if (!('job' in action)) continue;
      sent.push(action.job);
      scheduler.settled(action.job, { kind: 'running' }, nowMs);
    }
    expect(sent).not.toContain('a');
    expect(scheduler.next(30_300)).toEqual({ kind: 'submit', job: 'a' });
  });
});

/** The world as one process sees it, counting its 429s. */
function counting(world: World, refusals: number[], place: number): World {
  return {
    ...world,
    send: (kind, job, then) =>
      world.send(kind, job, (answer) => {
        if (answer.kind === 'refused') refusals[place]! += 1;
        then(answer);
      }),
  };
}

describe("today's limits: 40 submits and 120 polls a minute, without headers", () => {
  const routes = { submit: 40, poll: 120 };
  const scene = { law: 'ln20', p80Factor: 1 } as const;

  it.each(['window', 'sliding'] as const)(
    'let 80 tracks end near the optimum, without a 429 (%s)',
    (shape) => {
      for (let seed = 1; seed <= 8; seed += 1) {
        const limit: LimitRule = { kind: 'routes', routes: { ...routes, shape } };
        const figures = simulate({ ...scene, tracks: 80, limit, seed }, (world, given) =>
          drive(createScheduler, world, given),
        );
        expect(figures.unfinished).toBe(0);
        expect(figures.makespanMs / figures.boundMs).toBeLessThanOrEqual(1.15);
        expect(figures.refusals).toBe(0);
      }
    },
  );

  it('are learned with two 429s at most if they are lower, and used up from then on', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const limit: LimitRule = { kind: 'routes', routes: { submit: 20, poll: 120, shape: 'sliding' } };
      const figures = simulate({ ...scene, tracks: 120, limit, seed }, (world, given) =>
        drive(createScheduler, world, given),
      );
      expect(figures.refusals).toBeLessThanOrEqual(2);
      expect(figures.makespanMs / figures.boundMs).toBeLessThanOrEqual(1.15);
    }
  });

  it('described by headers for each route: neither starves the other', () => {
    for (let seed = 1; seed <= 4; seed += 1) {
      const limit: LimitRule = { kind: 'routes', routes: { ...routes, shape: 'window', headers: true } };
      const figures = simulate({ ...scene, tracks: 80, limit, seed }, (world, given) =>
        drive(createScheduler, world, given),
      );
      expect(figures.unfinished).toBe(0);
      expect(figures.makespanMs / figures.boundMs).toBeLessThanOrEqual(1.15);
      expect(figures.refusals).toBe(0);
    }
  });

  it.each(['window', 'sliding'] as const)(
    'cost four processes on one key one 429 each at most (%s)',
    (shape) => {
      for (let seed = 1; seed <= 6; seed += 1) {
        const refusals = [0, 0, 0, 0];
        const limit: LimitRule = { kind: 'routes', routes: { ...routes, shape } };
        const figures = simulate({ ...scene, tracks: 80, limit, seed }, (world, given) => {
          for (const place of refusals.keys())
            driveJobs(createScheduler, counting(world, refusals, place), given, {
              from: place * 20,
              until: (place + 1) * 20,
            });
        });
        expect(figures.unfinished).toBe(0);
        expect(Math.max(...refusals)).toBeLessThanOrEqual(1);
      }
    },
  );

  it('are shared by all models', () => {
    const submits = new Map<number, number>();
    const scheduler = createScheduler({});
    for (let job = 0; job < 90; job += 1) scheduler.addTake(`${job}`, { model: `model ${job % 3}` });
    for (let nowMs = 0; nowMs < 180_000; nowMs += 50) {
      const action = scheduler.next(nowMs);
      if (action.kind !== 'submit') continue;
      submits.set(Math.floor(nowMs / 60_000), (submits.get(Math.floor(nowMs / 60_000)) ?? 0) + 1);
      scheduler.answered(
        `model ${Number(action.job) % 3}`,
        { status: 200, rate: {}, job: action.job },
        nowMs,
      );
      scheduler.settled(action.job, { kind: 'gone' }, nowMs);
    }
    expect([...submits.values()]).toEqual([40, 40, 10]);
  });
});

describe('a model that refuses submits', () => {
  it.each([
    ['429 with a time to wait', { status: 429, rate: { retryAfterSeconds: 30 }, overloaded: true }, 30_000],
    ['503', { status: 503, rate: {} }, 10_000],
  ] as const)(
    '(%s) gets none for a while, then one at a time; its jobs are polled meanwhile',
    (_, answer, pauseMs) => {
      const scheduler = createScheduler({});
      scheduler.addInFlight('old', { model: 'A' }, 0, 100_000);
      for (const job of ['a', 'b', 'c']) scheduler.addTake(job, { model: 'A' });
      expect(scheduler.next(100_000)).toEqual({ kind: 'poll', job: 'old' });
      scheduler.answered('A', { status: 200, rate: {}, job: 'old' }, 100_050);
      expect(scheduler.next(100_050)).toEqual({ kind: 'submit', job: 'a' });
      scheduler.answered('A', { ...answer, job: 'a' }, 100_100);
      scheduler.settled('a', { kind: 'again', notBeforeMs: 100_100 }, 100_100);
      scheduler.settled('old', { kind: 'stored', clean: true, readyAtMs: 100_050 }, 100_100);
      expect(scheduler.next(100_100)).toEqual({ kind: 'complete', job: 'old' });
      scheduler.answered('A', { status: 200, rate: {}, job: 'old' }, 100_150);
      scheduler.settled('old', { kind: 'gone' }, 100_150);
      expect(scheduler.next(100_150)).toEqual({ kind: 'wait', untilMs: 100_100 + pauseMs });
      expect(scheduler.next(100_100 + pauseMs)).toMatchObject({ kind: 'submit' });
      expect(scheduler.next(102_000 + pauseMs)).toEqual({ kind: 'wait', untilMs: Number.POSITIVE_INFINITY });
    },
  );
});

describe('a fault', () => {
  it('never brings the key near its block, even if every response fails', () => {
    const report = play({
      seed: 2,
      models: [model({ tracks: 100, limit: { kind: 'window' } })],
      again: { share: 0.9, status: 503 },
    });
    expect(report.failuresIn30sMax).toBeLessThanOrEqual(20);
    expect(report.blocks).toBe(0);
    expect(report.stored).toBe(100);
  });

  it('is not mistaken for a job that is still running', () => {
    const scheduler = createScheduler({});
    scheduler.addInFlight('a', { model: 'A' }, 0, 1_000_000);
    expect(scheduler.next(1_000_000)).toEqual({ kind: 'poll', job: 'a' });
    scheduler.answered('A', { status: 502, rate: {}, job: 'a' }, 1_000_050);
    scheduler.settled('a', { kind: 'again', notBeforeMs: 1_007_000 }, 1_000_050);
    expect(scheduler.next(1_000_050)).toEqual({ kind: 'wait', untilMs: 1_007_000 });
    expect(scheduler.next(1_007_000)).toEqual({ kind: 'poll', job: 'a' });
  });

  it('of one action settled twice is an error', () => {
    const scheduler = createScheduler({});
    scheduler.addTake('a', { model: 'A' });
    expect(() => scheduler.settled('a', { kind: 'queued' }, 0)).toThrow('no request in flight');
    expect(() => scheduler.addTake('a', { model: 'A' })).toThrow('already');
  });
});

describe('a job past its estimate', () => {
  /** Polls it until it is that old. @returns the gaps between its polls, ms */
  function gapsOfStuckJob(untilMs: number, limited: boolean): readonly number[] {
    const scheduler = createScheduler({});
    if (!limited) scheduler.limits(new Map([['', Number.POSITIVE_INFINITY]]));
    scheduler.addInFlight('stuck', { model: 'A' }, 0, 0);
    const gaps: number[] = [];
    let nowMs = 0;
    let polledMs = 0;
    while (nowMs < untilMs) {
      const action = scheduler.next(nowMs);
      if (action.kind === 'wait') {
        nowMs = action.untilMs;
        continue;
      }
      gaps.push(nowMs - polledMs);
      polledMs = nowMs;
      scheduler.answered('A', { status: 200, rate: {}, job: 'stuck' }, nowMs + 80);
      scheduler.settled(
        'stuck',
        { kind: 'running', averageExecutionMs: 20_000, executionMs: nowMs },
        nowMs + 80,
      );
      nowMs += 80;
    }
    return gaps.slice(1);
  }

  it.each([true, false])(
    'is polled less and less often, but at least once a minute (limited: %s)',
    (limited) => {
      const gaps = gapsOfStuckJob(4 * 3_600_000, limited);
      const mean = (part: readonly number[]): number => part.reduce((sum, gap) => sum + gap, 0) / part.length;
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(2_000);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(61_000);
      expect(mean(gaps.slice(-10))).toBeGreaterThan(2 * mean(gaps.slice(0, 10)));
    },
  );
});

describe('the estimate of the remaining time', () => {
  it('is absent as long as nothing is known', () => {
    const scheduler = createScheduler({});
    scheduler.addTake('a', { model: 'A' });
    const estimate = scheduler.estimate(0);
    expect(estimate.remainingMs).toBeUndefined();
    expect(estimate.expectedRunMs('a')).toBeUndefined();
  });

  it('comes from the run times of earlier runs, if there are any', () => {
    const history = Array.from({ length: 20 }, () => ({ model: 'A', durationSeconds: 60, runMs: 40_000 }));
    const scheduler = createScheduler({ history });
    scheduler.addTake('a', { model: 'A', durationSeconds: 60 });
    expect(scheduler.estimate(0).expectedRunMs('a')).toBeGreaterThan(18_000);
    expect(scheduler.estimate(0).expectedRunMs('a')).toBeLessThan(50_000);
    const { low, high } = scheduler.estimate(0).remainingMs!;
    expect(low).toBeLessThan(40_000);
    expect(high).toBeGreaterThan(30_000);
  });

  it.each([
    ['ln20', 100, 8],
    ['ln45', 100, 16],
    ['bimodal', 200, 4],
  ] as const)(
    'is right at least four times in five (%s, %i tracks, %i at a time)',
    (law, tracks, concurrency) => {
      let looks = 0;
      let right = 0;
      for (let seed = 1; seed <= 6; seed += 1) {
        const reported: { readonly atMs: number; readonly low: number; readonly high: number }[] = [];
        const scene = { tracks, concurrency, law, p80Factor: 1, limit: PER_60, seed };
        const { makespanMs } = simulate(scene, (world) => {
          drive(
            (options) => {
              const scheduler = createScheduler(options);
              const next = (nowMs: number) => {
                const { remainingMs } = scheduler.estimate(nowMs);
                if (remainingMs !== undefined) reported.push({ atMs: nowMs - EPOCH_MS, ...remainingMs });
                return scheduler.next(nowMs);
              };
              return { ...scheduler, next };
            },
            world,
            scene,
          );
        });
        looks += reported.length;
        right += reported.filter(
          ({ atMs, low, high }) => low <= makespanMs - atMs && makespanMs - atMs <= high,
        ).length;
        expect(reported.every(({ low, high }) => low <= high)).toBe(true);
      }
      expect(looks).toBeGreaterThan(0);
      expect(right / looks).toBeGreaterThan(0.8);
    },
  );

  it('does not forget a job while its poll is in flight', () => {
    const scheduler = createScheduler({});
    scheduler.addInFlight('a', { model: 'A' }, 0, 10_000);
    expect(scheduler.next(10_000)).toEqual({ kind: 'poll', job: 'a' });
    scheduler.answered('A', { status: 200, rate: {}, job: 'a' }, 10_050);
    scheduler.settled('a', { kind: 'running', averageExecutionMs: 30_000, executionMs: 10_000 }, 10_050);
    const resting = scheduler.estimate(30_000).remainingMs!;
    let nowMs = 10_050;
    for (let action = scheduler.next(nowMs); action.kind === 'wait'; action = scheduler.next(nowMs))
      nowMs = action.untilMs;
    expect(resting.high).toBeGreaterThan(0);
    expect(scheduler.estimate(nowMs).remainingMs!.high).toBeGreaterThan(0);
  });

  it('has no remaining time while a job is overdue that no poll finds running', () => {
    const scheduler = createScheduler({});
    scheduler.addInFlight('a', { model: 'A' }, 0, 10_000);
    scheduler.next(10_000);
    scheduler.answered('A', { status: 200, rate: {}, job: 'a' }, 10_050);
    scheduler.settled('a', { kind: 'running', averageExecutionMs: 30_000, executionMs: 10_000 }, 10_050);
    const estimated = [20_000, 60_000, 600_000].map((nowMs) => scheduler.estimate(nowMs).remainingMs?.high);
    expect(estimated).toEqual([expect.any(Number), expect.any(Number), undefined]);
  });

  it('has no remaining time while only clean-ups that have failed wait to be tried again', () => {
    const scheduler = createScheduler({});
    scheduler.addCleanUp('a', { model: 'A' });
    expect(scheduler.next(0)).toEqual({ kind: 'complete', job: 'a' });
    scheduler.answered('A', { status: 500, rate: {}, job: 'a' }, 100);
    scheduler.settled('a', { kind: 'again', notBeforeMs: 60_000 }, 100);
    expect(scheduler.estimate(1_000).remainingMs).toBeUndefined();
  });

  it('includes until when all requests wait for the limit', () => {
    const scheduler = createScheduler({});
    scheduler.addTake('a', { model: 'A' });
    scheduler.next(0);
    scheduler.answered('A', { status: 429, rate: { retryAfterSeconds: 40 }, job: 'a' }, 90);
    scheduler.settled('a', { kind: 'again', notBeforeMs: 0 }, 90);
    expect(scheduler.estimate(90).pausedUntilMs).toBe(40_090);
    expect(scheduler.estimate(40_090).pausedUntilMs).toBeUndefined();
  });
});

describe('a request that has not been sent yet', () => {
  /** A model that has answered once, and has two submits in flight. */
  function underWay() {
    const scheduler = createScheduler({});
    for (const id of ['first', 'a', 'b']) scheduler.addTake(id, { model: 'A' });
    expect(scheduler.next(0)).toEqual({ kind: 'submit', job: 'first' });
    scheduler.answered('A', { status: 200, rate: {}, job: 'first' }, 100);
    scheduler.settled('first', { kind: 'queued' }, 100);
    expect(scheduler.next(300)).toEqual({ kind: 'submit', job: 'a' });
    expect(scheduler.next(600)).toEqual({ kind: 'submit', job: 'b' });
    return scheduler;
  }

  it('is held back, and not counted, if another of its route is refused meanwhile', () => {
    const scheduler = underWay();
    expect(scheduler.pausedUntilMs('b', 700)).toBeUndefined();
    scheduler.answered('A', { status: 429, rate: {}, job: 'a' }, 700);
    const untilMs = scheduler.pausedUntilMs('b', 700)!;
    expect(untilMs).toBe(60_800);
    scheduler.settled('a', { kind: 'again', notBeforeMs: untilMs }, 710);
    scheduler.settled('b', { kind: 'again', notBeforeMs: untilMs, unsent: true }, 710);
    expect(scheduler.pausedUntilMs('b', untilMs)).toBeUndefined();
  });

  it('is held back if its model becomes overloaded meanwhile, unless it is a poll', () => {
    const scheduler = underWay();
    const overloaded = { status: 429, rate: { retryAfterSeconds: 30 }, overloaded: true, job: 'a' };
    scheduler.answered('A', overloaded, 700);
    expect(scheduler.pausedUntilMs('b', 700)).toBe(30_700);
    expect(scheduler.next(600_000)).toEqual({ kind: 'poll', job: 'first' });
    expect(scheduler.pausedUntilMs('first', 600_000)).toBeUndefined();
  });
});
