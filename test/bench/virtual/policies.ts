import { createScheduler } from '../../../src/scheduler/create-scheduler.js';
import { loops, oracle } from './baselines.js';
import { drive } from './scheduled.js';
import type { Scene, World } from './world.js';

/** The columns of every table. */
export const POLICIES = {
  'every 3 s': (world, scene) => loops({ everyMs: 3_000, twice: false }, world, scene),
  'every 5 s, fetched twice': (world, scene) => loops({ everyMs: 5_000, twice: true }, world, scene),
  'P80, then 3 s': (world, scene) => loops({ first: 'p80', everyMs: 3_000, twice: false }, world, scene),
  ours: (world, scene) => drive(createScheduler, world, scene),
  oracle,
} as const satisfies Readonly<Record<string, (world: World, scene: Scene) => void>>;

export type PolicyName = keyof typeof POLICIES;
export const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];
