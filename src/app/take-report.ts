import path from 'node:path';
import type { Money } from '../core/money.js';
import { type Attempt, type AttemptState, moneyOf } from '../lockfile/attempt.js';
import type { Decision, PlanRow } from '../plan/plan.js';

export interface TakeReport {
  /** Name of the take: `opening`, `opening#2`. */
  readonly key: string;
  readonly track: string;
  readonly take: number;
  /** `missing`: stored, but its file is gone. `not_bought`: there is no attempt for this request. */
  readonly state: AttemptState | 'missing' | 'not_bought';
  readonly model: string;
  readonly file?: {
    /** Absolute. */
    readonly path: string;
    readonly bytes: number;
    /** Hex. */
    readonly sha256: string;
    readonly mediaType: string;
  };
  /** The attempt that determines the state. */
  readonly attempt?: string;
  readonly queueId?: string | undefined;
  /** Reserved price, in integer micro-dollars. */
  readonly priceMicroUsd?: number;
  /** What happened to the price. */
  readonly money?: Money;
  /** Why it is not done: a code of the service or of this program. */
  readonly code?: string | undefined;
}

/**
 * @param outputRoot absolute
 * @param sinceMs refusals before this time no longer count: the take is to be bought, and nothing has been tried yet
 */
export function reportTake({ take, decision }: PlanRow, outputRoot: string, sinceMs = 0): TakeReport {
  const { key, track, take: number, request } = take;
  const about = { key, track, take: number, model: request.model };
  if (decision.kind === 'occupied') return { ...about, state: 'not_bought', code: 'output-occupied' };
  const refused = refusedAttempt(decision, sinceMs);
  if (refused !== undefined) return { ...about, ...reportAttempt(refused, outputRoot) };
  if (!('attempt' in decision)) return { ...about, state: 'not_bought' };
  const missing = decision.kind === 'held' && decision.because === 'missing';
  return { ...about, ...reportAttempt(decision.attempt, outputRoot), ...(missing && { state: 'missing' }) };
}

/** The next run buys the take, but until then its state is the refusal, as in the lockfile and the events. */
function refusedAttempt(decision: Decision, sinceMs: number): Attempt | undefined {
  if (decision.kind !== 'buy' || decision.why.kind !== 'retry') return undefined;
  const { earlier } = decision.why;
  const isRecent = Date.parse(earlier.at.rejected ?? '') >= sinceMs;
  return earlier.state === 'rejected' && isRecent ? earlier : undefined;
}

function reportAttempt(attempt: Attempt, outputRoot: string): Omit<TakeReport, 'key' | 'track' | 'take'> {
  const { file, queue_id, reason } = attempt;
  return {
    // Without an outcome, it may or may not have been charged.
    state: attempt.state === 'intent' ? 'in_doubt' : attempt.state,
    model: attempt.model,
    attempt: attempt.attempt,
    priceMicroUsd: attempt.quote_micro_usd,
    money: moneyOf(attempt),
    queueId: queue_id,
    code: reason?.code,
    ...(file === undefined
      ? {}
      : {
          file: {
            path: path.join(outputRoot, file.path),
            bytes: file.bytes,
            sha256: file.sha256,
            mediaType: file.media_type,
          },
        }),
  };
}
