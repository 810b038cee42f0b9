import { REQUEST_FIELDS } from '../core/audio-request.js';
import { isQueueId } from '../core/queue-id.js';
import type { Attempt, AttemptState, LimitedRoute, StoredFile } from './attempt.js';
import type { LockHeader } from './lock-header.js';
import { LINEAGES_MAX, LOCK_VERSION_SHARED } from './lock-header.js';
import type { EndMark } from './seal.js';

/*
 * These checks are hand-written because `status` and every `run` load this file, and ajv would take longer to start
 * than reading the whole lockfile. `schemas/lockfile.schema.json` says the same for other tools, and a test compares
 * the two.
 *
 * Unknown fields come from a newer release: they are kept and written back. A field that changes what a line means for
 * money requires a new version, which is refused. Version 1 had no checksums to tell a newer field from damage, so
 * there an unknown field is an error.
 */

/** The oldest version that can be read. */
const LOCK_VERSION_MIN = 1;

/** A higher `rev` means damage: no run counts this far. */
export const REV_SOUND_MAX = 1_000_000;

/** A higher `rev` leaves too little room to count on, so it is read as one that is still higher than any real one. */
export const REV_ROOMY_MAX = 900_000;
const REV_LOWERED = 500_000;

/** What is read can always be counted on, and what is then written can always be read. */
export function withRoom(attempt: Attempt): Attempt {
  return attempt.rev > REV_ROOMY_MAX ? { ...attempt, rev: REV_LOWERED } : attempt;
}

/** Limits on what is carried for a newer release. */
const UNKNOWN_FIELDS_MAX = 32;
const UNKNOWN_DEPTH_MAX = 8;
/** Fields of other kinds of lines, or of the line itself. */
const OTHER_LINES = ['format', 'end', 'sum'];
const FIELD_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/** The higher rank wins if two records of one attempt have the same `rev`. */
export const STATE_RANK: Readonly<Record<AttemptState, number>> = {
  intent: 0,
  rejected: 1,
  in_doubt: 2,
  queued: 3,
  failed: 4,
  lost: 5,
  unverified: 6,
  stored: 7,
  done: 8,
};

type Check = (value: unknown) => string | undefined;
type NestedCheck = (value: unknown, unknown: Unknown) => string | undefined;
type Checks = Readonly<Record<string, NestedCheck>>;

/**
 * Describes what is wrong with a parsed record, or returns `undefined` for a valid `Attempt`.
 * @param unknown whether unknown fields are carried or refused
 */
export function attemptFault(value: unknown, unknown: Unknown = 'carried'): string | undefined {
  const fault = objectFault(value, ATTEMPT_CHECKS, ATTEMPT_REQUIRED, unknown);
  if (fault !== undefined) return fault;
  const taken = OTHER_LINES.find((name) => Object.hasOwn(value as Attempt, name));
  return taken === undefined ? stateFault(value as Attempt) : `has the unknown field "${taken}"`;
}

/** The same for one field of an attempt. A name that attempts do not have is a fault, too. */
export function fieldFault(name: string, value: unknown): string | undefined {
  const check = Object.hasOwn(ATTEMPT_CHECKS, name) ? ATTEMPT_CHECKS[name] : undefined;
  return check === undefined ? 'is unknown' : check(value, 'carried');
}

/** Describes what is wrong with a header of a supported version, or returns `undefined` for a valid `LockHeader`. */
export function headerFault(value: unknown, unknown: Unknown = 'carried'): string | undefined {
  return (
    objectFault(value, HEADER_CHECKS, HEADER_REQUIRED, unknown) ??
    lineageFault(value as LockHeader) ??
    logFault(value as LockHeader)
  );
}

/** With a damaged log address, takes that other machines bought would be bought again. */
function logFault({ version, log }: LockHeader): string | undefined {
  return version === LOCK_VERSION_SHARED && log === undefined
    ? 'names no shared log, though its version says that it is the copy of one'
    : undefined;
}

function lineageFault({ lineage, was }: LockHeader): string | undefined {
  return was === undefined || was[0] === lineage ? undefined : 'was does not begin with the lineage';
}

export function endMarkFault(value: unknown): string | undefined {
  return objectFault(value, END_CHECKS, Object.keys(END_CHECKS), 'carried');
}

type Unknown = 'carried' | 'refused';

const TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?Z$/;
/** Segments between single slashes. None is `.` or `..`; no control characters, backslashes or drive letters. */
const PATH =
  /^(?![A-Za-z]:)(?!\.{1,2}(?:\/|$))[^\u0000-\u001f\u007f/\\]+(?:\/(?!\.{1,2}(?:\/|$))[^\u0000-\u001f\u007f/\\]+)*$/u;

function pattern(expression: RegExp, what: string, lengthMax = 1000): Check {
  return (value) =>
    typeof value === 'string' && value.length <= lengthMax && expression.test(value)
      ? undefined
      : `is not ${what}`;
}

function integer(min: number, max: number): Check {
  return (value) =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max
      ? undefined
      : `is not a whole number from ${min} to ${max}`;
}

function object(checks: Checks, required: readonly string[]): NestedCheck {
  return (value, unknown) => objectFault(value, checks, required, unknown);
}

const path = pattern(PATH, 'a relative path', 4096);
const time = pattern(TIME, 'a UTC time');
const partHash = pattern(/^[0-9a-f]{8}$/, '8 hex digits');
const hex32 = pattern(/^[0-9a-f]{32}$/, '32 hex digits');

