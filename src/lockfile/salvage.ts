import { createHash } from 'node:crypto';
import type { Code } from '../core/codes.js';
import type { Attempt } from './attempt.js';
import { attemptFault, fieldFault } from './check.js';

/** A member of an object: a string, a number, a truth value or an object without objects in it. */
const MEMBER =
  /"([a-z][a-z0-9_]{0,63})" {0,2}: {0,2}("(?:[^"\\]|\\.){0,4100}"|\d{1,16}|true|false|\{[^{}]{0,10000}\})/g;

/** Without these, it is uncertain which take a job belongs to. */
const IDENTITY = ['attempt', 'track', 'take', 'digest'] as const;

/** Longer lines are not ours, and one line names no more jobs than this: limits the work on a malicious file. */
const TEXT_LENGTH_MAX = 256 * 1024;
const VALUES_MAX = 16;

/** Stands for a track or model that cannot be read. */
const UNREADABLE = 'unreadable';

const REASON = 'lockfile-bad-line' satisfies Code;

/**
 * What can still be read of a damaged line, as valid records: its job may be paid, so its take must not be bought
 * again. A job whose state cannot be read is queued: the service knows. If it is uncertain which take the line is about,
 * the record is in doubt; with two queue ids, there is one for each. Empty if neither a track nor a queue id can be read.
 *
 * @param earlier the attempt as an undamaged line has it, by its id
 */
export function salvage(
  text: string,
  earlier: (attempt: string) => Attempt | undefined = () => undefined,
): readonly Attempt[] {
  const members = membersOf(text);
  const first = Object.fromEntries(
    [...members].map(([name, values]) => [name, values[0]]),
  ) as Partial<Attempt>;
  const queueIds = (members.get('queue_id') ?? []) as readonly string[];
  const base = first.attempt === undefined ? undefined : earlier(first.attempt);
  if (first.track === undefined && base === undefined && queueIds.length === 0) return [];
  const record = { ...(base ?? placeholders(text, first.track)), ...first } as Attempt;
  const isSure = (name: (typeof IDENTITY)[number]) => {
    const [value, ...others] = members.get(name) ?? [base?.[name]];
    return value !== undefined && others.length === 0 && (base === undefined || value === base[name]);
  };
  if (queueIds.length <= 1 && IDENTITY.every(isSure)) {
    const likely = [...(first.state === undefined ? [] : [record]), { ...record, state: 'queued' as const }];
    const sound = likely.find((one) => attemptFault(one) === undefined);
    if (sound !== undefined) return [sound];
  }
  const doubt = inDoubt(record);
  return queueIds.length === 0 ? [doubt] : queueIds.map((queue_id) => ({ ...doubt, queue_id }));
}

function inDoubt(record: Attempt): Attempt {
  const { attempt, rev, track, take, stem, digest, parts, model, quote_micro_usd, key, at } = record;
  return {
    ...{ attempt, rev, track, take, stem, digest, parts, model, quote_micro_usd, key },
    ...(record.duration_seconds !== undefined && { duration_seconds: record.duration_seconds }),
    state: 'in_doubt',
    reason: { code: REASON },
    at: at.intent === undefined ? {} : { intent: at.intent },
  };
}

/** Whether a damaged line is the only record of the attempt: it is uncertain which take it belongs to. */
export function isSalvaged({ state, reason }: Attempt): boolean {
  return state === 'in_doubt' && reason?.code === REASON;
}

/** The different valid values of each field of an attempt, in order of appearance. */
function membersOf(text: string): ReadonlyMap<string, readonly unknown[]> {
  const members = new Map<string, unknown[]>();
  for (const [, name = '', json = ''] of text.slice(0, TEXT_LENGTH_MAX).matchAll(MEMBER)) {
    const value = parsed(json);
    if (value === undefined || fieldFault(name, value) !== undefined) continue;
    const known = members.get(name) ?? [];
    if (known.length < VALUES_MAX && !known.includes(value)) members.set(name, [...known, value]);
  }
  return members;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function placeholders(text: string, track = UNREADABLE): Omit<Attempt, 'state'> {
  return {
    attempt: createHash('sha256').update(text).digest('hex').slice(0, 32),
    rev: 1,
    track,
    take: 1,
    stem: track,
    digest: `v1:${'0'.repeat(64)}`,
    parts: {},
    model: UNREADABLE,
    quote_micro_usd: 0,
    key: '0'.repeat(16),
    at: {},
  };
}
