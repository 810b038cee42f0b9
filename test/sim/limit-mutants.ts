import type { Mutant } from './mutants.js';

/** The program with one of the steps switched off that keep it within the service's request limits. */
export const LIMIT_MUTANTS: readonly Mutant[] = [
  patched(
    'one-budget-for-all-routes',
    'src/scheduler/rate-limiter.ts',
    'ROUTES.map((route) => [route, createRouteBudget(DOCUMENTED_PER_MINUTE[route])]),',
    '((one) => ROUTES.map((route) => [route, one]))(createRouteBudget(DOCUMENTED_PER_MINUTE.queue)),',
  ),
  patched(
    'documented-limit-is-not-known',
    'src/scheduler/rate-limiter.ts',
    '  queue: 40,\n',
    '  queue: Number.POSITIVE_INFINITY,\n',
  ),
];

function patched(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}
