import { MICRO_USD_PER_USD } from '../money.js';
import { type Account, json, type ServiceAnswer } from './exchange.js';
import { isRefunded, settledAtMs } from './jobs.js';
import type { Job, Ledger } from './ledger.js';

/** What an account can still spend: reserved is as good as spent. Integer micro-dollars. */
export function availableMicroUsd(
  ledger: Ledger,
  account: Account,
  balanceMicroUsd: number,
  nowMs: number,
): number {
  const back = ledger
    .refundable(account)
    .filter((job) => isRefunded(job) && settledAtMs(job) <= nowMs)
    .reduce((sum, job) => sum + job.priceMicroUsd, 0);
  return balanceMicroUsd - ledger.spentMicroUsd(account) + back;
}

export function balanceAnswer(leftMicroUsd: number): ServiceAnswer {
  return json(200, {
    canConsume: leftMicroUsd > 0,
    consumptionCurrency: leftMicroUsd > 0 ? 'USD' : null,
    balances: { diem: null, usd: leftMicroUsd / MICRO_USD_PER_USD },
    diemEpochAllocation: 0,
  });
}

export function rateLimitsAnswer(
  models: readonly string[],
  perMinute: number,
  leftMicroUsd: number,
  nowMs: number,
): ServiceAnswer {
  const tomorrow = new Date(nowMs);
  tomorrow.setUTCHours(24, 0, 0, 0);
  return json(200, {
    data: {
      accessPermitted: leftMicroUsd > 0,
      apiTier: { id: 'paid', isCharged: true },
      balances: { USD: leftMicroUsd / MICRO_USD_PER_USD, DIEM: 0 },
      keyExpiration: null,
      nextEpochBegins: tomorrow.toISOString(),
      rateLimits: models.map((apiModelId) => ({
        apiModelId,
        rateLimits: [{ amount: perMinute, type: 'RPM' }],
      })),
    },
  });
}

/** A line of the usage history: a charge when a job ends, and what was given back. */
export interface Charge {
  readonly atMs: number;
  readonly queueId: string;
  readonly model: string;
  /** Negative for a refund. */
  readonly microUsd: number;
}

/**
 * The charges of an account, or of all, made before now; in the order of time. Those of this very millisecond are not
 * among them: more of it may follow, and a walk through the history must not find anything new in its past.
 */
export function chargesOf(ledger: Ledger, account: Account | undefined, nowMs: number): Charge[] {
  return [...ledger.jobs.values()]
    .filter((job) => (account === undefined || job.account === account) && settledAtMs(job) < nowMs)
    .flatMap(chargesOfJob)
    .sort((a, b) => a.atMs - b.atMs || (a.queueId < b.queueId ? -1 : a.queueId > b.queueId ? 1 : 0));
}

function chargesOfJob(job: Job): Charge[] {
  const charge = { atMs: settledAtMs(job), queueId: job.id, model: job.model, microUsd: job.priceMicroUsd };
  return isRefunded(job) ? [charge, { ...charge, microUsd: -charge.microUsd }] : [charge];
}
