import { createHash } from 'node:crypto';
import { CURRENCIES, MICRO_USD_PER_USD } from '../core/money.js';
import type { Charge } from './billing.js';
import { type Account, type Issue, invalid, json, type ServiceAnswer } from './service-response.js';

/** A position in the history, carried inside the cursor. */
interface Walk {
  readonly account: Account;
  readonly currency?: string;
  /** Inclusive, ms. */
  readonly startMs?: number;
  /** Exclusive, ms. */
  readonly endMs?: number;
  readonly pageSize: number;
  /** Entries returned so far: later pages never contain anything before these. */
  readonly given: number;
  readonly expiresMs: number;
}

const CURSOR_LIFE_MS = 3_600_000;
const FILTERS = ['currency', 'startTimestamp', 'endTimestamp', 'pageSize'] as const;

/**
 * `GET /billing/usage-history`.
 *
 * @param charges all of the account's, oldest first
 */
export function usageHistory(
  query: URLSearchParams,
  account: Account,
  charges: readonly Charge[],
  nowMs: number,
): ServiceAnswer {
  const cursor = query.get('cursor');
  const walk =
    cursor === null ? beginWalk(query, account, nowMs) : continueWalk(query, cursor, account, nowMs);
  if (Array.isArray(walk)) return invalid(walk);
  const { startMs = 0, endMs = Number.POSITIVE_INFINITY, currency: wanted, given, pageSize } = walk as Walk;
  const inWindow = charges.filter(
    ({ atMs, currency }) => (wanted ?? currency) === currency && atMs >= startMs && atMs < endMs,
  );
  const page = inWindow.slice(given, given + pageSize);
  const more = inWindow.length > given + page.length;
  const next = { ...(walk as Walk), given: given + page.length, expiresMs: nowMs + CURSOR_LIFE_MS };
  return json(200, { data: page.map(entry), nextCursor: more ? seal(next) : null });
}

function entry(charge: Charge) {
  const usd = charge.microUsd / MICRO_USD_PER_USD;
  return {
    amount: -usd,
    currency: charge.currency,
    inferenceDetails: {
      completionTokens: null,
      inferenceExecutionTime: null,
      promptTokens: null,
      // The service's own id of the request. It is not the queue id, which the history does not contain.
      requestId: `audio-${digest(charge.queueId).slice(0, 32)}`,
    },
    notes: usd < 0 ? 'API Inference Refund' : 'API Inference',
    pricePerUnitUsd: Math.abs(usd),
    sku: `${charge.model}-audio-unit`,
    timestamp: new Date(charge.atMs).toISOString(),
    units: 1,
  };
}

function beginWalk(query: URLSearchParams, account: Account, nowMs: number): Walk | Issue[] {
  const issues: Issue[] = [];
  const pageSize = query.get('pageSize') ?? '1000';
  if (!/^\d{1,4}$/.test(pageSize) || Number(pageSize) < 10 || Number(pageSize) > 1_000)
    issues.push({ path: 'pageSize', message: 'Expected an integer from 10 to 1000' });
  const currency = query.get('currency') ?? undefined;
  if (currency !== undefined && !(CURRENCIES as readonly string[]).includes(currency))
    issues.push({ path: 'currency', message: `Expected one of ${CURRENCIES.join(', ')}` });
  const startMs = instant(query, 'startTimestamp', issues);
  const endMs = instant(query, 'endTimestamp', issues);
  if (startMs !== undefined && endMs !== undefined && endMs <= startMs)
    issues.push({ path: 'endTimestamp', message: 'Must be later than startTimestamp' });
  if (issues.length > 0) return issues;
  return {
    account,
    pageSize: Number(pageSize),
    given: 0,
    expiresMs: nowMs + CURSOR_LIFE_MS,
    ...(currency === undefined ? {} : { currency }),
    ...(startMs === undefined ? {} : { startMs }),
    ...(endMs === undefined ? {} : { endMs }),
  };
}

function instant(query: URLSearchParams, path: string, issues: Issue[]): number | undefined {
  const given = query.get(path);
  if (given === null) return undefined;
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/.test(given) ? Date.parse(given) : Number.NaN;
  if (Number.isNaN(ms)) issues.push({ path, message: 'Expected an ISO 8601 instant in UTC, with the "Z"' });
  return ms;
}

function continueWalk(
  query: URLSearchParams,
  cursor: string,
  account: Account,
  nowMs: number,
): Walk | Issue[] {
  const beside = FILTERS.filter((name) => query.has(name));
  if (beside.length > 0)
    return beside.map((path) => ({ path, message: 'Filters travel inside the cursor: send it alone' }));
  const walk = unseal(cursor);
  return walk === undefined || walk.account !== account || walk.expiresMs <= nowMs
    ? [{ path: 'cursor', message: 'Invalid or expired cursor: start again from the first page' }]
    : walk;
}

const SEAL_LENGTH = 16;

function seal(walk: Walk): string {
  const text = Buffer.from(JSON.stringify(walk)).toString('base64url');
  return digest(text).slice(0, SEAL_LENGTH) + text;
}

function unseal(cursor: string): Walk | undefined {
  const text = cursor.slice(SEAL_LENGTH);
  if (text === '' || digest(text).slice(0, SEAL_LENGTH) !== cursor.slice(0, SEAL_LENGTH)) return undefined;
  return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Walk;
}

function digest(text: string): string {
  return createHash('sha256').update(`usage-history ${text}`).digest('hex');
}
