import { clause } from '../core/clause.js';
import { microUsdFromUsd } from '../core/money.js';
import { isQueueId } from '../core/queue-id.js';
import { withShownAddresses } from '../core/shown-address.js';
import type { Balance, Queued, RateLimits, UsageEntry } from './client.js';
import { findMedia, type MediaInJson } from './media-in-json.js';
import { asNumber, bool, field, finite, identifier, isRecord, items, present, text } from './read-json.js';
import { readCode } from './wire-errors.js';

/*
 * Parsers of responses. Each takes parsed JSON of any shape and returns typed facts or `undefined`; none throws. Unknown
 * fields are ignored.
 */

const HOUR_MS = 3_600_000;

/** `POST /audio/quote`: integer micro-dollars, rounded up. */
export function readQuote(body: unknown): number | undefined {
  return microUsdFromUsd(field(body, 'quote'));
}

/**
 * `POST /audio/queue`. Only a usable `queue_id` counts: it proves that the job exists and is paid.
 *
 * @param modelAsked used if the response names no usable model
 */
export function readQueued(body: unknown, modelAsked: string): Queued | undefined {
  const queueId = field(body, 'queue_id');
  // An id that contained a secret was redacted, and is no longer a job's id.
  if (!isQueueId(queueId) || queueId.includes('[redacted]')) return undefined;
  return { queueId, model: identifier(field(body, 'model')) ?? modelAsked };
}

/** Parses a JSON response to `POST /audio/retrieve`. */
export type RetrievedJson =
  | { readonly kind: 'running'; readonly averageExecutionMs?: number; readonly executionMs?: number }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly creditsRefunded?: boolean;
    }
  | MediaInJson;

export function readRetrieved(body: unknown): RetrievedJson | undefined {
  switch (field(body, 'status')) {
    case 'PROCESSING':
    case 'QUEUED':
      return {
        kind: 'running',
        ...present({
          averageExecutionMs: duration(field(body, 'average_execution_time'), RUN_MS_MIN),
          executionMs: duration(field(body, 'execution_duration'), 0),
        }),
      };
    case 'FAILED':
      return readFailed(body);
    case 'COMPLETED':
      return findMedia(body);
    default:
      return undefined;
  }
}

/** Jobs take between a hundredth of a second and a day: values outside that range are ignored. */
function duration(value: unknown, minMs: number): number | undefined {
  return finite(value, minMs, 24 * HOUR_MS);
}

const RUN_MS_MIN = 10;

function readFailed(body: unknown): RetrievedJson {
  const error = field(body, 'error');
  return {
    kind: 'failed',
    code: readCode(field(body, 'error_code')) ?? readCode(field(error, 'code')) ?? 'generation-failed',
    message: clause(
      withShownAddresses(
        text(error, 2_000) ?? text(field(error, 'message'), 2_000) ?? 'the generation failed',
      ),
    ),
    ...present({ creditsRefunded: bool(field(body, 'credits_refunded')) }),
  };
}

/** `POST /audio/complete`. */
export function readCompleted(body: unknown): boolean | undefined {
  return bool(field(body, 'success'));
}

/** `GET /billing/balance`: the account's balances. `null` means empty. */
export function readAccountBalance(body: unknown): Balance | undefined {
  const permitted = bool(field(body, 'canConsume'));
  const balances = field(body, 'balances');
  if (permitted === undefined && !isRecord(balances)) return undefined;
  return {
    ...present({ permitted }),
    currencies: present({
      DIEM: currency(field(balances, 'diem')),
      EARNED_CREDITS: currency(field(balances, 'earnedCredits')),
      BUNDLED_CREDITS: currency(field(balances, 'bundledCredits')),
      USD: currency(field(balances, 'usd')),
    }),
  };
}

/** `GET /api_keys/rate_limits`: what this key can spend, without earned credits, and its request limits. */
export function readKeyBalance(body: unknown): Balance | undefined {
  const data = field(body, 'data');
  if (!isRecord(data)) return undefined;
  const balances = field(data, 'balances');
  return {
    ...present({ permitted: bool(field(data, 'accessPermitted')) }),
    currencies: present({
      DIEM: currency(field(balances, 'DIEM')),
      EARNED_CREDITS: currency(field(balances, 'EARNED_CREDITS')),
      BUNDLED_CREDITS: currency(field(balances, 'BUNDLED_CREDITS')),
      USD: currency(field(balances, 'USD')),
    }),
    ...present({ limits: readRateLimits(body) }),
  };
}

/** `GET /x402/balance/{wallet}`. A linked account's DIEM are spent first. */
export function readWalletBalance(body: unknown): Balance | undefined {
  const data = field(body, 'data');
  const USD = currency(field(data, 'balanceUsd'));
  if (USD === undefined) return undefined;
  const topUp = present({
    minimumMicroUsd: microUsdDown(field(data, 'minimumTopUpUsd')),
    suggestedMicroUsd: microUsdDown(field(data, 'suggestedTopUpUsd')),
  });
  return {
    ...present({ permitted: bool(field(data, 'canConsume')) }),
    // A wallet has only these two balances, and no DIEM without a linked account.
    currencies: {
      DIEM: currency(field(data, 'diemBalanceUsd')) ?? 0,
      EARNED_CREDITS: 0,
      BUNDLED_CREDITS: 0,
      USD,
    },
    topUp,
  };
}

