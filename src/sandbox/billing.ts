import { CURRENCIES, type Currency, MICRO_USD_PER_USD } from '../core/money.js';
import { returnedMicroUsd, settledAtMs } from './jobs.js';
import type { Job, Ledger } from './ledger.js';
import { type Account, json, type ServiceAnswer } from './service-response.js';

/** Each balance before the first job, in integer micro-dollars; DIEM: on each UTC day. */
export type CurrencyAmounts = Readonly<Record<Currency, number>>;

/** What an account can still spend from each balance. Reservations count as spent. Integer micro-dollars. */
export function available(
  ledger: Ledger,
  account: Account,
  given: CurrencyAmounts,
  nowMs: number,
): CurrencyAmounts {
  const back = { DIEM: 0, EARNED_CREDITS: 0, BUNDLED_CREDITS: 0, USD: 0 };
  const today = new Date(nowMs).toISOString().slice(0, 10);
  for (const job of ledger.refundable(account)) {
    const currency = job.currency ?? 'USD';
    const counts = currency !== 'DIEM' || new Date(job.atMs).toISOString().slice(0, 10) === today;
    if (counts && settledAtMs(job) <= nowMs) back[currency] += returnedMicroUsd(job);
  }
  const left = (currency: Currency) =>
    given[currency] - ledger.spentMicroUsd(account, { currency, nowMs }) + back[currency];
  return {
    DIEM: left('DIEM'),
    EARNED_CREDITS: left('EARNED_CREDITS'),
    BUNDLED_CREDITS: left('BUNDLED_CREDITS'),
    USD: left('USD'),
  };
}

/** The first balance that covers the whole price, which is never split. */
export function currencyFor(currencies: CurrencyAmounts, priceMicroUsd: number): Currency | undefined {
  return CURRENCIES.find((currency) => currencies[currency] >= priceMicroUsd);
}

export function balanceAnswer(currencies: CurrencyAmounts, given: CurrencyAmounts): ServiceAnswer {
  const positive = (currency: Currency) =>
    currencies[currency] > 0 ? currencies[currency] / MICRO_USD_PER_USD : null;
  return json(200, {
    canConsume: CURRENCIES.some((currency) => currencies[currency] > 0),
    consumptionCurrency: CURRENCIES.find((currency) => currencies[currency] > 0) ?? null,
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
  /** Absent: the models are listed without a limit. */
  readonly perMinute?: number;
  readonly currencies: CurrencyAmounts;
  /** What this key may still spend within its own limits. */
  readonly leftMicroUsd: { readonly USD: number; readonly DIEM: number };
  readonly nowMs: number;
}

/** `GET /api_keys/rate_limits`. Earned credits count for access, but are not listed. */
export function rateLimitsAnswer({
  models,
  perMinute,
  currencies,
  leftMicroUsd,
  nowMs,
}: RateLimitFacts): ServiceAnswer {
  const tomorrow = new Date(nowMs);
  tomorrow.setUTCHours(24, 0, 0, 0);
  const capped = (currency: Currency) =>
    Math.max(0, Math.min(currencies[currency], leftMicroUsd[currency === 'DIEM' ? 'DIEM' : 'USD']));
  const limits = perMinute === undefined ? [] : [{ amount: perMinute, type: 'RPM' }];
  return json(200, {
    data: {
      accessPermitted: CURRENCIES.some((currency) => capped(currency) > 0),
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

/** A line of the usage history: a charge or a refund. */
export interface Charge {
  readonly atMs: number;
  readonly queueId: string;
  readonly model: string;
  readonly currency: Currency;
  /** Negative for a refund. */
  readonly microUsd: number;
}

/**
 * The charges of an account, or of all, made before now, in order of time. Those of the current millisecond are
 * excluded: more may follow, and reading the history must never find new entries in the past.
 *
 * @param chargedAt when a job is charged: when queued, when the provider starts, or when it ends
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
    currency: job.currency ?? 'USD',
    microUsd: job.priceMicroUsd,
  };
  return returned > 0 ? [charge, { ...charge, atMs: settledMs, microUsd: -returned }] : [charge];
}
