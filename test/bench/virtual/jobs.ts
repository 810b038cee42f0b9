import type { createScheduler } from '../../../src/scheduler/create-scheduler.js';
import type { Scheduler } from '../../../src/scheduler/scheduler.js';
import { take } from './scheduled.js';
import type { Scene, World } from './world.js';

const MODEL = 'music';
/** Round trip of an append to the shared log. */
const CLAIM_MS = 60;
/** Jobs of a matrix start one after another. */
const APART_MS = 1_500;
/** How often a run reads the log while it has nothing to write. */
const LOOK_MS = 20_000;

/** A claim in the shared log. */
interface Claim {
  readonly take: number;
  readonly by: number;
  readonly atMs: number;
}

/**
 * Plays several runs that share one manifest. Each starts at its own place, claims a take before it submits it, and
 * knows the log as of its last claim or read.
 *
 * @returns 429s by run, complete when the world has ended
 */
export function playJobs(
  create: typeof createScheduler,
  world: World,
  scene: Scene,
  count: number,
): readonly number[] {
  const log: Claim[] = [];
  const refusals = new Array<number>(count).fill(0);
  const startsMs = Array.from({ length: count }, (_, run) => world.nowMs() + run * APART_MS);
  for (let run = 0; run < count; run += 1)
    playJob(create(scene.concurrency === undefined ? {} : { concurrency: scene.concurrency }), world, scene, {
      log,
      run,
      startsMs,
      first: Math.floor((scene.tracks * run) / count),
      refused: () => {
        refusals[run]! += 1;
      },
    });
  return refusals;
}

interface Shared {
  readonly log: Claim[];
  readonly run: number;
  /** When each run announces itself in the log. */
  readonly startsMs: readonly number[];
  readonly first: number;
  refused(): void;
}

function playJob(
  scheduler: Scheduler,
  world: World,
  scene: Scene,
  { log, run, startsMs, first, refused }: Shared,
): void {
  const claimed = new Set<number>();
  let read = 0;
  let turn = 0;
  for (let at = 0; at < scene.tracks; at += 1)
    scheduler.addTake(String((first + at) % scene.tracks), { model: MODEL });

  /** Folds in what the log has by now. */
  const readLog = (): void => {
    const others = log.slice(read).filter(({ by }) => by !== run);
    for (const entry of log.slice(read)) claimed.add(entry.take);
    read = log.length;
    for (const { take: taken } of others) scheduler.leave(String(taken));
    const sentMs = others.map(({ atMs }) => atMs);
    if (sentMs.length > 0) scheduler.sentElsewhere('queue', sentMs, world.nowMs());
    scheduler.shareWith(startsMs.filter((startMs) => startMs <= world.nowMs()).length);
  };

  const step = (): void => {
    turn += 1;
    for (;;) {
      const action = scheduler.next(world.nowMs());
      if (action.kind === 'finished') return;
      if (action.kind === 'wait') {
        if (action.untilMs === Number.POSITIVE_INFINITY) return;
        const now = turn;
        world.at(action.untilMs, () => {
          if (turn === now) step();
        });
        return;
      }
      const { job } = action;
      if (action.kind === 'submit') claim(Number(job));
      else send(action.kind, Number(job));
    }
  };

  const send = (kind: 'submit' | 'poll' | 'complete', job: number): void =>
    world.send(kind, job, (answer) => {
      if (answer.kind === 'refused') refused();
      take(scheduler, world, String(job), answer, step);
      step();
    });

  /** Entries of the log are written one at a time: whoever comes second has read the first. */
  const claim = (job: number): void =>
    world.at(world.nowMs() + CLAIM_MS, () => {
      readLog();
      // Claimed again by the same run after a 429: the refused attempt was rejected.
      if (claimed.has(job) && !log.some((entry) => entry.take === job && entry.by === run)) {
        scheduler.settled(String(job), { kind: 'gone', unsent: true }, world.nowMs());
        step();
        return;
      }
      if (!claimed.has(job)) {
        log.push({ take: job, by: run, atMs: world.nowMs() });
        readLog();
      }
      send('submit', job);
    });

  const look = (): void => {
    if (log.length >= scene.tracks && read === log.length) return;
    readLog();
    step();
    world.at(world.nowMs() + LOOK_MS, look);
  };
  world.at(startsMs[run]!, () => {
    look();
    step();
  });
}
