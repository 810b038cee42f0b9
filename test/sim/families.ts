import { simulateLoss } from './fleet/lost-machine.js';
import { simulateFleet } from './fleet/simulate-fleet.js';
import { simulateSeed } from './pace.js';
import type { Family, SimOptions, SimResult } from './world.js';

/** The function that plays a seed of each family. */
export const FAMILIES: Readonly<Record<Family, (seed: number, options: SimOptions) => Promise<SimResult>>> = {
  one: simulateSeed,
  machines: simulateFleet,
  losses: simulateLoss,
};
