import type { CreateScheduler } from '../../../src/run/schedule.js';
import type { Scene, World } from './world.js';

const MODEL = 'music';

/** Plays a scheduler against the world, as the engine does. */
export function drive(create: CreateScheduler, world: World, scene: Scene): void {
  const scheduler = create(
    scene.concurrency === undefined ? {} : { concurrency: scene.concurrency },
    world.chance,
  );
  let timer = 0;
  for (let job = 0; job < scene.tracks; job += 1) scheduler.wants(String(job), { model: MODEL });
  if (scene.limit.perMinute === undefined) scheduler.limits(new Map([['', Number.POSITIVE_INFINITY]]));

  const step = (): void => {
    timer += 1;
    for (;;) {
      const action = scheduler.next(world.nowMs());
      if (action.kind === 'finished') return;
      if (action.kind === 'wait') {
        if (action.untilMs === Number.POSITIVE_INFINITY) return;
        const mine = timer;
        world.at(action.untilMs, () => {
          if (timer === mine) step();
        });
        return;
      }
      begin(action.kind, action.job);
    }
  };

  const begin = (kind: 'submit' | 'poll' | 'complete', id: string): void => {
    const job = Number(id);
    world.send(kind, job, (answer) => {
      const nowMs = world.nowMs();
      const status = answer.kind === 'refused' ? 429 : 200;
      scheduler.answered(MODEL, { status, rate: answer.rate, job: id }, nowMs);
      if (answer.kind === 'refused') scheduler.settled(id, { kind: 'again', notBeforeMs: nowMs }, nowMs);
      else if (answer.kind === 'queued') scheduler.settled(id, { kind: 'queued' }, nowMs);
      else if (answer.kind === 'completed') scheduler.settled(id, { kind: 'gone' }, nowMs);
      else if (answer.kind === 'running') {
        const told = answer.averageMs === undefined ? {} : { averageExecutionMs: answer.averageMs };
        scheduler.settled(id, { kind: 'running', executionMs: answer.ageMs, ...told }, nowMs);
      } else {
        world.at(nowMs + world.downloadMs, () => {
          world.stored(job);
          scheduler.settled(id, { kind: 'stored', clean: true, readyAtMs: nowMs }, world.nowMs());
          step();
        });
      }
      step();
    });
  };
  step();
}
