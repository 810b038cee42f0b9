import type { Diagnostic } from '../core/diagnostic.js';
import { BatchError, EXIT } from '../core/errors.js';
import type { Ports } from '../core/ports.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import { lineagesOf } from '../lockfile/lock-header.js';
import { ownRuns } from '../lockfile/own-runs.js';
import type { UsableLock } from '../lockfile/read.js';
import { readSeen } from '../lockfile/seen-entries.js';
import type { Manifest } from '../manifest/take.js';
import { mayBeKept } from '../plan/history.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { SharedLog } from '../shared-log/shared-log.js';
import { checkLog, otherLog } from './opening.js';
import { otherManifest } from './other-manifest.js';
import type { State } from './shared-state.js';

/** Data of a read-only command: the shared log if it can be reached, else the lockfile. */
export interface SharedView {
  readonly attempts: readonly Attempt[];
  /** Whether the shared log was asked; otherwise only the lockfile was read. */
  readonly fromLog?: boolean;
  /** Nothing is known: the log was not read, or not to its end, and there is no record of it here. */
  readonly unknown?: boolean;
  /** What was reported. Absent: nothing. */
  readonly warnings?: readonly Diagnostic[];
  /** Where to fetch files stored by other machines. */
  readonly audio?: AudioStore | undefined;
  /** See `DecideInput.fetchable`. */
  readonly fetchable?: ((attempt: Attempt) => boolean) | undefined;
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
  /** Without any record, too, it shows what there is. Otherwise an unread log is an error: it is not an empty one. */
  readonly showsUnknown?: boolean | undefined;
  /** If it can be used: to see whether the shared log is its own. */
  readonly manifest: Manifest | undefined;
}

/**
 * Adds the records of the shared log to those of the lockfile. Writes nothing. If the log cannot be read, this is
 * reported and only the lockfile counts. Throws a `BatchError`: 9 if the log belongs to another lockfile, and the log's
 * own error if it cannot be read and the lockfile has no records.
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
  const { lockfilePath, again } = settings;
  const own = [...read.attempts.values()];
  const named = read.header?.log;
  const warnings: Diagnostic[] = [];
  const report = ({ code, message, hint }: Pick<Diagnostic, 'code' | 'message' | 'hint'>) => {
    warnings.push({ code, severity: 'warning', message, hint });
    warn(message, hint);
  };
  const unread = (error: BatchError, shown: Pick<Diagnostic, 'code' | 'message' | 'hint'>) => {
    const unknown = own.length === 0;
    if (unknown && settings.showsUnknown !== true) throw error;
    report(unknown ? error : shown);
    return { attempts: own, unknown, warnings };
  };
  if (state === undefined) {
    // Buying is refused in this case. A lockfile is untrusted, so a log is not contacted just because a lockfile names
    // it.
    if (named === undefined) return { attempts: own };
    settings.noteLog?.(named);
    const message = `the lockfile is a copy of the shared log ${named}: showing what the copy has`;
    const hint = `to read the log itself: ${again('--state', named)}`;
    const seen = unread(otherLog(named, undefined, lockfilePath, again), {
      code: 'state-needed',
      message,
      hint,
    });
    // What that log has is unknown: perhaps the audio, too.
    return { ...seen, fetchable: ({ file }) => file !== undefined };
  }
  checkLog(read.header, state.address, lockfilePath, again);
  const place = {
    fromLog: true,
    audio: state.audio,
    fetchable: fetchableFrom(ports, settings, state),
  } as const;
  const result = await readLogOnce(ports, settings, read, state);
  if (result.seen === undefined) {
    const { error } = result;
    const message = `${error.message}: showing what this machine's lockfile has`;
    return { ...unread(error, { code: error.code, message, hint: error.hint }), ...place };
  }
  const { fault, foreign, ...view } = result.seen;
  // A damaged log is shown as far as it goes, but without a lockfile nothing says how much is missing.
  const partly = fault && unread(fault, fault);
  if (foreign !== undefined)
    report({ code: 'state-other-manifest', message: foreign.message, hint: foreign.hint });
  const unknown = partly?.unknown === true && view.attempts.length === 0;
  return { ...view, ...place, unknown, warnings };
}

/** Without an audio store the service's copies are kept. */
function fetchableFrom({ clock }: Ports, { allowSingleCopy }: ViewSettings, { audio }: State) {
  const nowMs = clock.nowMs();
  const isAlone = allowSingleCopy || audio !== undefined;
  return isAlone ? undefined : (attempt: Attempt) => mayBeKept(attempt, nowMs);
}

type Seen = Pick<SharedView, 'attempts' | 'keptBy'> & {
  readonly fault: BatchError | undefined;
  readonly foreign: ReturnType<typeof otherManifest>;
};

/** Reads the log, or returns why it cannot. As for a run, what the lockfile knows can then still be shown. */
async function readLogOnce(
  ports: Ports,
  settings: ViewSettings,
  read: UsableLock,
  state: State,
): Promise<{ readonly seen: Seen } | { readonly seen?: undefined; readonly error: BatchError }> {
  const { lockfilePath, command, allowSingleCopy, manifest } = settings;
  try {
    const log = await openToRead(ports, settings, read, state);
    const attempts = await folded(log, read);
    const fault = log.fault() ?? (await cutOf(log, read, command));
    const foreign = read.header === undefined ? otherManifest(log.address, manifest, attempts) : undefined;
    const alone = allowSingleCopy && state.audio === undefined;
    const mine = alone ? await ownRuns(ports.files, await ports.files.real(lockfilePath)) : undefined;
    const keptBy = mine && ((attempt: Attempt) => machineWith(log, attempt, mine));
    await log.close();
    return { seen: { attempts, keptBy, fault, foreign } };
  } catch (error) {
    if (!(error instanceof BatchError)) throw error;
    const isCut = error.code === 'state-altered' && read.header !== undefined;
    if (error.exitCode === EXIT.lockfile && !isCut) throw error;
    return { error };
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
