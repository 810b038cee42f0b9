import { ROUTE_OF } from '../../../src/scheduler/model-queue.js';
import { createRateLimiter } from '../../../src/scheduler/rate-limiter.js';
import type { Operation } from './service.js';
import type { Answer, Scene, World } from './world.js';

/** How a simple loop polls for its job. */
interface Habit {
  /** Before the first poll, ms; absent: `everyMs`. `p80` waits as long as the service says jobs take. */
  readonly first?: 'p80';
  readonly everyMs: number;
  /** The audio is requested a second time to download it. */
  readonly twice: boolean;
}

const BACK_OFF_MS = 1_000;
const BACK_OFF_MS_MAX = 16_000;
/** Without a number from the user, such loops usually start everything at once; this number favours them. */
const UNBOUNDED = 64;

/** The loop that everyone writes: parallel workers, each with one job and its own backoff after a 429. */
export function loops(habit: Habit, world: World, scene: Scene): void {
  let next = 0;
  let reportedMs: number | undefined;

  const insist = (kind: Operation, job: number, then: (answer: Answer) => void): void => {
    let tries = 0;
    const go = (): void =>
      world.send(kind, job, (answer) => {
        if (answer.kind !== 'refused') return then(answer);
        const pauseMs = Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS * 2 ** tries) * (0.5 + world.chance() / 2);
        tries += 1;
        world.at(world.nowMs() + pauseMs, go);
      });
    go();
  };
  const poll = (job: number): void =>
    insist('poll', job, (answer) => {
      if (answer.kind === 'audio') return habit.twice ? insist('poll', job, () => load(job)) : load(job);
      if (answer.kind === 'running') reportedMs = answer.averageMs ?? reportedMs;
      world.at(world.nowMs() + habit.everyMs, () => poll(job));
    });
  const load = (job: number): void =>
    world.at(world.nowMs() + world.downloadMs, () => {
      world.stored(job);
      insist('complete', job, begin);
    });
  const begin = (): void => {
    if (next >= scene.tracks) return;
    const job = next;
    next += 1;
    insist('submit', job, () => {
      const firstMs = habit.first === 'p80' ? (reportedMs ?? habit.everyMs) : habit.everyMs;
      world.at(world.nowMs() + firstMs, () => poll(job));
    });
  };
  for (let loop = 0; loop < (scene.concurrency ?? UNBOUNDED); loop += 1) begin();
}

/** Knows when each job is ready, polls exactly then, and keeps to the limit. No real client can. */
export function oracle(world: World, scene: Scene): void {
  const limiter = createRateLimiter();
  const isFree = scene.limit.perMinute === undefined && scene.limit.routes === undefined;
  if (isFree) limiter.setStated(new Map([['', Number.POSITIVE_INFINITY]]));
  const limits = limiter.of('');
  const queues = { poll: [] as number[], submit: [] as number[], complete: [] as number[] };
  const order = ['poll', 'submit', 'complete'] as const;
  for (let job = 0; job < scene.tracks; job += 1) queues.submit.push(job);
  queues.submit.reverse();
  let places = scene.concurrency ?? (scene.limit.routes === undefined ? UNBOUNDED : scene.tracks);
  let turn = 0;

  const step = (): void => {
    turn += 1;
    const mine = turn;
    for (;;) {
      const nowMs = world.nowMs();
      const toSubmit = order.filter((name) => queues[name].length > 0 && (name !== 'submit' || places > 0));
      const kind = toSubmit.find((name) => limits.available(ROUTE_OF[name], nowMs) >= 1);
      if (kind === undefined) {
        const opensMs = Math.min(...toSubmit.map((name) => limits.opensAtMs(ROUTE_OF[name], nowMs)));
        if (opensMs < Number.POSITIVE_INFINITY) world.at(opensMs, () => turn === mine && step());
        return;
      }
      send(kind, queues[kind].pop()!);
    }
  };
  const send = (kind: Operation, job: number): void => {
    if (kind === 'submit') places -= 1;
    const token = limits.sent(ROUTE_OF[kind], world.nowMs());
    world.send(kind, job, (answer) => {
      limits.answered(
        token,
        { status: answer.kind === 'refused' ? 429 : 200, rate: answer.rate },
        world.nowMs(),
      );
      if (answer.kind === 'refused' || answer.kind === 'running') {
        if (kind === 'submit') places += 1;
        queues[kind].push(job);
      } else if (answer.kind === 'queued') {
        world.at(world.readyAtMs(job), () => {
          queues.poll.push(job);
          step();
        });
      } else if (answer.kind === 'audio') {
        world.at(world.nowMs() + world.downloadMs, () => {
          world.stored(job);
          places += 1;
          queues.complete.push(job);
          step();
        });
      }
      step();
    });
  };
  step();
}