const HEADER_CHECKS: Checks = {
  format: (value) => (value === 'venice-batch-lock' ? undefined : 'is not venice-batch-lock'),
  version: integer(LOCK_VERSION_MIN, LOCK_VERSION_SHARED),
  endpoint: pattern(/^(https?:\/\/[\x21-\x7e]+|sandbox:)$/, 'a URL, or sandbox:', 2000),
  lineage: hex32,
  was: (value) => (isSortedLineages(value) ? undefined : 'is not a sorted list of lineages'),
  log: pattern(/^(?:s3:\/\/|git:|file:\/\/\/)[\x21-\x7e]+$/, 'the address of a shared log', 2000),
} satisfies Record<keyof LockHeader, NestedCheck>;

const HEADER_REQUIRED: readonly string[] = [
  'format',
  'version',
  'endpoint',
  'lineage',
] satisfies readonly (keyof LockHeader)[];

/** At least two, without duplicates. */
function isSortedLineages(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 2 || value.length > LINEAGES_MAX) return false;
  return value.every((one, index) => hex32(one) === undefined && (index === 0 || value[index - 1] < one));
}

const END_CHECKS: Checks = {
  end: (value) => (value === true ? undefined : 'is not true'),
  lines: integer(0, 1e9),
  digest: partHash,
} satisfies Record<keyof EndMark, NestedCheck>;

const PARTS_CHECKS: Checks = Object.fromEntries(REQUEST_FIELDS.map((field) => [field, partHash]));

const AT_CHECKS: Checks = {
  intent: time,
  queued: time,
  ready: time,
  stored: time,
  done: time,
  rejected: time,
  in_doubt: time,
  failed: time,
  lost: time,
  unverified: time,
} satisfies Record<keyof Attempt['at'], NestedCheck>;

const LIMITS_CHECKS: Checks = {
  retrieve: integer(1, 1e6),
  complete: integer(1, 1e6),
} satisfies Record<LimitedRoute, NestedCheck>;

const FILE_CHECKS: Checks = {
  path,
  bytes: integer(0, Number.MAX_SAFE_INTEGER),
  sha256: pattern(/^[0-9a-f]{64}$/, 'a SHA-256 in hex'),
  media_type: pattern(/^[a-z0-9][a-z0-9.+-]*\/[a-z0-9][a-z0-9.+-]*$/, 'a media type', 100),
} satisfies Record<keyof StoredFile, NestedCheck>;

const ATTEMPT_CHECKS: Checks = {
  attempt: hex32,
  rev: integer(1, 1e9),
  state: (value) =>
    typeof value === 'string' && Object.hasOwn(STATE_RANK, value) ? undefined : 'is not a state',
  track: pattern(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'a track id'),
  take: integer(1, 1e6),
  stem: path,
  extra: (value) => (value === true ? undefined : 'is not true'),
  digest: pattern(/^v\d{1,9}:[0-9a-f]{64}$/, 'a request digest'),
  parts: object(PARTS_CHECKS, []),
  model: pattern(/^[^\u0000-\u001f\u007f-\u009f]{1,200}$/u, 'a model id'),
  duration_seconds: integer(1, 1e6),
  quote_micro_usd: integer(0, 1e12),
  key: pattern(/^[0-9a-f]{16}$/, '16 hex digits'),
  at: object(AT_CHECKS, []),
  queue_id: (value) => (isQueueId(value) ? undefined : 'is not a queue id'),
  run_ms: integer(0, 1e12),
  limits: object(LIMITS_CHECKS, []),
  file: object(FILE_CHECKS, Object.keys(FILE_CHECKS)),
  kept: object(FILE_CHECKS, Object.keys(FILE_CHECKS)),
  accepted: (value) => (value === true ? undefined : 'is not true'),
  move_to: path,
  replaces: hex32,
  reason: object({ code: pattern(/^[A-Za-z0-9._:-]{1,100}$/, 'a code'), status: integer(100, 599) }, [
    'code',
  ]),
  refunded: (value) => (typeof value === 'boolean' ? undefined : 'is not true or false'),
  refund_ground: pattern(/^(?:told|documented)$/, 'told or documented'),
  run: hex32,
  log_rev: integer(1, 1e9),
} satisfies Record<keyof Attempt, NestedCheck>;

const ATTEMPT_REQUIRED: readonly string[] = [
  'attempt',
  'rev',
  'state',
  'track',
  'take',
  'stem',
  'digest',
  'parts',
  'model',
  'quote_micro_usd',
  'key',
  'at',
] satisfies readonly (keyof Attempt)[];

function objectFault(
  value: unknown,
  checks: Checks,
  required: readonly string[],
  unknown: Unknown,
): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is not an object';
  const record = value as Record<string, unknown>;
  let unknownFields = 0;
  for (const name of Object.keys(record)) {
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) {
      unknownFields += 1;
      if (unknown === 'refused' || !FIELD_NAME.test(name))
        return `has the unknown field ${JSON.stringify(name.slice(0, 100))}`;
      if (unknownFields > UNKNOWN_FIELDS_MAX) return `has more than ${UNKNOWN_FIELDS_MAX} unknown fields`;
      if (isDeeper(record[name], UNKNOWN_DEPTH_MAX)) return `${name} is nested too deep`;
      continue;
    }
    const fault = check(record[name], unknown);
    if (fault !== undefined) return `${name} ${fault}`;
  }
  for (const name of required) {
    if (!Object.hasOwn(record, name)) return `lacks ${name}`;
  }
  return undefined;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1));
}

function stateFault(attempt: Attempt): string | undefined {
  const { state } = attempt;
  const collected = state === 'stored' || state === 'done';
  if ((collected || state === 'queued' || state === 'unverified') && attempt.queue_id === undefined) {
    return `is ${state} without a queue_id`;
  }
  if (collected && attempt.file === undefined) return `is ${state} without a file`;
  if (state === 'intent' && attempt.queue_id !== undefined) return 'is an intent with a queue_id';
  return undefined;
}
