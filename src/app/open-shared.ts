import { BatchError, EXIT, isSystemFault } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import { type LockHeader, lineagesOf } from '../lockfile/lock-header.js';
import type { LockStore } from '../lockfile/lock-store.js';
import { enterRun } from '../lockfile/own-runs.js';
import { randomHex } from '../lockfile/private-folder.js';
import { requireLock } from '../lockfile/read.js';
import { readSeen, writeSeen } from '../lockfile/seen-entries.js';
import type { WaitsFor } from '../shared-log/patience.js';
import { missingFromLog, settledByLog } from '../shared-log/placement.js';
import type { SharedLog } from '../shared-log/shared-log.js';
import { createSharedStore } from '../shared-log/shared-store.js';
import { cutError, otherLogError } from '../shared-log/state-error.js';
import { againOf, checkLog, type Notify, type OpenedStore, type OpenSettings, openFile } from './opening.js';
import { otherManifest } from './other-manifest.js';
import type { State } from './shared-state.js';
import { silentLogText } from './silent-text.js';

/** Opens the lockfile and its shared log. Requires the run lock. Throws a `BatchError`. */
export async function openTogether(
  ports: Ports,
  settings: OpenSettings,
  state: State,
  report: Notify,
): Promise<OpenedStore> {
  const { lockfilePath, endpoint, command, retry, stop } = settings;
  const read = await requireLock(ports.files, lockfilePath, command);
  checkLog(read.header, state.address, lockfilePath, againOf(settings));
  const lockPath = await ports.files.real(lockfilePath);
  const { header, attempts } = read;
  const shared = await openShared(ports, state, {
    ...{ lockPath, header, attempts, endpoint, command, retry, stop },
    waits: (what) => report('info', 'state-silent', silentLogText(state.address, what)),
  });
  try {
    const { log } = shared;
    const about = log && {
      address: state.address,
      lineage: log.header.lineage,
      settled: settledByLog(attempts, log.attempts),
    };
    const foreign =
      log && header === undefined
        ? otherManifest(log.address, await settings.manifest?.(), log.attempts.values())
        : undefined;
    if (foreign !== undefined && settings.yes === true) throw unattendedError(foreign, command);
    if (foreign !== undefined) report('warning', 'state-other-manifest', foreign.message, foreign.hint);
    const { store: mirror, notes } = await openFile(ports, settings, about);
    const isNew = header?.log === undefined && attempts.size > 0;
    const store = await joined(ports, shared, mirror, { isNew, report });
    await noteSeen(ports, lockPath, log);
    // Also of a log that was read but is damaged: otherwise only a purchase would show it.
    const problem = store.fault();
    if (problem?.kind === 'log') {
      const { code, message, hint } = problem.error;
      report('warning', code, message, hint);
    }
    const expiry = await log?.expiry();
    if (expiry !== undefined) report('warning', 'state-expires', `${state.address}: ${expiry}`, EXPIRY_HINT);
    return { store: noting(store, () => noteSeen(ports, lockPath, log)), notes, audio: state.audio };
  } catch (error) {
    await shared.log?.close();
    throw error;
  }
}

/**
 * Before the lockfile is created: it would bind this manifest to the log, and the next run could not tell that they do
 * not belong together.
 */
function unattendedError(
  { message, separate }: { readonly message: string; readonly separate: string },
  command: NextCommand,
): BatchError {
  return new BatchError('state-other-manifest', message, {
    exitCode: EXIT.lockfile,
    hint: `${separate}; if you renamed all tracks, approve the first purchase yourself, at a terminal; to see what it would buy: ${command('plan')}`,
  });
}

const EXPIRY_HINT =
  'switch it off for this prefix: a missing entry may have been a claim, so buying stops as soon as one is deleted';

/** Notes what this run has written and read itself, too, once it is over. If the disk refuses, the next run notes it. */
function noting(store: LockStore, note: () => Promise<void>): LockStore {
  const noted = () =>
    note().catch((fault: unknown) => {
      if (!isSystemFault(fault)) throw fault;
    });
  return {
    ...store,
    close: () => store.close().finally(noted),
    abandon: () => store.abandon().finally(noted),
  };
}

