import { unreachable } from '../core/errors.js';
import { isQueueId } from '../core/queue-id.js';
import type { Attempt, AttemptState } from '../lockfile/attempt.js';

/** What the user says became of an attempt whose response was lost. */
export type Resolution =
  /** It was queued, and the service has it: collect it with this id. */
  | { readonly kind: 'queue_id'; readonly queueId: string }
  /** Charged, but the audio is not available. The price stays spent. */
  | { readonly kind: 'charged' }
  | { readonly kind: 'not_charged' }
  | { readonly kind: 'refunded' }
  /** Keeps the price reserved, and allows a new approved attempt. */
  | { readonly kind: 'requeue' };

/** The user says that the service made the audio, and it is here: the attempt names its file. */
export interface Found {
  readonly kind: 'found';
}

export type Resolved =
  | { readonly ok: true; readonly attempt: Attempt }
  | { readonly ok: false; readonly why: 'settled' | 'bad_queue_id' };

/**
 * Returns the attempt after the user resolved it. Pure. Works for an attempt in doubt, for one in flight whose audio
 * can never be fetched (the key is lost, or the service keeps failing), and for a lost or failed one that was refunded
 * or whose job was found. A job may also be found after the user said that the attempt was not charged.
 */
export function resolveAttempt(attempt: Attempt, resolution: Resolution | Found, nowMs: number): Resolved {
  const inDoubt = attempt.state === 'in_doubt' || attempt.state === 'intent';
  const refundable =
    resolution.kind === 'refunded' && (attempt.state === 'lost' || attempt.state === 'failed');
  const endable =
    (attempt.state === 'queued' || attempt.state === 'unverified') &&
    (resolution.kind === 'charged' || resolution.kind === 'refunded' || resolution.kind === 'requeue');
  const findable =
    resolution.kind === 'queue_id' &&
    (attempt.state === 'lost' || attempt.state === 'failed' || isSaidUncharged(attempt)) &&
    (attempt.queue_id === undefined || attempt.queue_id === resolution.queueId);
  // Only a refund that the documentation promises: the user has seen that it did not come.
  const unrefunded =
    resolution.kind === 'charged' && attempt.state === 'failed' && attempt.refund_ground === 'documented';
  if (!inDoubt && !refundable && !endable && !findable && !unrefunded) return { ok: false, why: 'settled' };
  const to = (state: AttemptState, changes: Partial<Attempt>): Resolved => ({
    ok: true,
    attempt: {
      ...attempt,
      ...changes,
      state,
      rev: attempt.rev + 1,
      at: { ...attempt.at, [state]: new Date(nowMs).toISOString() },
    },
  });
  switch (resolution.kind) {
    case 'queue_id':
      if (!isQueueId(resolution.queueId)) return { ok: false, why: 'bad_queue_id' };
      return adopted(to('queued', { queue_id: resolution.queueId }));
    case 'found':
      return adopted(to('done', {}));
    case 'charged':
      return unreturned(to(unrefunded ? 'failed' : 'lost', { reason: { code: 'resolved_charged' } }));
    case 'not_charged':
      return to('rejected', { reason: { code: 'resolved_not_charged' } });
    case 'refunded':
      return to(refundable ? attempt.state : 'lost', {
        reason: { code: 'resolved_refunded' },
        refunded: true,
      });
    case 'requeue':
      return to('lost', { reason: { code: 'requeued' } });
    default:
      return unreachable(resolution);
  }
}

/** The user may have been wrong. */
function isSaidUncharged({ state, reason }: Attempt): boolean {
  return state === 'rejected' && reason?.code === 'resolved_not_charged';
}

/**
 * Whether the user may not know the job that the attempt has: what this machine knew before it read what others
 * recorded was about a doubt, about another state, or nothing at all. A job is only given up by someone who knows of it.
 *
 * @param seen the record that this machine had; absent: none
 */
export function isNewJob(seen: Attempt | undefined, attempt: Attempt): boolean {
  if (attempt.state !== 'queued' && attempt.state !== 'unverified') return false;
  return seen?.state !== attempt.state || seen.queue_id !== attempt.queue_id;
}

/** The reason for the doubt does not apply to a known job, and no money was returned for it. */
function adopted(resolved: Resolved): Resolved {
  if (!resolved.ok) return resolved;
  const { reason: _, ...attempt } = resolved.attempt;
  return unreturned({ ok: true, attempt });
}

/** No money was returned. */
function unreturned(resolved: Resolved): Resolved {
  if (!resolved.ok) return resolved;
  const { refunded: _, refund_ground: __, ...attempt } = resolved.attempt;
  return { ok: true, attempt };
}
