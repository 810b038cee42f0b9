import type { PacedAnswer, Pacer } from './pacer.js';
import type { Route } from './route.js';
import { createRouteBudget, type RouteBudget, type Sent } from './route-budget.js';
import { createStatedBudgets, type StatedBudgets, type StatedToken } from './stated-budgets.js';

/** Requests by route. */
export type Requests = Readonly<Partial<Record<Route, number>>>;

/**
 * Keeps a run within the service's request limits. Two kinds are known, and either may be absent: the budgets of a
 * model, described by headers or by `/api_keys/rate_limits`; and one budget a route for all models of a user, which
 * only 429s reveal. A request needs a token of each budget that applies to it.
 */
export interface RateLimiter {
  /** What concerns the requests of one model; the same object for the same model. */
  of(model: string): ModelLimits;
  /** Requests a minute by model as the service states them; `''`: of all others. */
  setStated(perMinute: ReadonlyMap<string, number>): void;
  /** Starts from what an earlier run saw. */
  remember(route: Route, history: RouteHistory, nowMs: number): void;
  /** So many runs on the same key share what no header describes, this one included. */
  shareWith(runs: number): void;
  /** Requests a minute by route, as 429s of this run showed them. */
  lessons(): Requests;
}

export interface RouteHistory {
  /** Requests a minute, as learned from a 429. */
  readonly perMinute?: number;
  /** When its last requests were sent, ms. */
  readonly sentMs?: readonly number[];
}

export interface ModelLimits {
  /** Requests that may be sent now: 0 to `Infinity`. */
  available(route: Route, nowMs: number): number;
  /** While `available` is 0: when that may change without an answer. `Infinity`: only an answer changes it. */
  opensAtMs(route: Route, nowMs: number): number;
  /** When the pause after the last 429 ends, ms; in the past where there is none. */
  pausedUntilMs(route: Route): number;
  /** Counts a request as sent; returns the token that its answer is reported with. */
  sent(route: Route, nowMs: number): RequestToken;
  /** A request that was counted never left. */
  unsent(token: RequestToken, nowMs: number): void;
  /** What came of a request. For a request that was not counted, a token with its route alone: then only its headers matter. */
  answered(token: RequestToken, answer: PacedAnswer, nowMs: number): void;
  /** Whether all routes draw on one budget, so that a poll takes the place of a submit. */
  isShared(): boolean;
  /** Requests a minute, as far as known: the lowest limit that applies; `Infinity` where there is none. */
  perMinute(route: Route): number;
  /** Tokens of the budget that all routes share; `Infinity` where there is none. */
  sharedAvailable(nowMs: number): number;
  /** When shared tokens that are not used by then are lost. `Infinity`: never. */
  lapsesAtMs(nowMs: number): number;
  /** How long from now until that many more requests may be expected to have been allowed, ms. */
  spanMs(requests: Requests, nowMs: number): number;
  /** The least that it can take: all requests of the last window at its start. */
  spanMsMin(requests: Requests, nowMs: number): number;
}

export interface RequestToken {
  readonly route: Route;
  /** Absent for a request that was not counted. */
  readonly counted?: { readonly stated: StatedToken; readonly sent: Sent };
}

/** As documented by the vendor, a minute and user, for all models together. */
const DOCUMENTED_PER_MINUTE: Readonly<Record<Route, number>> = {
  quote: Number.POSITIVE_INFINITY,
  queue: 40,
  retrieve: 120,
  complete: Number.POSITIVE_INFINITY,
};
export const ROUTES = Object.keys(DOCUMENTED_PER_MINUTE) as readonly Route[];
/** A 429 without headers, while the model's budget has at least so many tokens, is not about that budget. */
const AMPLE = 5;

export function createRateLimiter(): RateLimiter {
  const stated = new Map<string, number>();
  const models = new Map<string, ModelLimits>();
  const routes = Object.fromEntries(
    ROUTES.map((route) => [route, createRouteBudget(DOCUMENTED_PER_MINUTE[route])]),
  ) as Record<Route, RouteBudget>;
  const budgets = new Map<string, StatedBudgets>();
  const service: Service = { routes, sawLimitHeaders: false };
  const applyStated = (model: string): void => {
    const perMinute = stated.get(model) ?? stated.get('');
    if (perMinute !== undefined) for (const route of ROUTES) budgets.get(model)!.of(route).limit(perMinute);
  };
  return {
    of: (model) => {
      const known = models.get(model);
      if (known !== undefined) return known;
      const stated = createStatedBudgets(DOCUMENTED_PER_MINUTE);
      budgets.set(model, stated);
      applyStated(model);
      const limits = createModelLimits(stated, service);
      models.set(model, limits);
      return limits;
    },
    setStated: (perMinute) => {
      for (const [model, amount] of perMinute) stated.set(model, amount);
      for (const model of budgets.keys()) applyStated(model);
    },
    remember: (route, { perMinute, sentMs }, nowMs) => {
      if (perMinute !== undefined) routes[route].learn(perMinute, nowMs);
      if (sentMs !== undefined) routes[route].remember(sentMs);
    },
    shareWith: (runs) => {
      for (const route of ROUTES) routes[route].shareWith(runs);
    },
    lessons: () =>
      Object.fromEntries(
        ROUTES.flatMap((route) => {
          const perMinute = routes[route].lesson();
          return perMinute === undefined ? [] : [[route, perMinute]];
        }),
      ),
  };
}