async function noteSeen(
  { files, random }: Ports,
  lockPath: string,
  log: SharedLog | undefined,
): Promise<void> {
  if (log === undefined || log.fault() !== undefined) return;
  const { lineage } = log.header;
  const before = await readSeen(files, lockPath, [lineage]);
  if (log.entries > before) await writeSeen(files, random, lockPath, { lineage, entries: log.entries });
}

/** Lockfile and log as one store, with the same records. */
async function joined(
  { clock }: Ports,
  { state: { address }, log, fault, run, ended }: SharedOpening,
  mirror: LockStore,
  { isNew, report }: { readonly isNew: boolean; readonly report: Notify },
): Promise<LockStore> {
  const store = createSharedStore({ log, fault, address, mirror, run, ended, clock });
  if (log === undefined) return store;
  try {
    const count = await store.reconcile();
    const records = count === 1 ? '1 attempt' : `${count} attempts`;
    if (count > 0 && isNew)
      report('info', 'state-joined', `added ${records} from the lockfile to the shared log ${address}`);
    else if (count > 0)
      report(
        'info',
        'state-caught-up',
        `added records of ${records} to the shared log: only the lockfile had them`,
      );
  } catch (error) {
    // Kept as the store's fault: nothing is bought, but paid audio is collected.
    if (!(error instanceof BatchError)) throw error;
  }
  return store;
}

/** The log of a run, and what belongs to it. */
interface SharedOpening {
  readonly state: State;
  /** Absent if it could not be opened; `fault` says why. */
  readonly log: SharedLog | undefined;
  readonly fault: BatchError | undefined;
  readonly run: string;
  readonly ended: ReadonlySet<string>;
}

type SharedAbout = Pick<OpenSettings, 'endpoint' | 'command' | 'retry' | 'stop'> & {
  waits(what: WaitsFor): void;
  /** Absolute, links resolved. */
  readonly lockPath: string;
  /** Absent if there is no lockfile yet. */
  readonly header: LockHeader | undefined;
  readonly attempts: ReadonlyMap<string, Attempt>;
};

/**
 * Opens the log at an address for a run that holds the run lock. If the log cannot be reached, or was deleted or
 * truncated, the run cannot buy, but collects what its lockfile knows. Throws a `BatchError` if there is nothing to
 * collect, or if the log belongs to another lockfile.
 */
async function openShared(
  { files, random, clock, processes }: Ports,
  state: State,
  about: SharedAbout,
): Promise<SharedOpening> {
  const { header, attempts, endpoint, command, retry, lockPath, stop, waits } = about;
  const run = randomHex(random);
  const ended = await enterRun(files, random, lockPath, run);
  const seen = header === undefined ? 0 : await readSeen(files, lockPath, lineagesOf(header));
  const opening = { state, run, ended };
  try {
    const log = await state.openLog({
      runId: run,
      endpoint,
      // For a merged lockfile any lineage is accepted: see below.
      lineage: header?.was === undefined ? header?.lineage : undefined,
      newLineage: () => header?.lineage ?? randomHex(random),
      // A lockfile whose header names a log has seen it: if the log is empty now, it was deleted along with the claims
      // of other machines.
      entriesMin: header?.log === undefined ? 0 : Math.max(1, seen),
      access: 'write',
      host: processes.self.hostname,
      clock,
      random,
      isFresh: header === undefined,
      command,
      retry,
      stop,
      waits,
    });
    if (header !== undefined && !lineagesOf(header).includes(log.header.lineage)) {
      await log.close();
      throw otherLogError('lineage', log.header.lineage, header.lineage, { address: log.address, command });
    }
    const missing = missingFromLog(attempts.values(), log.attempts);
    if (missing.length === 0 || log.fault() !== undefined) return { ...opening, log, fault: undefined };
    // Writes nothing to the log: a new entry would replace a deleted one, which could then not be restored.
    await log.close();
    throw cutError(missing, { address: log.address, command });
  } catch (error) {
    const passes =
      error instanceof BatchError &&
      (error.exitCode === EXIT.unavailable ||
        error.exitCode === EXIT.authentication ||
        error.code === 'state-altered');
    if (!passes || header === undefined) throw error;
    return { ...opening, log: undefined, fault: error };
  }
}
