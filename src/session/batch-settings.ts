import os from 'node:os';
import path from 'node:path';
import type { Neighbourhood } from '../app/elsewhere.js';
import type { OpenSettings } from '../app/opening.js';
import type { BatchSettings } from '../app/world.js';
import { lowest } from '../core/money.js';
import { programVersion } from '../node/version.js';
import { type SavedPlan, selectionOf } from '../plan/saved-plan.js';
import type { Selection } from '../plan/selection.js';
import { lockfileIn } from './batch-place.js';
import type { OpenBatch } from './open-batch.js';
import { pickedTracks } from './picks.js';

/** What a run of this batch is to do, and where. */
export async function batchSettings(
  batch: OpenBatch,
  mode: BatchSettings['mode'],
  savedPlan?: SavedPlan,
): Promise<BatchSettings> {
  const { settings, endpoint, command, placeOf } = batch;
  const { choices } = settings;
  return {
    mode,
    endpoint,
    command,
    again: batch.again,
    noteLog: batch.noteLog,
    placeOf,
    sandbox: settings.sandbox,
    version: programVersion(),
    lockfilePath: settings.lockfilePath.value,
    outputRoot: settings.outputRoot.value,
    ...rescueSettings(settings, process.env),
    neighbourhood: neighbourhoodOf(batch),
    selection: savedPlan === undefined ? await selectionFor(batch) : selectionOf(savedPlan),
    more: settings.more,
    savedPlan,
    ...(savedPlan === undefined ? {} : { savedPlanFile: choices.plan }),
    yes: choices.yes === true,
    acceptPrice: choices.acceptPrice === true,
    ignoreBalance: choices.ignoreBalance,
    state: settings.state?.value,
    allowSingleCopy: choices.allowSingleCopy === true,
    keep: choices.keep === true,
    failFast: choices.failFast === true,
    detach: choices.detach === true,
    budgetMicroUsd: lowest(settings.budgetMicroUsd?.value, savedPlan?.budget_micro_usd ?? undefined),
    isBudgetFlag: settings.budgetMicroUsd?.origin === 'flag',
    concurrency: settings.concurrency?.value,
    timeoutMs: settings.timeoutMs,
  };
}

/** Folders for records that cannot be written to the lockfile's disk. They are also searched for such records. */
export function rescueSettings(
  { manifestPath }: OpenBatch['settings'],
  env: Readonly<Record<string, string | undefined>>,
): Pick<OpenSettings, 'rescuePlaces' | 'openPlaces'> {
  const own = path.join(stateHome(env), 'venice-batch');
  // A different disk than the home directory's, often in memory. Includes the user's name, because the first user to
  // create it owns it.
  const temporary = path.join(os.tmpdir(), `venice-batch-${process.getuid?.() ?? os.userInfo().username}`);
  return {
    rescuePlaces: {
      keyFile: path.join(own, 'rescue.key'),
      directories: [path.join(own, 'rescue'), temporary],
    },
    openPlaces: [path.dirname(manifestPath), os.homedir(), os.tmpdir()],
  };
}

/** Folders for data that is neither settings nor cache: the XDG base directories, or their Windows counterparts. */
function stateHome(env: Readonly<Record<string, string | undefined>>): string {
  const [named, otherwise] =
    process.platform === 'win32'
      ? [env.LOCALAPPDATA, path.join(os.homedir(), 'AppData', 'Local')]
      : [env.XDG_STATE_HOME, path.join(os.homedir(), '.local', 'state')];
  return named !== undefined && path.isAbsolute(named) ? named : otherwise;
}

export function neighbourhoodOf({ settings, endpoint }: OpenBatch): Neighbourhood {
  const { manifest, manifestPath, sandbox, sandboxDirectory } = settings;
  const lockfilePath = settings.lockfilePath.value;
  const folders = [manifestPath, lockfilePath].map((file) => path.dirname(file));
  const lockfile = lockfileIn(sandbox ? sandboxDirectory : path.dirname(manifestPath), manifestPath);
  return {
    lockfilePath,
    endpoint,
    folders: [...folders, settings.outputRoot.value],
    ...(manifest === '-' ? {} : { manifest: { path: manifestPath, lockfile } }),
  };
}

/**
 * What may be bought, according to the flags and, if they say so, the picks. Throws `BatchError` (3) if the picks
 * cannot be read.
 */
export async function selectionFor(batch: OpenBatch): Promise<Selection> {
  const { only, except, force, retryFailed, onlyUnpicked } = batch.settings.choices;
  const picked = onlyUnpicked === true ? { picked: await pickedTracks(batch) } : {};
  return { only, except, ...picked, force: force ?? [], retryFailed: retryFailed === true };
}
