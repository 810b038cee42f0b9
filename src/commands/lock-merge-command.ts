import path from 'node:path';
import { lockedError } from '../app/open-lockfile.js';
import { storageError } from '../app/storage-error.js';
import { BatchError, EXIT, type ExitCode, usageError } from '../core/errors.js';
import { formatUsd } from '../core/money.js';
import { shellWord } from '../core/shell.js';
import { shownEndpoint } from '../core/shown-address.js';
import { replaceFile } from '../lockfile/atomic-write.js';
import { joinWithJournals, retireJournals } from '../lockfile/former-log.js';
import { lockError } from '../lockfile/lock-error.js';
import { isRelated, type LockHeader, lineagesOf } from '../lockfile/lock-header.js';
import { serialiseLock } from '../lockfile/lock-text.js';
import { type Lock, type MergedLocks, mergeLocks } from '../lockfile/merge-locks.js';
import { scratchPath } from '../lockfile/private-folder.js';
import { linkToNothing, readLock } from '../lockfile/read.js';
import { acquireRunLock, holderOf } from '../lockfile/run-lock.js';
import { systemFiles } from '../node/files.js';
import { boughtTwiceTake } from '../plan/bought-twice-warning.js';
import { boughtTwiceLines } from '../report/bought-twice-text.js';
import { escapeForeign } from '../report/escape.js';
import { jsonDocument } from '../report/json-text.js';
import { MANIFEST_EXTENSION } from '../session/manifest-link.js';
import { endpointWords, nextCommandLine } from '../session/next-command-line.js';
import { openSession, type Session } from '../session/session.js';
import type { Flags } from '../session/settings.js';
import { parseStateAddress, stateAddressText } from '../shared-log/state-address.js';

const LOCKFILE_EXTENSION = '.lock.jsonl';
const SANDBOX_EXTENSION = '.sandbox';

/** Input files and output file of a merge. All absolute. */
interface Places {
  readonly first: string;
  readonly second: string;
  readonly target: string;
}

type Merged = MergedLocks & { readonly ok: true };

/**
 * Merges two lockfiles of one manifest into the first, or into `--out`, and reports what was bought twice. Keeps every
 * attempt.
 */
export async function mergeCommand(
  word: string,
  { out, ...flags }: Flags,
  [other = '']: readonly string[],
): Promise<ExitCode> {
  const session = await openSession(...(await namedBy(word, flags)));
  const first = session.settings.lockfilePath.value;
  const second = lockfileOf(other, session);
  const target = out === undefined ? first : path.resolve(out);
  const to = out === undefined ? [] : ['--out', shellWord(out)];
  const again = ['venice-batch lock merge', shellWord(word), shellWord(other), ...to];
  if (flags.sandbox === true) again.push('--sandbox');
  const state = flags.state === undefined ? [] : ['--state', shellWord(flags.state)];
  const apart = [
    'venice-batch lock merge',
    shellWord(word),
    shellWord(other),
    ...state,
    '--out merged.lock.jsonl',
  ];
  if (flags.sandbox === true) apart.push('--sandbox');
  const places = { first, second, target };
  let merged: Merged;
  try {
    await refuseOtherFile(session, places, out);
    merged = await mergeGuarded(session, places, again.join(' '), apart.join(' '));
  } catch (error) {
    throw await storageError(error, session.ports.files, {
      directory: path.dirname(target),
      next: [...again, ...state].join(' '),
    });
  }
  const next = await nextOf(
    session,
    word,
    target === first ? undefined : (out ?? target),
    merged.lock.header,
  );
  const { stdout } = session;
  if (flags.json === true) stdout.write(jsonDocument(document(places, merged, next)));
  else stdout.write(`${mergeText(places, merged).map(escapeForeign).join('\n')}\nNext: ${next}\n`);
  return EXIT.ok;
}

/** @param lockfile that was written, if it is not the first of the two */
async function nextOf(
  { settings }: Session,
  word: string,
  lockfile: string | undefined,
  { endpoint }: LockHeader,
): Promise<string> {
  // A lockfile of any name tells nothing about the manifest's.
  const manifest = (await isFile(settings.manifest)) ? settings.manifest : '-';
  const named = lockfile === undefined ? {} : { lockfile };
  const apart = endpoint === 'sandbox:' && !settings.sandbox ? { lockfile: word, sandbox: true } : {};
  const flags = { ...settings.flags, ...apart, ...named };
  return nextCommandLine('status', { manifest, flags }, endpointWords(settings, endpoint));
}

