import type { Table } from './cells.js';
import { POLICIES, type PolicyName } from './policies.js';
import { type Figures, type Scene, simulate } from './world.js';

/** One situation, one number of jobs in flight, one policy: to be run over all seeds. */
export interface Cell {
  readonly table: string;
  readonly scene: Table['scene'];
  readonly concurrency: number;
  readonly policy: PolicyName;
  readonly seeds: number;
}

/** Means over the seeds, unless stated otherwise. */
export interface Outcome {
  readonly ratio: number;
  readonly makespanMs: number;
  readonly requestsPerTrack: number;
  /** From ready to the download that stores it. */
  readonly waitMs: number;
  readonly waitP95Ms: number;
  readonly refusals: number;
  readonly blocks: number;
  /** In any window of any run. */
  readonly refusalsInWindowMax: number;
}

export function runCell({ scene, concurrency, policy, seeds }: Cell): Outcome {
  const runs: Figures[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    const full: Scene = { ...scene, seed, ...(concurrency === 0 ? {} : { concurrency }) };
    const figures = simulate(full, POLICIES[policy]);
    if (figures.unfinished > 0)
      throw new Error(`${policy} did not finish ${figures.unfinished} tracks: ${JSON.stringify(full)}`);
    if (concurrency > 0 && figures.inFlightMax > concurrency)
      throw new Error(`${policy} had too many in flight`);
    runs.push(figures);
  }
  const mean = (of: (run: Figures) => number): number =>
    runs.reduce((sum, run) => sum + of(run), 0) / runs.length;
  const waitsMs = runs.flatMap((run) => run.waitsMs).sort((a, b) => a - b);
  return {
    ratio: mean((run) => run.makespanMs / run.boundMs),
    makespanMs: mean((run) => run.makespanMs),
    requestsPerTrack: mean((run) => run.requests) / scene.tracks,
    waitMs: waitsMs.reduce((sum, ms) => sum + ms, 0) / waitsMs.length,
    waitP95Ms: waitsMs[Math.floor(waitsMs.length * 0.95)]!,
    refusals: mean((run) => run.refusals),
    blocks: mean((run) => run.blocks),
    refusalsInWindowMax: runs.reduce((most, run) => Math.max(most, run.refusalsInWindowMax), 0),
  };
}
