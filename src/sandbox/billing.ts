import { MICRO_USD_PER_USD, PURSES, type Purse } from '../core/money.js';
import { type Account, json, type ServiceAnswer } from './exchange.js';
import { returnedMicroUsd, settledAtMs } from './jobs.js';
import type { Job, Ledger } from './ledger.js';

/** Of each purse before the first job, integer micro-dollars; DIEM: of each UTC day. */
export type Purses = Readonly<Record<Purse, number>>;

/** What an account can still spend from each purse: reserved is as good as spent. Integer micro-dollars. */
export function available(ledger: Ledger, account: Account, given: Purses, nowMs: number): Purses {
  const back = { DIEM: 0, EARNED_CREDITS: 0, BUNDLED_CREDITS: 0, USD: 0 };
  const today = new Date(nowMs).toISOString().slice(0, 10);
  for (const job of ledger.refundable(account)) {
    const purse = job.purse ?? 'USD';
    const counts = purse !== 'DIEM' || new Date(job.atMs).toISOString().slice(0, 10) === today;
    if (counts && settledAtMs(job) <= nowMs) back[purse] += returnedMicroUsd(job);
  }
  const left = (purse: Purse) => given[purse] - ledger.spentMicroUsd(account, { purse, nowMs }) + back[purse];
  return {
    DIEM: left('DIEM'),
    EARNED_CREDITS: left('EARNED_CREDITS'),
    BUNDLED_CREDITS: left('BUNDLED_CREDITS'),
    USD: left('USD'),
  };
}

/** The first purse that covers the whole price: it is never split. */
export function purseFor(purses: Purses, priceMicroUsd: number): Purse | undefined {
  return PURSES.find((purse) => purses[purse] >= priceMicroUsd);
}

export function balanceAnswer(purses: Purses, given: Purses): ServiceAnswer {
  const positive = (purse: Purse) => (purses[purse] > 0 ? purses[purse] / MICRO_USD_PER_USD : null);
  return json(200, {
    canConsume: PURSES.some((purse) => purses[purse] > 0),
    consumptionCurrency: PURSES.find((purse) => purses[purse] > 0) ?? null,
    balances: {
      diem: positive('DIEM'),
      usd: positive('USD'),
      bundledCredits: positive('BUNDLED_CREDITS'),
      earnedCredits: positive('EARNED_CREDITS'),
    },
    diemEpochAllocation: given.DIEM / MICRO_USD_PER_USD,
  });
}

export interface RateLimitFacts {
  readonly models: readonly string[];
  /** Absent: the models are listed without a limit of their own. */
  readonly perMinute?: number;
  readonly purses: Purses;
  /** What this key may still spend, by its own limits. */
  readonly leftMicroUsd: { readonly USD: number; readonly DIEM: number };
  readonly nowMs: number;
}

/** `GET /api_keys/rate_limits`. Earned credits count for access, and are not listed. */
export function rateLimitsAnswer({
  models,
  perMinute,
  purses,
  leftMicroUsd,
  nowMs,
}: RateLimitFacts): ServiceAnswer {
  const tomorrow = new Date(nowMs);
  tomorrow.setUTCHours(24, 0, 0, 0);
  const capped = (purse: Purse) =>
    Math.max(0, Math.min(purses[purse], leftMicroUsd[purse === 'DIEM' ? 'DIEM' : 'USD']));
  const limits = perMinute === undefined ? [] : [{ amount: perMinute, type: 'RPM' }];
  return json(200, {
    data: {
      accessPermitted: PURSES.some((purse) => capped(purse) > 0),
      apiTier: { id: 'paid', isCharged: true },
      balances: {
        USD: capped('USD') / MICRO_USD_PER_USD,
        DIEM: capped('DIEM') / MICRO_USD_PER_USD,
        BUNDLED_CREDITS: capped('BUNDLED_CREDITS') / MICRO_USD_PER_USD,
      },
      keyExpiration: null,
      nextEpochBegins: tomorrow.toISOString(),
      rateLimits: models.map((apiModelId) => ({ apiModelId, rateLimits: limits })),
    },
  });
}

/** A line of the usage history: a charge, or what was given back. */
export interface Charge {
  readonly atMs: number;
  readonly queueId: string;
  readonly model: string;
  readonly purse: Purse;
  /** Negative for a refund. */
  readonly microUsd: number;
}

/**
 * The charges of an account, or of all, made before now; in the order of time. Those of this very millisecond are not
 * among them: more of it may follow, and a walk through the history must not find anything new in its past.
 *
 * @param chargedAt when a job is charged: as it is queued, as the provider begins, or as it ends
 */
export function chargesOf(
  ledger: Ledger,
  account: Account | undefined,
  chargedAt: ChargedAt,
  nowMs: number,
): Charge[] {
  return [...ledger.jobs.values()]
    .filter((job) => account === undefined || job.account === account)
    .flatMap((job) => chargesOfJob(job, chargedAt))
    .filter(({ atMs }) => atMs < nowMs)
    .sort((a, b) => a.atMs - b.atMs || (a.queueId < b.queueId ? -1 : a.queueId > b.queueId ? 1 : 0));
}

export type ChargedAt = 'queue' | 'start' | 'end';

function chargesOfJob(job: Job, chargedAt: ChargedAt): Charge[] {
  const settledMs = settledAtMs(job);
  const startedMs = Math.min(job.atMs + job.waitMs, settledMs);
  const returned = returnedMicroUsd(job);
  const charge = {
    atMs: chargedAt === 'queue' ? job.atMs : chargedAt === 'start' ? startedMs : settledMs,
    queueId: job.id,
    model: job.model,
    purse: job.purse ?? 'USD',
    microUsd: job.priceMicroUsd,
  };
  return returned > 0 ? [charge, { ...charge, atMs: settledMs, microUsd: -returned }] : [charge];
}
