import type { createScheduler } from '../../../src/scheduler/create-scheduler.js';
import type { Scheduler, Settled } from '../../../src/scheduler/scheduler.js';
import type { Answer, Scene, World } from './world.js';

const MODEL = 'music';

/** Plays a scheduler against the world, as the engine does. */
export function drive(create: typeof createScheduler, world: World, scene: Scene): void {
  driveJobs(create, world, scene, { from: 0, until: scene.tracks });
}

/** Plays a scheduler that makes some of the jobs: one of several processes on the same key. */
export function driveJobs(
  create: typeof createScheduler,
  world: World,
  scene: Scene,
  jobs: { readonly from: number; readonly until: number },
): void {
  const scheduler = create(scene.concurrency === undefined ? {} : { concurrency: scene.concurrency });
  for (let job = jobs.from; job < jobs.until; job += 1) scheduler.addTake(String(job), { model: MODEL });
  if (scene.limit.perMinute === undefined && scene.limit.routes === undefined)
    scheduler.limits(new Map([['', Number.POSITIVE_INFINITY]]));
  let turn = 0;

  const step = (): void => {
    turn += 1;
    for (;;) {
      const action = scheduler.next(world.nowMs());
      if (action.kind === 'finished') return;
      if (action.kind === 'wait') {
        if (action.untilMs === Number.POSITIVE_INFINITY) return;
        const mine = turn;
        world.at(action.untilMs, () => {
          if (turn === mine) step();
        });
        return;
      }
      const { job } = action;
      world.send(action.kind, Number(job), (answer) => {
        take(scheduler, world, job, answer, step);
        step();
      });
    }
  };
  step();
}

export function take(
  scheduler: Scheduler,
  world: World,
  job: string,
  answer: Answer,
  step: () => void,
): void {
  const nowMs = world.nowMs();
  const status = answer.kind === 'refused' ? 429 : 200;
  scheduler.answered(MODEL, { status, rate: answer.rate, job }, nowMs);
  if (answer.kind !== 'audio') {
    scheduler.settled(job, settledBy(answer, nowMs), nowMs);
    return;
  }
  world.at(nowMs + world.downloadMs, () => {
    world.stored(Number(job));
    scheduler.settled(job, { kind: 'stored', clean: true, readyAtMs: nowMs }, world.nowMs());
    step();
  });
}

function settledBy(answer: Exclude<Answer, { kind: 'audio' }>, nowMs: number): Settled {
  switch (answer.kind) {
    case 'refused':
      return { kind: 'again', notBeforeMs: nowMs };
    case 'queued':
      return { kind: 'queued' };
    case 'completed':
      return { kind: 'gone' };
    case 'running': {
      const reported = answer.averageMs === undefined ? {} : { averageExecutionMs: answer.averageMs };
      return { kind: 'running', executionMs: answer.ageMs, ...reported };
    }
  }
}
