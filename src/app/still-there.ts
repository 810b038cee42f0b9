import pLimit from 'p-limit';
import type { Diagnostic } from '../core/diagnostic.js';
import { type Attempt, isGivenUpByUser } from '../lockfile/attempt.js';
import type { PlanRow } from '../plan/plan.js';
import { type Looked, lookAtJob } from '../run/look-at-job.js';
import type { VeniceClient } from '../venice/client.js';

/** Jobs looked at simultaneously. */
const LOOKS_AT_ONCE = 4;
/** The lockfile may contain thousands of failed jobs. A service that recovers has the newest ones. */
const LOOKS_MAX = 100;
/** Jobs named in messages, at most. */
const NAMED_MAX = 5;

type Job = Attempt & { readonly queue_id: string };

interface Retry {
  readonly row: PlanRow;
  readonly earlier: Job;
}

interface Around {
  readonly stop?: AbortSignal | undefined;
  command(verb: string, ...words: string[]): string;
}

/**
 * Before a take is bought again, asks the service once more for the job that was lost or failed without a clear reason:
 * an outage may have looked like that, and collecting costs nothing.
 *
 * @returns an error for each job that the service has after all
 */
export async function findStillThere(
  client: VeniceClient,
  rows: readonly PlanRow[],
  { stop, command }: Around,
): Promise<readonly Diagnostic[]> {
  const limit = pLimit(LOOKS_AT_ONCE);
  const retries = rows.flatMap(retryOf).slice(-LOOKS_MAX);
  const looked = await Promise.all(
    retries.map((retry) =>
      limit(async (): Promise<Looked> => {
        if (stop?.aborted === true) return { kind: 'unknown' };
        return lookAtJob(client, retry.earlier.model, retry.earlier.queue_id);
      }),
    ),
  );
  const found = retries.filter((_, at) => isThere(looked[at]));
  return found.slice(0, NAMED_MAX).map(({ row, earlier }) => ({
    code: 'job-found',
    severity: 'error',
    message: `the service has the job of ${row.take.key} after all, which was recorded as ${earlier.state}: nothing is bought`,
    hint: `collect it at no cost: ${command('resolve', earlier.attempt.slice(0, 8), '--queue-id', earlier.queue_id)}`,
    span: row.take.span,
  }));
}

function isThere(looked: Looked | undefined): boolean {
  return looked?.kind === 'known' && !looked.failed;
}

/** Only what time may change: the reason of a 4xx stays. */
function retryOf(row: PlanRow): readonly Retry[] {
  const { decision } = row;
  if (decision.kind !== 'buy' || decision.why.kind !== 'retry') return [];
  const { earlier } = decision.why;
  const { state, reason, queue_id: queueId } = earlier;
  if (queueId === undefined || isGivenUpByUser(reason?.code)) return [];
  const mayReturn = state === 'lost' || (state === 'failed' && (reason?.status ?? 0) >= 500);
  return mayReturn ? [{ row, earlier: { ...earlier, queue_id: queueId } }] : [];
}
