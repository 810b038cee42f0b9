import type { RequestField } from '../core/audio-request.js';
import type { Money } from '../core/money.js';

/** See the README for what each state means and what a later run does with it. */
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
 * One submission for one (track, take), as a line of the lockfile has it (`schemas/lockfile.schema.json`).
 * Every line holds the whole attempt as it was then; `rev` counts its changes. Holds no prompt, no key and no text of the server.
 */
export interface Attempt {
  /** Random, unique for ever: 32 hex digits. */
  readonly attempt: string;
  /** From 1; the highest wins. */
  readonly rev: number;
  readonly state: AttemptState;
  readonly track: string;
  readonly take: number;
  /** Output path without extension, relative to the output root, as wanted when it was bought. */
  readonly stem: string;
  /** Bought beyond `takes` of the manifest (`run --more`): it stays a take of its track. */
  readonly extra?: true;
  readonly digest: string;
  readonly parts: Readonly<Partial<Record<RequestField, string>>>;
  /** As asked for; once queued, as the API returned it. */
  readonly model: string;
  readonly duration_seconds?: number;
  /** Price reserved for it (integer micro-dollars). */
  readonly quote_micro_usd: number;
  /** Under which key it was made: see `KeySignature`. */
  readonly key: string;
  /** ISO 8601 UTC, of each state it was in. `ready`: when the audio was first seen to be ready. */
  readonly at: Readonly<Partial<Record<AttemptState | 'ready', string>>>;
  /** Absent before the answer. More than one only after a merge: each is paid. */
  readonly queue_id?: string;
  /** From the submit to the first sight of the audio, ms: teaches the scheduler. */
  readonly run_ms?: number;
  /** Requests a minute by route, as a 429 before this record showed them: the next run begins with that. */
  readonly limits?: Readonly<Partial<Record<LimitedRoute, number>>>;
  readonly file?: StoredFile;
  /** For an unverified attempt: the bytes as received, for the user to check and `accept`. */
  readonly kept?: StoredFile;
  /** A person accepted the file although it never passed the checks. */
  readonly accepted?: true;
  /** A move in progress: the target of `file.path`. Either path may hold the file. */
  readonly move_to?: string;
  /** The attempt that it was bought to take the place of, on purpose: `--force`, or `--retry-failed` of a missing file. */
  readonly replaces?: string;
  /** Why it is rejected, failed, lost, unverified or in doubt: the API's or our stable code, never its text. */
  readonly reason?: { readonly code: string; readonly status?: number };
  /** The API or the user reported a refund. */
  readonly refunded?: boolean;
  /** With `refunded` of a failed job: the answer said so, or the API's documentation does. */
  readonly refund_ground?: 'told' | 'documented';
  /** For an intent in the copy of a shared log: the run that made it. */
  readonly run?: string;
  /** In the copy of a shared log: the `rev` that it has there. */
  readonly log_rev?: number;
}

/** The submit limit needs no field: it shows in when attempts were accepted and refused. */
export type LimitedRoute = 'retrieve' | 'complete';

export interface StoredFile {
  /** Relative to the output root, with `/`. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
  readonly media_type: string;
}

/** True if the attempt's price counts as spent: charged, reserved or in doubt, and not refunded. */
export function countsAsSpent(attempt: Attempt): boolean {
  return attempt.state !== 'rejected' && attempt.refunded !== true;
}

/**
 * What happened to the attempt's price: the only source of this word for screen, events, JSON and
 * JUnit.
 */
export function moneyOf({ state, refunded, refund_ground }: Attempt): Money {
  if (refunded === true) return refund_ground === 'documented' ? 'refunded (as documented)' : 'refunded';
  if (state === 'rejected') return 'not charged';
  return state === 'in_doubt' || state === 'intent' ? 'unknown' : 'charged';
}

/** Charged, reserved or in doubt, integer micro-dollars, over the lockfile's whole life. */
export function spentMicroUsd(attempts: Iterable<Attempt>): number {
  let sum = 0;
  for (const attempt of attempts) if (countsAsSpent(attempt)) sum += attempt.quote_micro_usd;
  return sum;
}
