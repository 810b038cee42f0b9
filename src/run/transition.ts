import { unreachable } from '../core/errors.js';
import type { Attempt, AttemptState, StoredFile } from '../lockfile/attempt.js';
import type { Purchase } from '../plan/plan.js';
import type { RefundBasis } from '../venice/retrieve-outcome.js';
import type { SubmitOutcome } from '../venice/submit-outcome.js';

/** What was learned about an attempt. */
export type Observation =
  | { readonly kind: 'submitted'; readonly outcome: SubmitOutcome }
  /** The audio is verified and durable under its final name. */
  | { readonly kind: 'stored'; readonly file: StoredFile; readonly runMs?: number }
  /** The remote copy is gone, or is kept on purpose. */
  | { readonly kind: 'cleaned_up' }
  | {
      readonly kind: 'job_failed';
      readonly code: string;
      readonly status?: number;
      readonly refund?: RefundBasis | undefined;
      readonly kept?: StoredFile | undefined;
    }
  /** Three responses with the key that submitted it say that its id or media is unknown. */
  | { readonly kind: 'vanished'; readonly status: number; readonly kept?: StoredFile | undefined }
  /** It was downloaded twice and failed verification. */
  | { readonly kind: 'not_verifiable'; readonly code: string; readonly kept?: StoredFile | undefined }
  /** A download that is not good enough to be stored was kept: the service may have nothing better later. */
  | { readonly kind: 'kept'; readonly kept: StoredFile }
  /** The user accepted the kept bytes; they are durable under their final name. */
  | { readonly kind: 'accepted'; readonly file: StoredFile }
  /** The stored file no longer matches its hash, and the remote copy was not yet deleted. */
  | { readonly kind: 'local_copy_lost' };

/** The attempt as it has to be durable before the submit is sent. */
export function intentOf(
  purchase: Purchase,
  identity: { attempt: string; key: string; quoteMicroUsd: number; nowMs: number },
): Attempt {
  const { take, request, why } = purchase;
  // A changed request is a different one: only a take that is made again replaces the earlier one.
  const earlier = why.kind === 'forced' || why.kind === 'retry' ? why.earlier : undefined;
  // Newer than what it replaces, also if the clock of this machine is behind: the newest attempt has the take's name.
  const intentMs = Math.max(identity.nowMs, (Date.parse(earlier?.at.intent ?? '') || 0) + 1);
  return {
    attempt: identity.attempt,
    rev: 1,
    state: 'intent',
    track: take.track,
    take: take.take,
    ...(earlier === undefined ? {} : { replaces: earlier.attempt }),
    stem: take.stem,
    ...(take.extra === true ? { extra: true } : {}),
    digest: take.digest,
    parts: take.parts,
    model: request.model,
    ...(request.duration_seconds === undefined ? {} : { duration_seconds: request.duration_seconds }),
    quote_micro_usd: identity.quoteMicroUsd,
    key: identity.key,
    at: { intent: new Date(intentMs).toISOString() },
  };
}

/**
 * Whether the observation is still relevant. With a shared log another run may have collected the job, and then a
 * missing remote copy is not a loss.
 */
export function isRelevant({ state }: Attempt, observation: Observation): boolean {
  switch (observation.kind) {
    case 'stored':
      return state !== 'stored' && state !== 'done';
    case 'job_failed':
    case 'vanished':
    case 'not_verifiable':
    case 'kept':
      return state === 'queued' || state === 'unverified';
    case 'cleaned_up':
    case 'local_copy_lost':
      return state === 'stored';
    default:
      return true;
  }
}

/** The attempt after an observation: the next line of the lockfile. Pure; increments `rev`. */
export function advance(attempt: Attempt, observation: Observation, nowMs: number): Attempt {
  // V8 gives an object that is spread and then extended its own shape, which doubles the memory of each record.
  const to = (state: AttemptState, changes: Partial<Attempt> = {}): Attempt =>
    Object.assign({}, attempt, changes, {
      state,
      rev: attempt.rev + 1,
      at: Object.assign({}, attempt.at, changes.at, { [state]: new Date(nowMs).toISOString() }),
    });
  switch (observation.kind) {
    case 'submitted':
      return afterSubmit(to, observation.outcome);
    case 'stored':
      return unrefunded(
        unmarked(
          to('stored', {
            file: observation.file,
            ...(observation.runMs === undefined ? {} : { run_ms: Math.round(observation.runMs) }),
          }),
        ),
      );
    case 'cleaned_up':
      return to('done');
    case 'job_failed':
      return to('failed', {
        reason: {
          code: observation.code,
          ...(observation.status === undefined ? {} : { status: observation.status }),
        },
        ...(observation.refund === undefined ? {} : { refunded: true, refund_ground: observation.refund }),
        ...(observation.kept === undefined ? {} : { kept: observation.kept }),
      });
    case 'vanished':
      return afterVanished(to, observation, observation.kept ?? attempt.kept);
    case 'not_verifiable':
      return to('unverified', {
        reason: { code: observation.code },
        ...(observation.kept === undefined ? {} : { kept: observation.kept }),
      });
    case 'kept':
      return { ...attempt, kept: observation.kept, rev: attempt.rev + 1 };
    case 'accepted':
      return { ...unmarked(to('stored', { file: observation.file })), accepted: true };
    case 'local_copy_lost':
      // Keep the time at which the job was accepted: its age and the order of submits depend on it.
      return { ...unmarked(to('queued', { reason: { code: 'local_copy_lost' } })), at: attempt.at };
    default:
      return unreachable(observation);
  }
}

/** Bytes that failed verification may be all right: as long as they are here, the user decides. */
function afterVanished(
  to: (state: AttemptState, changes?: Partial<Attempt>) => Attempt,
  { status }: { readonly status: number },
  kept: StoredFile | undefined,
): Attempt {
  const reason = { code: 'not_found', status };
  return kept === undefined ? to('lost', { reason }) : to('unverified', { reason, kept });
}

/** Removes the kept bytes and the user's acceptance, which refer to an earlier download. */
function unmarked(attempt: Attempt): Attempt {
  if (attempt.kept === undefined && attempt.accepted === undefined) return attempt;
  const { kept: _, accepted: __, ...rest } = attempt;
  return rest;
}

/**
 * Audio that was delivered was not refunded because its job failed: another machine only took it to have failed. A
 * refund that the service reported stays.
 */
function unrefunded(attempt: Attempt): Attempt {
  const { reason, refunded, refund_ground, ...rest } = attempt;
  if (reason === undefined) return attempt;
  return refunded === true && refund_ground !== 'documented' ? attempt : rest;
}

function afterSubmit(
  to: (state: AttemptState, changes?: Partial<Attempt>) => Attempt,
  outcome: SubmitOutcome,
): Attempt {
  switch (outcome.kind) {
    case 'accepted':
      return to('queued', { queue_id: outcome.queued.queueId, model: outcome.queued.model });
    case 'not_sent':
      return to('rejected', { reason: { code: stableCode(outcome.code) } });
    case 'refused':
      return to('rejected', { reason: { code: stableCode(outcome.code), status: outcome.status } });
    case 'in_doubt':
      return to('in_doubt', {
        reason: {
          code: stableCode(outcome.code),
          ...(outcome.status === undefined ? {} : { status: outcome.status }),
        },
      });
    default:
      return unreachable(outcome);
  }
}

/** Codes come from the server: only plausible ones are kept, so that no untrusted text gets into the lockfile. */
export function stableCode(code: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(code) ? code : 'other';
}
