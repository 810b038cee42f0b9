import { BatchError, EXIT } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import { lineagesOf } from '../lockfile/lock-header.js';
import { ownRuns } from '../lockfile/own-runs.js';
import type { UsableLock } from '../lockfile/read.js';
import { readSeen } from '../lockfile/seen-entries.js';
import type { Manifest } from '../manifest/take.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { SharedLog } from '../shared-log/shared-log.js';
import { checkLog } from './opening.js';
import { otherManifest } from './other-manifest.js';
import type { State } from './shared-state.js';

/** Data of a read-only command: the shared log if it can be reached, else the lockfile. */
export interface SharedView {
  readonly attempts: readonly Attempt[];
  /** Whether the shared log was read; otherwise only the lockfile was. */
  readonly fromLog?: boolean;
  /** Where to fetch files stored by other machines. */
  readonly audio?: AudioStore | undefined;
  /** See `DecideInput.keptBy`. */
  readonly keptBy?: ((attempt: Attempt) => string | undefined) | undefined;
}

export interface ViewSettings {
  /** Absolute. */
  readonly lockfilePath: string;
  readonly endpoint: string;
  readonly command: NextCommand;
  /** The same command with these words, for messages. */
  again(...words: string[]): string;
  /** Only the lockfile names this log: a run without its address would be refused. */
  noteLog?: ((address: string) => void) | undefined;
  /** One machine's disk is enough to keep a file. */
  readonly allowSingleCopy: boolean;
  /** If it can be used: to see whether the shared log is its own. */
  readonly manifest: Manifest | undefined;
}

/**
 * Adds the records of the shared log to those of the lockfile. Writes nothing. If the log cannot be reached, this is
 * reported and only the lockfile counts. Throws a `BatchError` (9) if the log belongs to another lockfile.
 *
 * @param state as named by settings and manifest; absent: none
 */
export async function sharedView(
  ports: Ports,
  settings: ViewSettings,
  read: UsableLock,
  state: State | undefined,
  warn: (message: string, hint?: string) => void,
): Promise<SharedView> {
  const { lockfilePath, command, again, allowSingleCopy } = settings;
  const own = [...read.attempts.values()];
  const named = read.header?.log;
  if (state === undefined) {
    // Buying is refused in this case. A lockfile is untrusted, so a log is not contacted just because a lockfile names
    // it.
    if (named === undefined) return { attempts: own };
    settings.noteLog?.(named);
    warn(
      `the lockfile is a copy of the shared log ${named}: showing what the copy has`,
      `to read the log itself: ${again('--state', named)}`,
    );
    return { attempts: own };
  }
  checkLog(read.header, state.address, lockfilePath, again);
  try {
    const log = await openToRead(ports, settings, read, state);
    const attempts = await folded(log, read);
    const fault = log.fault() ?? (await cutOf(log, read, command));
    if (fault !== undefined) warn(fault.message, fault.hint);
    const foreign =
      read.header === undefined ? otherManifest(log.address, settings.manifest, attempts) : undefined;
    if (foreign !== undefined) warn(foreign.message, foreign.hint);
    const alone = allowSingleCopy && state.audio === undefined;
    const mine = alone ? await ownRuns(ports.files, await ports.files.real(lockfilePath)) : undefined;
    const keptBy = mine && ((attempt: Attempt) => machineWith(log, attempt, mine));
    await log.close();
    return { attempts, fromLog: true, audio: state.audio, keptBy };
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    // As for a run: what the lockfile knows can still be shown.
    const isCut = error.code === 'state-altered' && read.header !== undefined;
    if (error.exitCode === EXIT.lockfile && !isCut) throw error;
    warn(`${error.message}: showing what this machine's lockfile has`, error.hint);
    return { attempts: own, fromLog: true, audio: state.audio };
  }
}

async function openToRead(
  { clock, random, files }: Ports,
  { endpoint, command, again, lockfilePath }: ViewSettings,
  { header }: UsableLock,
  state: State,
): Promise<SharedLog> {
  const lockPath = await files.real(lockfilePath);
  const log = await state.openLog({
    runId: '0'.repeat(32),
    endpoint,
    // For a merged lockfile any lineage is accepted: see below.
    lineage: header?.was === undefined ? header?.lineage : undefined,
    newLineage: () => header?.lineage ?? '0'.repeat(32),
    entriesMin: header?.log === undefined ? 0 : await readSeen(files, lockPath, lineagesOf(header)),
    access: 'read',
    isFresh: header === undefined,
    clock,
    random,
    command,
    retry: again(),
  });
  if (header === undefined || lineagesOf(header).includes(log.header.lineage)) return log;
  await log.close();
  // Loaded only if there is a shared log.
  const { otherLogError } = await import('../shared-log/state-error.js');
  throw otherLogError('lineage', log.header.lineage, header.lineage, { address: log.address, command });
}

async function cutOf(
  log: SharedLog,
  { attempts }: UsableLock,
  command: NextCommand,
): Promise<BatchError | undefined> {
  const { missingFromLog } = await import('../shared-log/placement.js');
  const missing = missingFromLog(attempts.values(), log.attempts);
  if (missing.length === 0) return undefined;
  const { cutError } = await import('../shared-log/state-error.js');
  return cutError(missing, { address: log.address, command });
}

async function folded(log: SharedLog, { attempts }: UsableLock): Promise<readonly Attempt[]> {
  const { doubtsApart, isBehind, placedApart, settledByLog } = await import('../shared-log/placement.js');
  const settled = settledByLog(attempts, log.attempts);
  const apart = doubtsApart(attempts, log.attempts);
  const gone = new Set([...settled, ...apart.keys()]);
  const arriving = [...log.attempts.values()].flatMap((shared) => {
    const known = attempts.get(shared.attempt);
    const isNews = known === undefined || gone.has(shared.attempt) || isBehind(known, shared);
    return isNews ? [{ shared, known, run: log.originOf(shared.attempt)?.run }] : [];
  });
  const all = new Map(attempts);
  for (const attempt of gone) all.delete(attempt);
  for (const doubt of apart.values()) all.set(doubt.attempt, doubt);
  for (const attempt of placedApart(arriving, attempts)) all.set(attempt.attempt, attempt);
  return [...all.values()];
}

/** The machine that stored an attempt's file, if that is not this one. */
function machineWith(log: SharedLog, attempt: Attempt, mine: ReadonlySet<string>): string | undefined {
  const run = log.originOf(attempt.attempt)?.by;
  if (attempt.file === undefined || run === undefined || mine.has(run)) return undefined;
  return log.hostOf(run) ?? 'another machine';
}
