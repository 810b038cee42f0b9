import path from 'node:path';
import type { Money } from '../core/money.js';
import { type Attempt, type AttemptState, moneyOf } from '../lockfile/attempt.js';
import type { PlanRow } from '../plan/plan.js';

export interface TakeReport {
  /** Name of the take: `opening`, `opening#2`. */
  readonly key: string;
  readonly track: string;
  readonly take: number;
  /** `missing`: stored, but its file is gone. `not_bought`: nothing was submitted for this request. */
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

/** @param outputRoot absolute */
export function reportTake({ take, decision }: PlanRow, outputRoot: string): TakeReport {
  const { key, track, take: number, request } = take;
  const about = { key, track, take: number, model: request.model };
  if (decision.kind === 'occupied') return { ...about, state: 'not_bought', code: 'output-occupied' };
  if (!('attempt' in decision)) return { ...about, state: 'not_bought' };
  const missing = decision.kind === 'held' && decision.because === 'missing';
  return { ...about, ...reportAttempt(decision.attempt, outputRoot), ...(missing && { state: 'missing' }) };
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