/**
 * A manifest stands for its lockfile; a lockfile next to its manifest, or in its sandbox, stands for both. Any other name
 * is a lockfile's: one from git or a backup may be called anything.
 */
async function namedBy(word: string, flags: Flags): Promise<[string, Flags]> {
  if (MANIFEST_EXTENSION.test(word)) return [word, flags];
  if (!word.endsWith(LOCKFILE_EXTENSION)) return [`${word}.yaml`, { ...flags, lockfile: word }];
  const stem = word.slice(0, -LOCKFILE_EXTENSION.length);
  for (const manifest of [`${stem}.yaml`, `${stem}.yml`])
    if (await isFile(manifest)) return [manifest, flags];
  const folder = path.dirname(stem);
  const outside = folder.slice(0, -SANDBOX_EXTENSION.length);
  if (folder.endsWith(SANDBOX_EXTENSION) && path.basename(outside) === path.basename(stem))
    for (const manifest of [`${outside}.yaml`, `${outside}.yml`])
      if (await isFile(manifest)) return [manifest, { ...flags, sandbox: true }];
  return [`${stem}.yaml`, { ...flags, lockfile: word }];
}

async function isFile(place: string): Promise<boolean> {
  const facts = await systemFiles.facts(path.resolve(place)).catch(() => undefined);
  return facts?.kind === 'file';
}

function lockfileOf(word: string, { settings }: Session): string {
  const full = path.resolve(word);
  if (!MANIFEST_EXTENSION.test(word)) return full;
  const stem = full.replace(MANIFEST_EXTENSION, '');
  const folder = settings.sandbox ? `${stem}.sandbox` : path.dirname(stem);
  return path.join(folder, `${path.basename(stem)}${LOCKFILE_EXTENSION}`);
}

/** Only one of the two inputs may be replaced, and no file is created through a link. */
async function refuseOtherFile(
  { ports: { files } }: Session,
  { first, second, target }: Places,
  out: string | undefined,
): Promise<void> {
  if (out === undefined) return;
  const facts = await files.facts(target);
  const dangling = (await linkToNothing(files, target)) !== undefined;
  if (facts === undefined && !dangling) return;
  const sources = await Promise.all([files.facts(first), files.facts(second)]);
  if (!dangling && sources.some((source) => source?.id === facts?.id)) return;
  throw usageError(
    `--out ${shellWord(out)} ${dangling ? 'is a link to a file that does not exist' : 'would overwrite another file'}`,
    'name a new file, or one of the two lockfiles',
    'output-file',
  );
}

/** Normalised as in headers. */
function logOf({ settings: { flags } }: Session): string | undefined {
  return flags.state === undefined ? undefined : stateAddressText(parseStateAddress(flags.state));
}

async function mergeGuarded(session: Session, places: Places, again: string, apart: string): Promise<Merged> {
  const { ports, command } = session;
  const { files, processes, clock, random } = ports;
  // Check first, because taking the run lock creates its folder.
  for (const place of [places.first, places.second]) await readOrThrow(session, place);
  const guard = await acquireRunLock(files, processes, clock, random, places.target);
  if (!guard.ok) throw lockedError(guard.held, command);
  try {
    const target = await files.real(places.target);
    for (const place of [places.first, places.second]) {
      // A link to the target has the lock that was just taken.
      const isTarget = (await files.real(place)) === target;
      const held = isTarget ? undefined : await holderOf(files, processes, clock, random, place);
      if (held !== undefined) throw lockedError(held, command);
    }
    const [first, second] = [
      await readOrThrow(session, places.first),
      await readOrThrow(session, places.second),
    ];
    const merged = mergeLocks(first, second, logOf(session));
    if (!merged.ok) throw notMerged(places, first, second, merged.why, again);
    if (places.target === places.first) await refuseForeign(session, places, first, second, apart);
    const { header, attempts } = merged.lock;
    const text = new TextEncoder().encode(serialiseLock(header, attempts.values()));
    await replaceFile(files, target, [text], scratchPath(random, target));
    await retireJournals(files, target, header);
    return merged;
  } finally {
    await guard.release();
  }
}

