import { createHash } from 'node:crypto';
import type { Code } from '../core/codes.js';
import type { Attempt } from './attempt.js';
import { fieldFault } from './check.js';

/**
 * A member of an object: a string, a number, a truth value or an object without objects in it. What follows a number shows
 * that it is whole.
 */
const MEMBER =
  /"([a-z][a-z0-9_]{0,63})" {0,2}: {0,2}("(?:[^"\\]|\\.){0,4100}"|\d{1,16}(?= {0,2}[,}])|true|false|\{[^{}]{0,10000}\})/g;

/** Longer lines are not ours, and one line names no more jobs than this: limits the work on a malicious file. */
const TEXT_LENGTH_MAX = 256 * 1024;
const RECORDS_MAX = 16;

/** Stands for a track or model that cannot be read. */
export const UNREADABLE = 'unreadable';
/** Stands for a request that is known only from a damaged line: it may be the one that the manifest has now. */
export const UNKNOWN_DIGEST = `v0:${'0'.repeat(64)}`;

const REASON = 'lockfile-bad-line' satisfies Code;
const REASON_MISSING = 'lockfile-incomplete' satisfies Code;

/**
 * What can still be read of damaged lines, as records. Its jobs may be paid, so nothing may be bought before the user
 * has settled them: a damaged line proves nothing, not even the id of a job, so all are in doubt, and their requests are
 * unknown. Lines of which neither a track nor a queue id can be read are one record together.
 *
 * @param whole the text of the lockfile: two damaged files can have equal lines, and what the user said about one of
 *   them must not count for the other
 * @param earlier the attempt as an undamaged line has it, by its id
 */
export function salvage(
  texts: readonly string[],
  whole: string,
  earlier: (attempt: string) => Attempt | undefined,
): readonly (readonly Attempt[])[] {
  const file = digestOf(whole);
  const found = texts.map((text, at) => salvageLine(text, `${file} ${at}`, earlier));
  const first = found.findIndex((records) => records.includes(undefined));
  return found.map((records, at) => [
    ...records.filter((record) => record !== undefined),
    ...(at === first ? [inDoubt(file, {})] : []),
  ]);
}

/** Stands for all that lines which are missing may have recorded. */
export function missingLines(whole: string): Attempt {
  return { ...inDoubt(`${digestOf(whole)} missing`, {}), reason: { code: REASON_MISSING } };
}

/** Each record that the line has parts of: `undefined` if neither its take nor its job can be read. */
function salvageLine(
  text: string,
  place: string,
  earlier: (attempt: string) => Attempt | undefined,
): readonly (Attempt | undefined)[] {
  if (isOtherLine(text)) return [];
  const parts = partsOf(text);
  if (parts.length === 0) return [undefined];
  const rejected = parts.length === 1 && REJECTED.test(text) ? parts[0]?.at?.rejected : undefined;
  return parts.flatMap((part, at) => {
    const known = part.attempt === undefined ? undefined : earlier(part.attempt);
    // A sound line without a job leaves its attempt in doubt, which is settled once: the report names the job.
    if (known !== undefined && isOfTake(known, part) && (part.queue_id === undefined || isOpen(known)))
      return [];
    if (part.track === undefined && part.queue_id === undefined) return [undefined];
    if (known === undefined) return [inDoubt(`${place} ${at}`, part, rejected)];
    const take = isOfTake(known, part) ? { track: known.track, take: known.take } : {};
    return [inDoubt(`${place} ${at}`, { ...part, ...take, attempt: undefined }, rejected)];
  });
}

/** Whether what can be read of the track and the take is that of an attempt. */
function isOfTake(attempt: Attempt, { track = attempt.track, take = attempt.take }: Read): boolean {
  return track === attempt.track && take === attempt.take;
}

function isOpen({ state, queue_id }: Attempt): boolean {
  return queue_id === undefined && (state === 'intent' || state === 'in_doubt');
}

/** Whether a damaged line was a header or an end mark, which name no job, and does not run into a record. */
export function isOtherLine(text: string): boolean {
  return OTHER_LINES.test(text) && !RECORD.test(text);
}

