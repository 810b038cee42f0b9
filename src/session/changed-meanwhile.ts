import type { Resolution } from '../app/resolution.js';
import { type BatchError, usageError } from '../core/errors.js';
import { takeKey } from '../core/take-key.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { OpenBatch } from './open-batch.js';

/** The user wants to give up an attempt whose job this machine did not know of. */
export function newJobError(
  { command }: Pick<OpenBatch, 'command'>,
  seen: Attempt | undefined,
  attempt: Attempt,
  { kind }: Resolution,
): BatchError {
  const wasKnown = seen?.state === 'queued' || seen?.state === 'unverified';
  const same = command('resolve', attempt.attempt, `--${kind.replace('_', '-')}`);
  return usageError(
    wasKnown
      ? `${takeKey(attempt)} is ${attempt.state} by now, no longer ${seen.state}: nothing was changed`
      : `the job of ${takeKey(attempt)} was found meanwhile: there is nothing to resolve`,
    `collect it: ${command('collect')}; to give the job up anyway: ${same}`,
    'changed-meanwhile',
  );
}

/** The shared log did not take the user's decision. @param newest what the log has instead */
export function supersededError(
  { command }: Pick<OpenBatch, 'command'>,
  { state, ...newest }: Attempt,
): BatchError {
  const isInFlight = state === 'queued' || state === 'unverified';
  return usageError(
    `another machine recorded meanwhile that ${takeKey(newest)} is ${state.replace('_', ' ')}: your decision was not recorded`,
    isInFlight ? `collect it: ${command('collect')}` : `see: ${command('status')}`,
    'changed-meanwhile',
  );
}
