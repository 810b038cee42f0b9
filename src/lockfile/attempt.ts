import type { RequestField } from '../core/audio-request.js';
import type { Code } from '../core/codes.js';
import type { Money } from '../core/money.js';

/** See “States of an attempt” in ARCHITECTURE.md for what each means and what a later run does with it. */
export type AttemptState =
  | 'intent'
  | 'queued'
  | 'stored'
  | 'done'
  | 'rejected'
  | 'in_doubt'
  | 'failed'
  | 'lost'
  | 'unverified';

/**
 * One submission for one (track, take), as stored in a line of the lockfile (`schemas/lockfile.schema.json`). Each line
 * holds the whole attempt as it was then; `rev` counts its changes. Contains no prompt, no key and no text from the
 * server.
 */
export interface Attempt {
  /** Random and unique: 32 hex digits. */
  readonly attempt: string;
  /** From 1. The highest wins. */
  readonly rev: number;
  readonly state: AttemptState;
  readonly track: string;
  readonly take: number;
  /** Output path without extension, relative to the output root, as planned when it was bought. */
  readonly stem: string;
  /** Bought in addition to the manifest's `takes` (`run --more`). It stays a take of its track. */
  readonly extra?: true;
  readonly digest: string;
  readonly parts: Readonly<Partial<Record<RequestField, string>>>;
  /** As requested; once queued, as the API returned it. */
  readonly model: string;
  readonly duration_seconds?: number;
  /** The price reserved for it (integer micro-dollars). */
  readonly quote_micro_usd: number;
  /** Identifies the key that submitted it: see `KeySignature`. */
  readonly key: string;
  /** When it entered each state (ISO 8601, UTC). `ready`: when the audio was first seen to be ready. */
  readonly at: Readonly<Partial<Record<AttemptState | 'ready', string>>>;
  /** Absent before the response. A second job that a merge brings becomes a separate attempt. */
  readonly queue_id?: string;
  /** Time from the submit until the audio was first seen, in ms. The scheduler learns from it. */
  readonly run_ms?: number;
  /** Requests per minute for each route, learned from earlier 429s. The next run starts with them. */
  readonly limits?: Readonly<Partial<Record<LimitedRoute, number>>>;
  readonly file?: StoredFile;
  /**
   * For an unverified attempt: the bytes as received, for the user to check and `accept`. For one that only a damaged
   * line knows: the file that the line names.
   */
  readonly kept?: StoredFile;
  /** The user accepted the file although it never passed verification. */
  readonly accepted?: true;
  /** While the file is being moved: its new path. It may be at either one. */
  readonly move_to?: string;
  /** The attempt that it replaces on purpose: `--force` or `--retry-failed`. */
  readonly replaces?: string;
  /**
   * Why it is rejected, failed, lost, unverified or in doubt: a stable code of the API or of ours, never the API's
   * text.
   */
  readonly reason?: { readonly code: string; readonly status?: number };
  /** The API or the user reported a refund. */
  readonly refunded?: boolean;
  /** For a refunded failed job: whether the response or the API's documentation says so. */
  readonly refund_ground?: 'told' | 'documented';
  /** For an intent in the copy of a shared log: the run that made it. */
  readonly run?: string;
  /** In the copy of a shared log: the `rev` of the log's record. */
  readonly log_rev?: number;
}

/** The submit limit needs no field: it follows from when attempts were accepted and refused. */
export type LimitedRoute = 'retrieve' | 'complete';

export interface StoredFile {
  /** Relative to the output root, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly media_type: string;
}

export type FiledAttempt = Attempt & Required<Pick<Attempt, 'file'>>;

/**
 * Whether its file is the audio that it was bought for. A take that was lost or is fetched again may still name an
 * earlier file.
 */
export function isStored(attempt: Attempt): attempt is FiledAttempt {
  return attempt.file !== undefined && (attempt.state === 'stored' || attempt.state === 'done');
}

/** Whether the attempt's price counts as spent: charged, reserved or in doubt, and not refunded. */
export function countsAsSpent(attempt: Attempt): boolean {
  return attempt.state !== 'rejected' && attempt.refunded !== true;
}

/** What happened to the attempt's price. The screen, events, JSON and JUnit all take the word from here. */
export function moneyOf({ state, refunded, refund_ground }: Attempt): Money {
  if (refunded === true) return refund_ground === 'documented' ? 'refunded (as documented)' : 'refunded';
  if (state === 'rejected') return 'not charged';
  return state === 'in_doubt' || state === 'intent' ? 'unknown' : 'charged';
}

/** Everything charged, reserved or in doubt over the lockfile's lifetime (integer micro-dollars). */
export function spentMicroUsd(attempts: Iterable<Attempt>): number {
  let sum = 0;
  for (const attempt of attempts) if (countsAsSpent(attempt)) sum += attempt.quote_micro_usd;
  return sum;
}

const DECISIONS: ReadonlySet<string> = new Set([
  'resolved_charged',
  'resolved_refunded',
  'requeued',
] satisfies Code[]);

/**
 * Whether the user gave up the attempt with `resolve` although it may be paid for, by the code of its reason. One that
 * was not charged has nothing to give up.
 */
export function isGivenUpByUser(code: string | undefined): boolean {
  return code !== undefined && DECISIONS.has(code);
}