/** There is no way back from merging the lockfile of another album into this one: its purchases would use up the budget. */
async function refuseForeign(
  session: Session,
  { second: file }: Places,
  first: Lock,
  second: Lock,
  apart: string,
): Promise<void> {
  const { manifest } = await session.load();
  if (manifest === undefined || second.attempts.size === 0 || isRelated(first.header, second.header)) return;
  const ours = new Set([...manifest.takes, ...first.attempts.values()].map(({ track }) => track));
  if ([...second.attempts.values()].some(({ track }) => ours.has(track))) return;
  throw new BatchError(
    'lockfile-not-merged',
    `no track of ${shellWord(file)} is in ${shellWord(session.displayPath)}: it seems to belong to another manifest`,
    {
      exitCode: EXIT.lockfile,
      hint: `nothing was changed; to merge them into a new file: ${apart}`,
    },
  );
}

async function readOrThrow(session: Session, place: string): Promise<Lock> {
  const { ports, command, settings } = session;
  const read = await readLock(ports.files, place);
  const log = logOf(session);
  if (!read.ok && read.problems[0].kind === 'two_logs' && log !== undefined) {
    const joined = await joinWithJournals(ports.files, place, log);
    if (joined !== undefined) return joined;
  }
  const elsewhere = place === settings.lockfilePath.value ? [] : ['--lockfile', place];
  if (!read.ok)
    throw lockError(read.problems[0], place, (verb, ...words) => command(verb, ...words, ...elsewhere));
  if (read.header !== undefined) return { header: read.header, attempts: read.attempts };
  throw usageError(
    `there is no lockfile at ${shellWord(place)}`,
    'name two lockfiles, such as album.lock.jsonl; for one that is only in git: git show BRANCH:album.lock.jsonl > theirs.lock.jsonl',
    'lockfile-missing',
  );
}

function notMerged(
  places: Places,
  first: Lock,
  second: Lock,
  why: (MergedLocks & { ok: false })['why'],
  again: string,
): BatchError {
  const [a, b] = [shellWord(places.first), shellWord(places.second)];
  const { message, hint } = {
    other_endpoint: {
      message: `${a} belongs to ${shownEndpoint(first.header.endpoint)}, and ${b} to ${shownEndpoint(second.header.endpoint)}: a queue_id is valid only at the endpoint that issued it`,
      hint: 'nothing was changed: keep them in separate files, and pass one with --lockfile',
    },
    other_log: {
      message: `${a} is a copy of the shared log ${first.header.log}, and ${b} of ${second.header.log}: each has purchases that the other does not know`,
      hint: `nothing was changed: stop everything that uses the other log, and name the one to keep using; the next run adds what it lacks: ${again} --state ${shellWord(first.header.log ?? '')}`,
    },
    too_many_lineages: {
      message: `${a} and ${b} are merges of ${lineagesOf(first.header).length} and ${lineagesOf(second.header).length} lockfiles: too many for one`,
      hint: 'nothing was changed: start a new manifest for new tracks',
    },
    too_many_jobs: {
      message: `${a} and ${b} have more jobs under one attempt id than a merge can produce: one of them was edited`,
      hint: 'nothing was changed: restore the edited one from version control or a backup',
    },
  }[why];
  return new BatchError('lockfile-not-merged', message, { exitCode: EXIT.lockfile, hint });
}

/** The `--json` document. Fields are only ever added. */
function document({ first, second, target }: Places, { report, lock }: Merged, next: string): object {
  return {
    schema: 1,
    lockfile: target,
    merged: [first, second],
    lineages: lineagesOf(lock.header),
    attempts: report.attempts,
    only_in_first: report.onlyFirst,
    only_in_second: report.onlySecond,
    spent_micro_usd: report.spentMicroUsd,
    bought_twice: report.boughtTwice.map(boughtTwiceTake),
    next_command: next,
  };
}

function mergeText({ first, second, target }: Places, { report }: Merged): readonly string[] {
  const { attempts, onlyFirst, onlySecond, spentMicroUsd } = report;
  return [
    `${shellWord(target)} has ${attempts === 1 ? '1 attempt' : `${attempts} attempts`} now: ${onlyFirst} only from ${shellWord(first)}, ${onlySecond} only from ${shellWord(second)}`,
    `${formatUsd(spentMicroUsd)} spent in total`,
    ...boughtTwiceLines(report.boughtTwice),
  ];
}
