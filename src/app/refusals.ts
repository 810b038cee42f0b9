import type { Diagnostic } from '../core/diagnostic.js';
import { shellWord } from '../core/shell.js';
import { lifeBudgetUsd } from '../plan/assemble-plan.js';
import type { Plan } from '../plan/plan.js';
import { retryFlags } from '../plan/selection.js';
import { placeFault } from './storage-error.js';
import type { BatchSettings, World } from './world.js';

/* Why nothing is bought, and the command to run next. */

export const NOT_APPROVED = {
  // Said by the user a moment ago: the next command of the last screen is enough.
  declined: { code: 'not-approved', message: 'not approved', hint: '' },
  no_terminal: {
    code: 'approval-needed',
    message: 'there is no terminal to ask for approval',
    hint: 'to approve this total: ',
  },
  no_budget: {
    code: 'budget-needed',
    message: 'buying without confirmation requires a budget',
    hint: 'set `budget:` in the manifest, or: ',
  },
  unattended: {
    code: 'price-unconfirmed',
    message: 'a price far below the declared one needs confirmation',
    hint: 'if the prices shown are right: ',
  },
} as const;

export function sameRun(
  { command, selection, savedPlanFile, yes }: BatchSettings,
  ...flags: readonly string[]
): string {
  if (savedPlanFile !== undefined) return command('run', '--plan', savedPlanFile, ...flags);
  return command('run', ...(yes === true ? ['--yes'] : []), ...flags, ...retryFlags(selection));
}

/**
 * The same run, with enough of a budget if `--budget` was too low. One in the manifest or the environment has to be
 * raised there first, as the message says. `undefined` for a saved plan, which contains its budget.
 */
export function withinBudget(settings: BatchSettings, plan: Plan): string | undefined {
  const { budgetMicroUsd = Number.POSITIVE_INFINITY, isBudgetFlag, savedPlan } = settings;
  if (savedPlan !== undefined) return undefined;
  const isTooLow = budgetMicroUsd < plan.totalMicroUsd + plan.spentBeforeMicroUsd;
  return sameRun(settings, ...(isBudgetFlag === true && isTooLow ? ['--budget', lifeBudgetUsd(plan)] : []));
}

/** The command that buys this plan without a question. */
export function approving(settings: BatchSettings, plan: Plan): string {
  const { command, selection, sandbox, savedPlanFile, acceptPrice } = settings;
  const flags = [
    ...(sandbox || plan.budgetMicroUsd !== undefined ? [] : ['--budget', lifeBudgetUsd(plan)]),
    ...(acceptPrice === true ? ['--accept-price'] : []),
  ];
  if (savedPlanFile !== undefined) return command('run', '--plan', savedPlanFile, ...flags);
  return command('run', '--yes', ...flags, ...retryFlags(selection));
}

/** @param inFlightCount takes that cannot be collected without a key, if there is nothing else to do */
export function noKey(settings: BatchSettings, inFlightCount = 0): Diagnostic {
  const again = settings.mode === 'collect' ? settings.command('collect') : sameRun(settings);
  const takes = inFlightCount === 1 ? '1 take is' : `${inFlightCount} takes are`;
  return {
    code: 'no-key',
    severity: 'error',
    message:
      inFlightCount === 0
        ? 'no API key: VENICE_API_KEY is not set'
        : `${takes} in flight, and cannot be collected without an API key: VENICE_API_KEY is not set`,
    hint: `${inFlightCount === 0 ? 'use --sandbox to try it without a key, or create' : 'create'} one at https://venice.ai/settings/api, set VENICE_API_KEY and run: ${again}`,
  };
}

export async function unwritable(
  world: World,
  settings: BatchSettings,
  { directory, code }: { directory: string; code: string },
): Promise<Diagnostic> {
  const { message, fix } = await placeFault(world.ports.files, directory, code, settings.placeOf);
  return {
    code: 'storage',
    severity: 'error',
    message: `${message}: nothing was bought`,
    hint: `${fix}, then: ${sameRun(settings)}`,
  };
}

/** Two runs at the same time would buy the same takes. */
export function unreliableLock({ lockfilePath, command }: BatchSettings): Diagnostic {
  return {
    code: 'lock-unreliable',
    severity: 'error',
    message: `the file system of ${shellWord(lockfilePath)} has no hard links and no exclusive create, and this system offers no other lock; nothing was bought`,
    hint: `put the lockfile on another disk: ${command('run', '--lockfile', 'PATH')}`,
  };
}