const OTHER_LINES = /^\{"(?:format|end)":/;
/** Fields of a record that no other line has. */
const RECORD = /"(?:take|attempt|rev|state|queue_id|model|quote_micro_usd|stem|parts|key|at)" ?:/;

/** How a line begins that records that an attempt was rejected, before it had a job. */
const REJECTED = /^\{"track":"[^"]*","take":\d+,"attempt":"[^"]*","rev":\d+,"state":"rejected","model":"/;

type Read = { readonly [Name in keyof Attempt]?: Attempt[Name] | undefined };

/** Stands for the take of a track until it is known which takes of it have other records. */
export const UNREAD_TAKE = 0;

/**
 * @param place distinguishes records whose attempts cannot be read
 * @param rejected when the attempt was rejected, if it certainly was
 */
function inDoubt(place: string, read: Read, rejected?: string): Attempt {
  const track = read.track ?? UNREADABLE;
  return {
    attempt: read.attempt ?? digestOf(place).slice(0, 32),
    rev: 1,
    state: 'in_doubt',
    track,
    take: read.take ?? (read.track === undefined ? 1 : UNREAD_TAKE),
    stem: track,
    digest: UNKNOWN_DIGEST,
    parts: {},
    model: read.model ?? UNREADABLE,
    quote_micro_usd: read.quote_micro_usd ?? 0,
    key: NO_KEY,
    at: {
      ...(read.at?.intent !== undefined && { intent: read.at.intent }),
      ...(rejected !== undefined && { rejected }),
    },
    reason: { code: REASON },
    ...(read.queue_id !== undefined && { queue_id: read.queue_id }),
    ...(read.duration_seconds !== undefined && { duration_seconds: read.duration_seconds }),
    // The line was a copy of a record in the shared log.
    ...(read.log_rev !== undefined && { log_rev: 1 }),
    ...fileNamed(read),
  };
}

/** Stands for a signature that cannot be read. */
const NO_KEY = '0'.repeat(16);

/** Whether the damaged line that a doubt was made of certainly named no job. */
export function hadNoJob({ queue_id, at }: Attempt): boolean {
  return queue_id === undefined && at.rejected !== undefined;
}

/** The same doubt as a separate attempt, so that no record of its attempt can replace it. */
export function setApart({ log_rev: _, ...doubt }: Attempt): Attempt {
  return { ...doubt, attempt: digestOf(`${doubt.attempt} apart`).slice(0, 32) };
}

/**
 * The file that the line names, with the signature that covers the attempt, its job and the file's hash: `resolve` takes
 * the file only if the signature is right. Until then no file counts as this attempt's.
 */
function fileNamed({ attempt, track, take, queue_id, file, key }: Read): Partial<Attempt> {
  const isSigned = attempt !== undefined && queue_id !== undefined && key !== undefined;
  if (!isSigned || file === undefined || track === undefined || take === undefined) return {};
  return { kept: file, key };
}

/** The same doubt without the file that its line names. */
export function withoutNamedFile(attempt: Attempt): Attempt {
  if (!isSalvaged(attempt) || attempt.kept === undefined) return attempt;
  const { kept: _, ...doubt } = attempt;
  return { ...doubt, key: NO_KEY };
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether a damaged or missing line is the only record of the attempt: it is uncertain which take it belongs to. */
export function isSalvaged(attempt: Attempt): boolean {
  return isMissing(attempt) || (attempt.state === 'in_doubt' && attempt.reason?.code === REASON);
}

/** Whether the attempt stands for lines that are missing. */
export function isMissing({ state, reason }: Attempt): boolean {
  return state === 'in_doubt' && reason?.code === REASON_MISSING;
}

/** Whether nothing can be read of the attempt, so that it may be about any take and any job. */
export function isUnread({ track, queue_id }: Attempt): boolean {
  return track === UNREADABLE && queue_id === undefined;
}

/** Fields that a record has once, and at its top level: another one belongs to the next record. */
const ONCE: ReadonlySet<string> = new Set([
  ...['track', 'take', 'attempt', 'rev', 'state', 'queue_id', 'stem', 'digest', 'key', 'log_rev'],
]);

/** The valid values of the records that a text has parts of, in order of appearance. */
function partsOf(text: string): readonly Read[] {
  const parts: Map<string, unknown>[] = [];
  for (const [, name = '', json = ''] of text.slice(0, TEXT_LENGTH_MAX).matchAll(MEMBER)) {
    const value = parsed(json);
    if (value === undefined || fieldFault(name, value) !== undefined) continue;
    const last = parts.at(-1);
    if (last === undefined || (ONCE.has(name) && last.has(name))) {
      if (parts.length === RECORDS_MAX) break;
      parts.push(new Map([[name, value]]));
    } else if (!last.has(name)) last.set(name, value);
  }
  return parts.map((part) => Object.fromEntries(part) as Read);
}

/** The ids of attempts that can be read in a damaged line. */
export function attemptsIn(text: string): readonly string[] {
  return partsOf(text).flatMap(({ attempt }) => attempt ?? []);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
