import type { PacedAnswer, Pacer } from './pacer.js';
import type { Route } from './route.js';
import { createRouteBudget, type RouteBudget, type Sent } from './route-budget.js';
import { createStatedBudgets, type StatedBudgets, type StatedToken } from './stated-budgets.js';

export type Requests = Readonly<Partial<Record<Route, number>>>;

/**
 * Keeps a run within the service's request limits. There are two kinds, and either may be absent: budgets of one model,
 * described by headers or by `/api_keys/rate_limits`, and one budget for each route across all models of a user, which
 * only 429s reveal. A request needs a token from each budget that applies to it.
 */
export interface RateLimiter {
  /** The limits for requests of one model; always the same object for the same model. */
  of(model: string): ModelLimits;
  /** Sets the requests a minute by model, as stated by the service. `''` stands for all other models. */
  setStated(perMinute: ReadonlyMap<string, number>): void;
  /** Starts from what an earlier run saw. */
  remember(route: Route, history: RouteHistory, nowMs: number): void;
  /** Shares what no header describes equally between this many runs on the same key, this one included. */
  shareWith(runs: number): void;
  /** Requests a minute by route, as learned from 429s in this run. */
  learnedLimits(): Requests;
}

export interface RouteHistory {
  /** Requests a minute, as learned from a 429. */
  readonly perMinute?: number;
  /** When the last requests were sent, in ms. */
  readonly sentMs?: readonly number[];
}

export interface ModelLimits {
  /** Requests that may be sent now, 0 to `Infinity`. */
  available(route: Route, nowMs: number): number;
  /** While `available` is 0: when that may change if no response comes first. `Infinity`: only a response changes it. */
  opensAtMs(route: Route, nowMs: number): number;
  /** When the pause after the last 429 ends, in ms; in the past if there is none. */
  pausedUntilMs(route: Route): number;
  /** Counts a request as sent. Returns the token to report its response with. */
  sent(route: Route, nowMs: number): RequestToken;
  /** Takes back a request that was counted but never sent. */
  unsent(token: RequestToken, nowMs: number): void;
  /**
   * Reports the response to a request. For a request that was not counted, pass a token with only its route; then only
   * the headers matter.
   */
  answered(token: RequestToken, answer: PacedAnswer, nowMs: number): void;
  /** Whether all routes share one budget, so that a poll takes the place of a submit. */
  isShared(): boolean;
  /** Requests a minute: the lowest limit that applies, as far as known, or `Infinity`. */
  perMinute(route: Route): number;
  /** Tokens of the budget that all routes share, or `Infinity` if there is none. */
  sharedAvailable(nowMs: number): number;
  /** When unused shared tokens expire. `Infinity`: never. */
  lapsesAtMs(nowMs: number): number;
  /** How long it is expected to take until this many more requests have been allowed, in ms. */
  spanMs(requests: Requests, nowMs: number): number;
  /** The shortest time it can take: all requests of the last window are sent at its start. */
  spanMsMin(requests: Requests, nowMs: number): number;
}

export interface RequestToken {
  readonly route: Route;
  /** Absent for a request that was not counted. */
  readonly counted?: { readonly stated: StatedToken; readonly sent: Sent };
}

/** Requests a minute for each user across all models, as documented by the vendor. */
const DOCUMENTED_PER_MINUTE: Readonly<Record<Route, number>> = {
  quote: Number.POSITIVE_INFINITY,
  queue: 40,
  retrieve: 120,
  complete: Number.POSITIVE_INFINITY,
};
export const ROUTES = Object.keys(DOCUMENTED_PER_MINUTE) as readonly Route[];
/** A 429 without headers is not about the model's budget while that has at least this many tokens. */
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
    learnedLimits: () =>
      Object.fromEntries(
        ROUTES.flatMap((route) => {
          const perMinute = routes[route].learnedLimit();
          return perMinute === undefined ? [] : [[route, perMinute]];
        }),
      ),
  };
}

/** State that all models share. */
interface Service {
  readonly routes: Readonly<Record<Route, RouteBudget>>;
  /** A response had limit headers, so responses about other models can be expected to have them. */
  sawLimitHeaders: boolean;
}

function createModelLimits(stated: StatedBudgets, service: Service): ModelLimits {
  const { routes } = service;
  /** A limit stated by the service overrides a documented one, but not one learned from a 429. */
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
      if (refused && answer.pauseMs !== undefined) {
        stated.answered(route, counted?.stated, { ...answer, overloaded: true }, nowMs);
        if (counted !== undefined) routes[route].answered(counted.sent, 'paused', nowMs, answer.pauseMs);
        return;
      }
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

/** A route with less than the documented limit is probably shared with other processes, and so are the other routes. */
function expectShare(routes: Service['routes'], route: Route, nowMs: number): void {
  const share = routes[route].limit() / DOCUMENTED_PER_MINUTE[route];
  for (const other of ROUTES) if (other !== route && share < 1) routes[other].expectShare(share, nowMs);
}

/** Whether a submit was refused because the model is overloaded. Responses to polls say nothing about that. */
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
