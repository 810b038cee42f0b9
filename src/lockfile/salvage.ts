import { createHash } from 'node:crypto';
import type { Code } from '../core/codes.js';
import type { Attempt } from './attempt.js';
import { attemptFault, fieldFault } from './check.js';

/** A member of an object: a string, a number, a truth value or an object without objects in it. */
const MEMBER =
  /"([a-z][a-z0-9_]{0,63})" {0,2}: {0,2}("(?:[^"\\]|\\.){0,4100}"|\d{1,16}|true|false|\{[^{}]{0,10000}\})/g;

/** Without these, it is uncertain which take a job belongs to, or what became of it. */
const NEEDED = ['attempt', 'track', 'take', 'digest', 'state'] as const;

/** Longer lines are not ours, and one line names no more jobs than this: limits the work on a malicious file. */
const TEXT_LENGTH_MAX = 256 * 1024;
const VALUES_MAX = 16;

/** Stands for a track or model that cannot be read. */
const UNREADABLE = 'unreadable';

const REASON = 'lockfile-bad-line' satisfies Code;

/**
 * What can still be read of a damaged line, as valid records: its job may be paid, so its take must not be bought
 * again. If anything is missing that says which take it is or what became of it, the record is in doubt. A line with
 * two queue ids gives a record for each. Empty if neither a track nor a queue id can be read.
 */
export function salvage(text: string): readonly Attempt[] {
  const members = membersOf(text);
  const first = Object.fromEntries([...members].map(([name, values]) => [name, values[0]]));
  const queueIds = (members.get('queue_id') ?? []) as readonly string[];
  if (first.track === undefined && queueIds.length === 0) return [];
  const record = { ...placeholders(text, first.track as string | undefined), ...first } as Attempt;
  const isClear = NEEDED.every((name) => members.get(name)?.length === 1) && queueIds.length <= 1;
  if (isClear && attemptFault(record) === undefined) return [record];
  const { attempt, rev, track, take, stem, digest, parts, model, quote_micro_usd, key, at } = record;
  const request = { attempt, rev, track, take, stem, digest, parts, model, quote_micro_usd, key };
  const doubt: Attempt = {
    ...request,
    ...(record.duration_seconds !== undefined && { duration_seconds: record.duration_seconds }),
    state: 'in_doubt',
    reason: { code: REASON },
    at: at.intent === undefined ? {} : { intent: at.intent },
  };
  return queueIds.length === 0 ? [doubt] : queueIds.map((queue_id) => ({ ...doubt, queue_id }));
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
