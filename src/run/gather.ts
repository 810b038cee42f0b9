import pLimit from 'p-limit';
import type { Clock } from '../core/ports.js';
import { serviceMs } from '../core/rate-headers.js';
import type { QuotedPrice } from '../plan/plan.js';
import type { PacedAnswer } from '../scheduler/pacer.js';
import { createRateLimiter, type ModelLimits } from '../scheduler/rate-limiter.js';
import type { Route } from '../scheduler/route.js';
import type { CallFailure, CallResult, QuoteQuery, VeniceClient } from '../venice/client.js';
import { meaningOf, pauseSecondsOf } from '../venice/meaning.js';
import { isOfModel } from '../venice/quote-outcome.js';

/** Simultaneous quotes. They are quick, and share the request budget with everything else. */
const QUOTES_AT_ONCE = 4;
const TRIES_MAX = 4;
/** A service that asks for a longer pause is left alone: the user may come back later. */
const WAIT_MS_MAX = 65_000;
const CREDIT_CHECK_MS = 250;
/** After this many failures alike in a row the others would fail too, and refusals use up the key's error budget. */
const FAILURES_ALIKE_MAX = 10;

/**
 * Repeats a free call after temporary trouble. A permanent refusal is returned at once.
 *
 * @param patienceMs no call is repeated later than this after the first
 */
export async function retryUntilAnswered<T>(
  clock: Clock,
  call: () => Promise<CallResult<T>>,
  stop?: AbortSignal,
  patienceMs = Number.POSITIVE_INFINITY,
): Promise<CallResult<T>> {
  const lastMs = clock.nowMs() + patienceMs;
  for (let tries = 1; ; tries += 1) {
    const result = await call();
    if (result.ok || tries >= TRIES_MAX || stop?.aborted || !isPassing(result)) return result;
    const nowMs = clock.nowMs();
    const waitMs = pauseMs(result, tries, nowMs);
    if (waitMs > WAIT_MS_MAX || nowMs + waitMs > lastMs) return result;
    await clock.sleep(waitMs, stop);
    if (stop?.aborted) return result;
  }
}

function isPassing(failure: CallFailure): boolean {
  if (failure.status === 429) return true;
  if (failure.kind === 'refused') return (failure.status ?? 0) >= 500;
  return failure.code !== 'redirect';
}

function pauseMs(failure: CallFailure, tries: number, nowMs: number): number {
  const { retryAfterSeconds, resetUnixSeconds } = failure.rate;
  const backOffMs = 500 * 2 ** tries;
  if (failure.status !== 429) return backOffMs;
  const reportedMs =
    retryAfterSeconds !== undefined
      ? retryAfterSeconds * 1_000
      : resetUnixSeconds !== undefined
        ? // This machine's clock may be wrong.
          resetUnixSeconds * 1_000 - serviceMs(failure.rate, nowMs) + 500
        : WAIT_MS_MAX;
  return Math.max(backOffMs, reportedMs);
}

export type KeyedQuery = QuoteQuery & { readonly key: string };

export interface GatheredQuotes {
  readonly quotes: ReadonlyMap<string, Pick<QuotedPrice, 'microUsd' | 'quotedAtMs'>>;
  readonly failures: readonly { readonly query: KeyedQuery; readonly failure: CallFailure }[];
  /** Queries that were left out because too many in a row had failed alike. */
  readonly leftOut: number;
}

/**
 * The price of each distinct query: one request each, however many takes share it, until its model is refused. Once
 * `stop` is aborted, or too many have failed alike, no more are requested: the rest have neither a price nor a failure.
 */
export async function gatherQuotes(
  client: VeniceClient,
  clock: Clock,
  queries: readonly KeyedQuery[],
  stop?: AbortSignal,
): Promise<GatheredQuotes> {
  const limit = pLimit(QUOTES_AT_ONCE);
  const limiter = createRateLimiter();
  const quotes = new Map<string, { microUsd: number; quotedAtMs: number }>();
  const failures: { query: KeyedQuery; failure: CallFailure }[] = [];
  const closed = new Map<string, CallFailure>();
  const streak = createStreak();
  let leftOut = 0;
  await Promise.all(
    queries.map((query) =>
      limit(async () => {
        const refused = closed.get(query.model);
        if (refused !== undefined) {
          failures.push({ query, failure: refused });
          return;
        }
        if (streak.length >= FAILURES_ALIKE_MAX) {
          leftOut += 1;
          return;
        }
        const { key, ...body } = query;
        const ask = () => paced(clock, limiter.of(query.model), 'quote', () => client.quote(body), stop);
        const result = await retryUntilAnswered(clock, ask, stop);
        streak.add(result);
        if (result.ok) quotes.set(key, { microUsd: result.value, quotedAtMs: clock.nowMs() });
        else if (result !== STOPPED) failures.push({ query, failure: result });
        if (!result.ok && isOfModel(result)) closed.set(query.model, result);
      }),
    ),
  );
  return { quotes, failures, leftOut };
}

/** Counts the failures in a row that have the same status, or none and the same code. */
function createStreak() {
  let length = 0;
  let last: CallFailure | undefined;
  return {
    get length() {
      return length;
    },
    add(result: CallResult<unknown>): void {
      const alike =
        !result.ok &&
        result.status === last?.status &&
        (result.status !== undefined || result.code === last?.code);
      length = result.ok ? 0 : alike ? length + 1 : 1;
      last = result.ok ? undefined : result;
    },
  };
}

/** The result for queries that were not sent because of the stop. */
const STOPPED: CallFailure = {
  ok: false,
  kind: 'no_answer',
  sent: false,
  code: 'stopped',
  message: 'stopped before it was asked',
  rate: {},
};

/** The result for queries that were not sent because the service asked for a long pause. */
function paused(forMs: number): CallFailure {
  const message = `not requested yet: the service asked for a pause of ${Math.ceil(forMs / 1_000)} s`;
  return { ok: false, kind: 'refused', sent: false, code: 'http-429', message, rate: {} };
}

/** Calls before the run share its request budget: if there are many, they wait for it like everything else. */
export async function paced<T>(
  clock: Clock,
  limits: ModelLimits,
  route: Route,
  call: () => Promise<CallResult<T>>,
  stop: AbortSignal | undefined,
): Promise<CallResult<T>> {
  while (stop?.aborted !== true && limits.available(route, clock.nowMs()) < 1) {
    const pauseMs = limits.pausedUntilMs(route) - clock.nowMs();
    if (pauseMs > WAIT_MS_MAX) return paused(pauseMs);
    const opensInMs = limits.opensAtMs(route, clock.nowMs()) - clock.nowMs();
    await clock.sleep(Math.min(CREDIT_CHECK_MS, Math.max(1, opensInMs)), stop);
  }
  if (stop?.aborted === true) return STOPPED;
  const ticket = limits.sent(route, clock.nowMs());
  const result = await call();
  limits.answered(ticket, paceOf(result), clock.nowMs());
  return result;
}

/** What a response says about the request budget. */
export function paceOf(result: CallResult<unknown>): PacedAnswer {
  const status = result.ok ? 200 : result.status;
  const refusal = !result.ok && result.kind === 'refused' ? result : undefined;
  const overloaded = refusal !== undefined && meaningOf(refusal) === 'overloaded';
  const pauseSeconds = refusal === undefined ? undefined : pauseSecondsOf(refusal);
  return {
    ...(status === undefined ? {} : { status }),
    rate: result.rate,
    ...(overloaded && { overloaded }),
    ...(pauseSeconds === undefined ? {} : { pauseMs: pauseSeconds * 1_000 }),
  };
}
