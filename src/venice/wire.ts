import { microUsdFromUsd } from '../money.js';
import type { Balance, Queued, RateLimits, UsageEntry } from './client.js';
import { bool, field, finite, identifier, items, present, text } from './json.js';
import { findMedia, type MediaInJson } from './media-in-json.js';
import { readCode } from './wire-errors.js';

/*
 * Checks of what arrives. Each function takes the parsed JSON of an answer, whatever it is, and gives the typed
 * facts or `undefined`; none throws. Unknown fields are ignored.
 */

const HOUR_MS = 3_600_000;

/** `POST /audio/quote`: integer micro-dollars, a fraction rounded up. */
export function readQuote(body: unknown): number | undefined {
  return microUsdFromUsd(field(body, 'quote'));
}

/**
 * `POST /audio/queue`. A usable `queue_id` alone decides: it proves that the job exists and is paid for.
 *
 * @param modelAsked stands in where the answer names no usable model
 */
export function readQueued(body: unknown, modelAsked: string): Queued | undefined {
  const queueId = identifier(field(body, 'queue_id'));
  if (queueId === undefined) return undefined;
  return { queueId, model: identifier(field(body, 'model')) ?? modelAsked };
}

/** What a JSON answer to `POST /audio/retrieve` says. */
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
          averageExecutionMs: duration(field(body, 'average_execution_time')),
          executionMs: duration(field(body, 'execution_duration')),
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

/** A day is longer than any job; what is beyond tells nothing. */
function duration(value: unknown): number | undefined {
  return finite(value, 0, 24 * HOUR_MS);
}

function readFailed(body: unknown): RetrievedJson {
  const error = field(body, 'error');
  return {
    kind: 'failed',
    code: readCode(field(body, 'error_code')) ?? readCode(field(error, 'code')) ?? 'generation-failed',
    message: text(error, 2_000) ?? text(field(error, 'message'), 2_000) ?? 'the generation failed',
    ...present({ creditsRefunded: bool(field(body, 'credits_refunded')) }),
  };
}

/** `POST /audio/complete`. */
export function readCompleted(body: unknown): boolean | undefined {
  return bool(field(body, 'success'));
}

/** `GET /billing/balance`. */
export function readBalance(body: unknown): Balance | undefined {
  const canConsume = bool(field(body, 'canConsume'));
  if (canConsume === undefined) return undefined;
  const balances = field(body, 'balances');
  return {
    canConsume,
    consumptionCurrency: text(field(body, 'consumptionCurrency'), 40) ?? null,
    ...present({
      usdMicro: microUsdDown(field(balances, 'usd')),
      diemMicro: microUsdDown(field(balances, 'diem')),
    }),
  };
}

/** What one has is rounded down, as what one owes is rounded up. Below a millionth of a micro-dollar is noise. */
function microUsdDown(value: unknown): number | undefined {
  const usd = finite(value, -1e9, 1e9);
  return usd === undefined ? undefined : Math.floor(Number((usd * 1e6).toFixed(6)));
}

export interface UsagePage {
  readonly entries: readonly UsageEntry[];
  readonly nextCursor?: string;
}

/** `GET /billing/usage-history`, one page. Entries that cannot be read are left out. */
export function readUsagePage(body: unknown): UsagePage | undefined {
  const data = field(body, 'data');
  if (!Array.isArray(data)) return undefined;
  const entries = data.map(readUsageEntry).filter((entry) => entry !== undefined);
  const cursor = field(body, 'nextCursor');
  if (cursor === null || cursor === undefined) return { entries };
  if (typeof cursor !== 'string' || !/^[A-Za-z0-9_-]{1,512}$/.test(cursor)) return undefined;
  return { entries, nextCursor: cursor };
}

function readUsageEntry(value: unknown): UsageEntry | undefined {
  const timestampMs = Date.parse(text(field(value, 'timestamp'), 40) ?? '');
  const sku = text(field(value, 'sku'), 200);
  const amount = finite(field(value, 'amount'), -1e6, 1e6);
  if (Number.isNaN(timestampMs) || sku === undefined || amount === undefined) return undefined;
  return {
    timestampMs,
    sku,
    spentMicroUsd: -Math.floor(Number((amount * 1e6).toFixed(6))) || 0,
    currency: text(field(value, 'currency'), 40) ?? '',
    ...present({ requestId: text(field(field(value, 'inferenceDetails'), 'requestId'), 200) }),
  };
}

/** `GET /api_keys/rate_limits`: the lowest limit a minute of each model. */
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
