import { launch } from '../incarnation.js';
import { doubtful } from '../person.js';
import type { CrashPoint } from '../process.js';
import { createRng } from '../random.js';
import { CALM_RUN } from '../scenario.js';
import type { SimOptions, SimResult } from '../world.js';
import { createFleet, type Fleet } from './fleet.js';
import { calm, endOnEmptyFolder, untilIdle } from './simulate-fleet.js';

/** Always the same run, except for where its machine is lost. */
const WORLD = 1;
/** Operations of that run if nothing happens to it. */
let operations: Promise<number> | undefined;

/**
 * One seed: a run without any fault, whose machine is lost for good, with its folder, at a random point. The next
 * machine starts in an empty folder and finishes.
 */
export async function simulateLoss(seed: number, options: SimOptions): Promise<SimResult> {
  const rng = createRng(seed, 'loss');
  operations ??= runUntilLost(calmFleet({ runBatch: options.runBatch }), undefined);
  const count = await operations;
  const fleet = calmFleet(options);
  const crash: CrashPoint = {
    operation: rng.between(1, count),
    sort: 'any',
    after: rng.chance(0.5),
  };
  await runUntilLost(fleet, crash);
  calm(fleet);
  const { judge, machines, timeline } = fleet;
  const open = new Set(doubtful(machines[0]!).map(({ attempt }) => attempt));
  await endOnEmptyFolder(fleet);
  // What was certain when the machine was lost has to stay so.
  for (const { latest } of judge.logReader.view.attempts.values())
    if (latest.at.in_doubt !== undefined && !open.has(latest.attempt))
      judge.blame('I', `${latest.attempt} is in doubt, though its answer was recorded`);
  return {
    seed,
    violations: judge.violations,
    runs: fleet.runs,
    crashes: fleet.crashes,
    charges: fleet.server.jobs.size,
    events: timeline.events(),
  };
}

function calmFleet(options: SimOptions): Fleet {
  const fleet = createFleet(WORLD, options, {
    machines: 1,
    kind: 'strict',
    keepsAudio: true,
    lossShare: 1,
    deletes: 0,
    skewed: false,
    onlyShare: 0,
  });
  calm(fleet);
  return fleet;
}

/** @returns how many operations the run had */
async function runUntilLost(fleet: Fleet, crash: CrashPoint | undefined): Promise<number> {
  const incarnation = launch(fleet.machines[0]!, { ...CALM_RUN, crash });
  await untilIdle(fleet, incarnation.name);
  return incarnation.process.operations();
}
