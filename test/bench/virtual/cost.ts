import { createScheduler } from '../../../src/scheduler/create-scheduler.js';
import { drive } from './scheduled.js';
import type { Scene } from './world.js';
import { simulate } from './world.js';

/** Processor time that the scheduler takes per request, microseconds, for all calls together. */
export function schedulerCostUs(scene: Scene): number {
  let spentMs = 0;
  const timed = <In extends readonly unknown[], Out>(call: (...input: In) => Out) => {
    return (...input: In): Out => {
      const began = performance.now();
      const result = call(...input);
      spentMs += performance.now() - began;
      return result;
    };
  };
  const { requests } = simulate(scene, (world) =>
    drive(
      (options) => {
        const scheduler = createScheduler(options);
        return {
          ...scheduler,
          addTake: timed(scheduler.addTake),
          next: timed(scheduler.next),
          settled: timed(scheduler.settled),
          answered: timed(scheduler.answered),
        };
      },
      world,
      scene,
    ),
  );
  return (spentMs * 1_000) / requests;
}
