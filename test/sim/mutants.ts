import type { Patch } from './build.js';
import type { Tampering } from './world.js';

/** The program with one safety step switched off: the judge has to notice. */
export interface Mutant {
  readonly name: string;
  readonly patches?: readonly Patch[];
  readonly tampering?: Tampering;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'cheap-prices',
    patches: [
      { file: 'src/run/price.ts', find: 'const PRICES = 22;', replace: 'const PRICES = 2;' },
      { file: 'src/run/price.ts', find: 'step < 24', replace: 'step < 6' },
    ],
  },
];

export function mutantNamed(name: string | undefined): Mutant | undefined {
  return MUTANTS.find((mutant) => mutant.name === name);
}