/** What the models share. */
interface Service {
  readonly routes: Readonly<Record<Route, RouteBudget>>;
  /** An answer had limit headers: then those of other models can be expected to have them. */
  sawLimitHeaders: boolean;
}

function createModelLimits(stated: StatedBudgets, service: Service): ModelLimits {
  const { routes } = service;
  /** A documented limit gives way to one that the service states; what a 429 showed does not. */
  const applies = (route: Route, nowMs = Number.POSITIVE_INFINITY): boolean =>
    routes[route].isLearned() ||
    nowMs < routes[route].pausedUntilMs() ||
    !(stated.of(route).isKnown() || (stated.isShared() && service.sawLimitHeaders));
  const isShared = (): boolean => stated.isShared() && stated.of('queue').isKnown();
  const span = (
    requests: Requests,
    nowMs: number,
    within: (pacer: Pacer, count: number) => number,
  ): number => {
    let longestMs = isShared() ? within(stated.of('queue'), total(requests)) : 0;
    for (const route of ROUTES) {
      const count = requests[route] ?? 0;
      if (count === 0) continue;
      if (!stated.isShared()) longestMs = Math.max(longestMs, within(stated.of(route), count));
      if (applies(route, nowMs)) longestMs = Math.max(longestMs, routes[route].spanMs(count, nowMs));
    }
    return longestMs;
  };
  return {
    available: (route, nowMs) => {
      const allowed = stated.of(route).available(nowMs);
      return allowed < 1 || !applies(route, nowMs)
        ? allowed
        : Math.min(allowed, routes[route].available(nowMs));
    },
    opensAtMs: (route, nowMs) => {
      const pacer = stated.of(route);
      const statedMs = pacer.available(nowMs) < 1 ? pacer.opensAtMs(nowMs) : nowMs;
      if (!applies(route, nowMs) || routes[route].available(nowMs) >= 1) return statedMs;
      return Math.max(statedMs, routes[route].opensAtMs(nowMs));
    },
    pausedUntilMs: (route) => Math.max(stated.of(route).pausedUntilMs(), routes[route].pausedUntilMs()),
    sent: (route, nowMs) => ({
      route,
      counted: { stated: stated.sent(route, nowMs), sent: routes[route].sent(nowMs) },
    }),
    unsent: ({ route, counted }, nowMs) => {
      if (counted === undefined) return;
      stated.answered(route, counted.stated, { rate: {}, overloaded: true }, nowMs);
      routes[route].answered(counted.sent, 'unsent', nowMs);
    },
    answered: ({ route, counted }, answer, nowMs) => {
      service.sawLimitHeaders ||= hasLimitHeaders(answer);
      const refused = answer.status === 429 && !isAboutModel(route, answer);
      const pacer = stated.of(route);
      const knownBefore = pacer.isKnown() && pacer.available(nowMs) < AMPLE;
      const isRoutes = refused && !hasLimitHeaders(answer) && !knownBefore;
      const forStated = isRoutes || !refused ? { ...answer, overloaded: true } : answer;
      stated.answered(route, counted?.stated, forStated, nowMs);
      if (counted === undefined) return;
      const retryAfterMs = seconds(answer.rate.retryAfterSeconds);
      routes[route].answered(counted.sent, isRoutes ? 'refused' : 'counted', nowMs, retryAfterMs);
      if (isRoutes) expectShare(routes, route, nowMs);
    },
    isShared: () => isShared() && stated.of('queue').perMinute() < Number.POSITIVE_INFINITY,
    perMinute: (route) =>
      Math.min(
        stated.of(route).perMinute(),
        applies(route) ? routes[route].perMinute() : Number.POSITIVE_INFINITY,
      ),
    sharedAvailable: (nowMs) => (isShared() ? stated.of('queue').available(nowMs) : Number.POSITIVE_INFINITY),
    lapsesAtMs: (nowMs) =>
      stated.isShared() ? stated.of('queue').lapsesAtMs(nowMs) : Number.POSITIVE_INFINITY,
    spanMs: (requests, nowMs) => span(requests, nowMs, (pacer, count) => pacer.spanMs(count, nowMs)),
    spanMsMin: (requests, nowMs) => span(requests, nowMs, (pacer, count) => pacer.spanMsMin(count, nowMs)),
  };
}

/** A route with less than documented is probably used by other processes too: then so are the other routes. */
function expectShare(routes: Service['routes'], route: Route, nowMs: number): void {
  const share = routes[route].limit() / DOCUMENTED_PER_MINUTE[route];
  for (const other of ROUTES) if (other !== route && share < 1) routes[other].expectShare(share, nowMs);
}

/** Whether a submit was refused because the model is overloaded. The answer to a poll is about polls. */
export function isAboutModel(route: Route, { status, overloaded }: PacedAnswer): boolean {
  return route === 'queue' && status === 429 && overloaded === true;
}

function hasLimitHeaders({ rate }: Pick<PacedAnswer, 'rate'>): boolean {
  return rate.limit !== undefined || rate.remaining !== undefined || rate.resetUnixSeconds !== undefined;
}

function total(requests: Requests): number {
  return ROUTES.reduce((sum, route) => sum + (requests[route] ?? 0), 0);
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1_000;
}
