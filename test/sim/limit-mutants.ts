import type { Mutant } from './mutants.js';

/** The program with one of the steps switched off that keep it within the request limits. */
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
  patched(
    'learned-limit-is-not-kept',
    'src/scheduler/route-budget.ts',
    '        limit = isLearned ? Math.min(beforeTrial ?? limit, seen) : seen;\n',
    '',
  ),
  patched(
    'pauses-do-not-hold-back',
    'src/scheduler/create-scheduler.ts',
    'return untilMs > nowMs ? untilMs : undefined;',
    'return untilMs > Number.POSITIVE_INFINITY ? untilMs : undefined;',
  ),
];

function patched(name: string, file: string, find: string, replace: string): Mutant {
  return { name, patches: [{ file, find, replace }] };
}
