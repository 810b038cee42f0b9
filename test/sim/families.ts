import { simulateLoss } from './fleet/lost-machine.js';
import { simulateFleet } from './fleet/simulate-fleet.js';
import { simulate } from './simulate.js';
import type { Family, SimOptions, SimResult } from './world.js';

/** What plays a seed of each family. */
export const FAMILIES: Readonly<Record<Family, (seed: number, options: SimOptions) => Promise<SimResult>>> = {
  one: simulate,
  machines: simulateFleet,
  losses: simulateLoss,
};
