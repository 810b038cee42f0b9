import os from 'node:os';
import path from 'node:path';
import { programVersion } from '../node/version.js';
import { type SavedPlan, selectionOf } from '../plan/saved-plan.js';
import type { Selection } from '../plan/selection.js';
import { lowest } from './buying.js';
import type { BatchSettings } from './run-batch.js';
import type { Session } from './session.js';
import type { Flags } from './settings.js';

/** What a batch needs of a session's settings. */
export function batchSettings(
  session: Session,
  mode: BatchSettings['mode'],
  savedPlan?: SavedPlan,
): BatchSettings {
  const { settings, endpoint, command, placeOf } = session;
  const { flags } = settings;
  return {
    mode,
    endpoint,
    command,
    placeOf,
    sandbox: settings.sandbox,
    version: programVersion(),
    lockfilePath: settings.lockfilePath.value,
    outputRoot: settings.outputRoot.value,
    rescueDirectories: rescueDirectories(settings),
    selection: savedPlan === undefined ? selectionOfFlags(flags) : selectionOf(savedPlan),
    savedPlan,
    ...(savedPlan === undefined ? {} : { savedPlanFile: flags.plan }),
    acceptPrice: flags.acceptPrice === true,
    ignoreBalance: flags.ignoreBalance,
    keep: flags.keep === true,
    failFast: flags.failFast === true,
    detach: flags.detach === true,
    budgetMicroUsd: lowest(settings.budgetMicroUsd?.value, savedPlan?.budget_micro_usd ?? undefined),
    ...(settings.concurrency === undefined ? {} : { concurrency: settings.concurrency.value }),
    ...(settings.timeoutMs === undefined ? {} : { timeoutMs: settings.timeoutMs }),
  };
}

/** Where a record goes that the lockfile's disk refuses, and where it is looked for. */
export function rescueDirectories({ manifestPath }: Session['settings']): readonly string[] {
  return [path.dirname(manifestPath), os.homedir(), os.tmpdir()];
}

export function selectionOfFlags({ only, except, force, retryFailed }: Flags): Selection {
  return { only, except, force: force ?? [], retryFailed: retryFailed === true };
}
