import type { Diagnostic } from '../core/diagnostic.js';
import { shellWord } from '../core/shell.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { NextCommand } from '../lockfile/lock-error.js';
import type { Take } from '../manifest/take.js';
import { takeId } from './history.js';
import type { PlanRow, Purchase } from './plan.js';

/** The latest attempt for each take, sorted by track and take. */
export function latestAttempts(attempts: Iterable<Attempt>): readonly Attempt[] {
  return [...latestBy(attempts, takeId).values()].sort((a, b) =>
    a.track === b.track ? a.take - b.take : a.track < b.track ? -1 : 1,
  );
}

function latestBy(
  attempts: Iterable<Attempt>,
  nameOf: (attempt: Attempt) => string,
): ReadonlyMap<string, Attempt> {
  const latest = new Map<string, Attempt>();
  for (const attempt of attempts) {
    const name = nameOf(attempt);
    const known = latest.get(name);
    if (known === undefined || madeAt(attempt) >= madeAt(known)) latest.set(name, attempt);
  }
  return latest;
}

function madeAt({ at }: Attempt): string {
  return at.intent ?? '';
}

/** A key for a (track, take) with one request. */
function ofRequest(of: Pick<Attempt, 'track' | 'take' | 'digest'>): string {
  return `${takeId(of)} ${of.digest}`;
}

/** Without a manifest: every take in the lockfile, as last requested. */
export function lastRequested(attempts: Iterable<Attempt>): readonly Take[] {
  const span = { file: '', line: 1, column: 1, endLine: 1, endColumn: 1 };
  return latestAttempts(attempts).map((attempt) => {
    const { track, take, digest, parts, stem, model } = attempt;
    const about = { track, take, takes: 1, digest, parts, stem };
    return { key: takeKey(attempt), ...about, request: { model, prompt: '' }, span, fieldSpans: {} };
  });
}

const UNSUCCESSFUL: ReadonlySet<string> = new Set(['failed', 'lost', 'rejected']);

/**
 * By take key: the newest attempt for a row that uses an older one, if the newest failed. An attempt that another machine
 * began before the older one was stored was not meant to replace it.
 */
export function newerFailures(
  rows: readonly PlanRow[],
  attempts: Iterable<Attempt>,
): ReadonlyMap<string, Attempt> {
  const latest = latestBy(attempts, ofRequest);
  const failures = new Map<string, Attempt>();
  for (const { take, decision } of rows) {
    const rests = decision.kind === 'done' || (decision.kind === 'held' && decision.because === 'missing');
    const newest = latest.get(ofRequest(take));
    if (!rests || newest === undefined || newest.attempt === decision.attempt.attempt) continue;
    const wasStored = madeAt(newest) >= (decision.attempt.at.stored ?? '');
    if (wasStored && UNSUCCESSFUL.has(newest.state)) failures.set(take.key, newest);
  }
  return failures;
}

/**
 * The rows at the end of a run. A take that this run was to make again but could not shows that outcome, although the
 * earlier file is still here. Any other run treats it as done.
 *
 * @param purchases that were approved
 * @param startedMs when the run began, ms since the epoch
 * @param known attempts from before: one of another machine is new even if that machine's clock is behind
 */
export function rowsOfRun(
  rows: readonly PlanRow[],
  attempts: readonly Attempt[],
  purchases: readonly Purchase[],
  startedMs: number,
  known?: ReadonlySet<string>,
): readonly PlanRow[] {
  const failures = newerFailures(rows, attempts);
  const isNew = ({ attempt, at }: Attempt) => since(at.intent, startedMs) || known?.has(attempt) === false;
  const began = new Set(attempts.filter(isNew).map(takeId));
  const unsent = new Map(
    purchases.filter(({ take }) => !began.has(takeId(take))).map(({ take, why }) => [take.key, why]),
  );
  return rows.map(({ take, decision }): PlanRow => {
    const failure = failures.get(take.key);
    if (failure !== undefined && since(failure.at[failure.state], startedMs)) {
      const because = failure.state as 'failed' | 'lost' | 'rejected';
      const kept = decision.kind === 'done' ? { kept: decision.attempt } : {};
      return { take, decision: { kind: 'held', because, attempt: failure, ...kept } };
    }
    const why = unsent.get(take.key);
    if (decision.kind === 'done' && why !== undefined) return { take, decision: { kind: 'buy', why } };
    return { take, decision };
  });
}

function since(time: string | undefined, startedMs: number): boolean {
  return Date.parse(time ?? '') >= startedMs;
}

/** Whether every file ever made is missing: more likely the wrong folder than a total loss. */
export function isNothingHere(rows: readonly PlanRow[]): boolean {
  const isHere = ({ decision }: PlanRow) =>
    (decision.kind === 'done' && decision.elsewhere !== true) ||
    (decision.kind === 'collect' && decision.attempt.state === 'stored');
  return !rows.some(isHere) && rows.some((row) => missingOf(row) !== undefined);
}

/** What to do about missing files if none that the lockfile names is here, or if some can still be downloaded. */
export function missingHint(rows: readonly PlanRow[], command: NextCommand): string {
  const one = rows.filter((row) => missingOf(row) !== undefined).length === 1;
  const them = one ? 'it' : 'them';
  if (rows.some(isFetchable))
    return `to download ${them}, at no cost as long as the service or the shared log has ${them}: ${command('collect')}`;
  return `if the ${one ? 'file was' : 'files were'} made with --out-dir, pass that folder again; otherwise put ${them} back`;
}

/** More likely the wrong folder than everything being gone. */
export function noFileHere(
  rows: readonly PlanRow[],
  placeOf: (file: string) => string,
  command: NextCommand = (...words) => words.join(' '),
): readonly Diagnostic[] {
  if (!isNothingHere(rows)) return [];
  const missing = rows.flatMap((row) => missingOf(row)?.file?.path ?? []);
  const example = shellWord(placeOf(missing[0] ?? ''));
  return [
    {
      code: 'no-file-here',
      severity: 'warning',
      message:
        missing.length === 1
          ? `the only file in the lockfile is missing: ${example}`
          : `all ${missing.length} files in the lockfile are missing, such as ${example}`,
      hint: missingHint(rows, command),
    },
  ];
}

/** The attempt whose file is gone, even if `--retry-failed` would buy it again. */
export function missingOf({ decision }: PlanRow): Attempt | undefined {
  if (decision.kind === 'held') return decision.because === 'missing' ? decision.attempt : undefined;
  if (decision.kind !== 'buy' || decision.why.kind !== 'retry') return undefined;
  return decision.why.earlier.state === 'done' ? decision.why.earlier : undefined;
}

/** Whether `collect` may still get its missing file, at no cost. */
export function isFetchable({ decision }: PlanRow): boolean {
  return decision.kind === 'held' && decision.fetchable === true;
}

/** Whether the file is kept elsewhere, as the manifest says, or on another machine. */
export function isElsewhere({ decision }: PlanRow): boolean {
  return decision.kind === 'done' && decision.elsewhere === true;
}

/** True if the file is in the audio store only, and the next run downloads it. */
export function isInStore({ decision }: PlanRow): boolean {
  return decision.kind === 'done' && decision.inStore === true;
}

/** Name of the other machine that has the file of a take, if known. */
export function machineOf({ decision }: Pick<PlanRow, 'decision'>): string | undefined {
  return decision.kind === 'done' ? decision.machine : undefined;
}
