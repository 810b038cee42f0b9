import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { runBatch } from '../../src/app/run-batch.js';
import { FAMILIES } from './families.js';
import { mutantNamed } from './mutants.js';
import type { Family, SimResult } from './world.js';

/** Plays the seeds it is sent, in a thread of its own. */
export interface Order {
  readonly from: number;
  readonly count: number;
  /** One in this many seeds is played twice, to compare both traces. */
  readonly twiceEvery: number;
  readonly untilFailure: boolean;
}

export interface WorkerData {
  readonly family: Family;
  readonly mutant: string | undefined;
  /** One 32-bit number: the current seed, so that a thread that hangs can be reported. */
  readonly current: SharedArrayBuffer;
}

export interface Account {
  readonly seeds: number;
  readonly runs: number;
  readonly crashes: number;
  readonly charges: number;
  readonly events: number;
  readonly failed: readonly SimResult[];
}

// Expected errors are thrown by the million: nobody reads their stacks.
Error.stackTraceLimit = 0;
const { family, mutant, current } = workerData as WorkerData;
const simulate = FAMILIES[family];
const tampering = mutantNamed(mutant)?.tampering;
const options = { runBatch, ...(tampering === undefined ? {} : { tampering }) };
const offset = new Uint32Array(current);

parentPort?.on('message', async (order: Order) => {
  const total = { seeds: 0, runs: 0, crashes: 0, charges: 0, events: 0 };
  const failed: SimResult[] = [];
  for (let seed = order.from; seed < order.from + order.count; seed++) {
    offset[0] = seed - order.from;
    const twice = seed % order.twiceEvery === 0;
    const result = twice ? await simulateTwice(seed) : await simulate(seed, options);
    total.seeds += 1;
    total.runs += result.runs;
    total.crashes += result.crashes;
    total.charges += result.charges;
    total.events += result.events;
    if (result.violations.length > 0) failed.push(result);
    if (failed.length > 0 && order.untilFailure) break;
  }
  parentPort?.postMessage({ ...total, failed } satisfies Account);
});

async function simulateTwice(seed: number): Promise<SimResult> {
  const first = createHash('sha256');
  const second = createHash('sha256');
  const result = await simulate(seed, { ...options, trace: (line) => first.update(line) });
  await simulate(seed, { ...options, trace: (line) => second.update(line) });
  if (first.digest('hex') === second.digest('hex')) return result;
  return { ...result, violations: [{ check: 'z', message: 'played twice, it went two ways' }] };
}
