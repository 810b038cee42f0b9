import type { VeniceClient } from '../venice/client.js';
import { classifyRetrieve } from '../venice/retrieve-outcome.js';

/** What one request says about a job whose id the user gave. */
export type Looked =
  /** `failed`: nothing will come of it. */
  | { readonly kind: 'known'; readonly failed: boolean }
  | { readonly kind: 'unknown' }
  /** The service could not be asked. */
  | { readonly kind: 'unanswered'; readonly message: string };

/** Asks the service for the job before it is recorded for an attempt: a mistyped id would lose a paid job. */
export async function lookAtJob(client: VeniceClient, model: string, queueId: string): Promise<Looked> {
  const found = await client.retrieve(model, queueId);
  if (found.ok) {
    if (found.value.kind === 'audio') found.value.answer.discard();
    return { kind: 'known', failed: found.value.kind === 'failed' };
  }
  const isMalformed = found.kind === 'refused' && found.status === 400 && found.invalid === true;
  const outcome = classifyRetrieve(found);
  if (isMalformed || outcome.kind === 'unknown_id') return { kind: 'unknown' };
  // A failed job is still a job that the service knows.
  return outcome.kind === 'failed'
    ? { kind: 'known', failed: true }
    : { kind: 'unanswered', message: found.message };
}
