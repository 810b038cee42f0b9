import { emitNotice } from '../core/emit-notice.js';
import { isQueueId } from '../core/queue-id.js';
import type { SubmitOutcome } from '../venice/submit-outcome.js';
import type { RunContext } from './context.js';

/** Once for each pair of models: an alias may be used in every response. */
export function warnOtherModel(context: RunContext, key: string, asked: string, got: string): void {
  const pair = `${asked} ${got}`;
  if (got === asked || context.otherModels.has(pair)) return;
  context.otherModels.add(pair);
  emitNotice(
    context,
    'warning',
    'other-model',
    `${key} was requested from ${asked}, but the service uses ${got} (reported once for this pair of models)`,
  );
}

/** If nothing is known, an invalid id in a response is shown for the user to judge, but never used. */
export function warnOfQueueId(
  context: RunContext,
  key: string,
  attempt: string,
  { queueIdSeen, status }: SubmitOutcome & { kind: 'in_doubt' },
): void {
  if (queueIdSeen === undefined || context.queueIds.has(queueIdSeen)) return;
  emitNotice(
    context,
    'warning',
    'queue-id-seen',
    `the response that leaves ${key} in doubt (HTTP ${status ?? 'unknown'}) contains the queue_id ${queueIdSeen}`,
    isQueueId(queueIdSeen)
      ? `if it is this job's: ${context.settings.command('resolve', attempt, '--queue-id', queueIdSeen)}`
      : `it cannot be used as it is; to see what is known about the attempt: ${context.settings.command('resolve')}`,
  );
}
