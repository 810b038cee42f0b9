import type { Diagnostic } from '../core/diagnostic.js';
import type { Clock } from '../core/ports.js';
import { type Attempt, isGivenUpByUser } from '../lockfile/attempt.js';
import type { PlanRow } from '../plan/plan.js';
import { type Looked, lookAtJob } from '../run/look-at-job.js';
import type { VeniceClient } from '../venice/client.js';

/** The lockfile may contain thousands of failed jobs. A service that recovers has the newest ones. */
const LOOKS_MAX = 40;
/** Most are answered with an error, and too many errors in 30 s block the key: after the first few, look slowly. */
const LOOKS_AT_ONCE = 8;
const PAUSE_MS = 4_000;
/** Jobs named in messages, at most. */
const NAMED_MAX = 5;

type Job = Attempt & { readonly queue_id: string };

interface Retry {
  readonly row: PlanRow;
  readonly earlier: Job;
}

interface Around {
  readonly ports: { readonly clock: Clock };
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
  { ports: { clock }, stop, command }: Around,
): Promise<readonly Diagnostic[]> {
  const retries = rows.flatMap(retryOf).slice(-LOOKS_MAX);
  const looked: Looked[] = [];
  for (const { earlier } of retries) {
    if (looked.length >= LOOKS_AT_ONCE) await clock.sleep(PAUSE_MS, stop);
    if (stop?.aborted === true) break;
    looked.push(await lookAtJob(client, earlier.model, earlier.queue_id));
  }
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