/** `null` means empty, as does a negative balance. */
function currency(value: unknown): number | undefined {
  if (value === null) return 0;
  const microUsd = microUsdDown(value);
  return microUsd === undefined ? undefined : Math.max(0, microUsd);
}

/** Funds are rounded down, and costs are rounded up. Differences below a millionth of a micro-dollar are noise. */
function microUsdDown(value: unknown): number | undefined {
  const usd = finite(asNumber(value), -1e9, 1e9);
  return usd === undefined ? undefined : Math.floor(Number((usd * 1e6).toFixed(6)));
}

export interface TransactionsPage extends Pick<UsagePage, 'entries' | 'unread'> {
  readonly oldestMs: number;
  readonly more: boolean;
}

const TOP_UP = 'TOP_UP';

/** `GET /x402/transactions/{wallet}`, one page, newest first. Top-ups are not charges. */
export function readTransactions(body: unknown): TransactionsPage | undefined {
  const list = field(field(body, 'data'), 'transactions');
  if (!Array.isArray(list)) return undefined;
  const pagination = field(field(body, 'data'), 'pagination') ?? field(body, 'pagination');
  const all = list.map(readTransaction).filter((entry) => entry !== undefined);
  const missed = list.filter((one) => !isTopUp(one) && readTransaction(one) === undefined);
  return {
    ...unread(missed.length),
    entries: all.filter(({ type }) => type !== TOP_UP).map(({ entry }) => entry),
    oldestMs: Math.min(...all.map(({ entry }) => entry.timestampMs)),
    more: list.length > 0 && bool(field(pagination, 'hasMore')) === true,
  };
}

function readTransaction(value: unknown): { type: string; entry: UsageEntry } | undefined {
  const timestampMs = Date.parse(text(field(value, 'createdAt'), 40) ?? '');
  const amount = finite(asNumber(field(value, 'amount')), -1e6, 1e6);
  const type = text(field(value, 'type'), 40);
  if (Number.isNaN(timestampMs) || amount === undefined || type === undefined) return undefined;
  const entry: UsageEntry = {
    timestampMs,
    sku: text(field(value, 'modelId'), 200) ?? '',
    spentMicroUsd: -Math.floor(Number((amount * 1e6).toFixed(6))) || 0,
    currency: 'USD',
    ...present({ requestId: text(field(value, 'requestId'), 200) }),
  };
  return { type, entry };
}

function isTopUp(value: unknown): boolean {
  return field(value, 'type') === TOP_UP;
}

export interface UsagePage {
  readonly entries: readonly UsageEntry[];
  /** How many rows could not be read, if any: each may be a charge. */
  readonly unread?: number;
  readonly nextCursor?: string;
}

function unread(count: number): Pick<UsagePage, 'unread'> {
  return count === 0 ? {} : { unread: count };
}

/** `GET /billing/usage-history`, one page. Unreadable entries are counted. */
export function readUsagePage(body: unknown): UsagePage | undefined {
  const data = field(body, 'data');
  if (!Array.isArray(data)) return undefined;
  const readable = data.map(readUsageEntry).filter((entry) => entry !== undefined);
  const entries = { entries: readable, ...unread(data.length - readable.length) };
  const cursor = field(body, 'nextCursor');
  if (cursor === null || cursor === undefined) return entries;
  if (typeof cursor !== 'string' || !/^[A-Za-z0-9_-]{1,512}$/.test(cursor)) return undefined;
  return { ...entries, nextCursor: cursor };
}

function readUsageEntry(value: unknown): UsageEntry | undefined {
  const timestampMs = Date.parse(text(field(value, 'timestamp'), 40) ?? '');
  const sku = text(field(value, 'sku'), 200);
  const amount = finite(asNumber(field(value, 'amount')), -1e6, 1e6);
  if (Number.isNaN(timestampMs) || sku === undefined || amount === undefined) return undefined;
  return {
    timestampMs,
    sku,
    spentMicroUsd: -Math.floor(Number((amount * 1e6).toFixed(6))) || 0,
    currency: text(field(value, 'currency'), 40) ?? '',
    ...present({ requestId: text(field(field(value, 'inferenceDetails'), 'requestId'), 200) }),
  };
}

/** `GET /api_keys/rate_limits`: the lowest limit per minute for each model. */
export function readRateLimits(body: unknown): RateLimits | undefined {
  const list = field(field(body, 'data'), 'rateLimits');
  if (!Array.isArray(list)) return undefined;
  const limits = new Map<string, number>();
  for (const entry of list) {
    const model = identifier(field(entry, 'apiModelId')) ?? '';
    for (const limit of items(field(entry, 'rateLimits'))) {
      const amount = finite(field(limit, 'amount'), 1, 1e6);
      if (field(limit, 'type') !== 'RPM' || amount === undefined) continue;
      limits.set(model, Math.min(Math.floor(amount), limits.get(model) ?? Number.POSITIVE_INFINITY));
    }
  }
  return limits;
}
