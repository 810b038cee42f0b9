import { createPacer, type PacedAnswer, type Pacer } from './pacer.js';
import { createRouteBudget, type RouteBudget, type Sent } from './route-budget.js';

/** The routes that have a request budget. */
export type Route = 'quote' | 'queue' | 'retrieve' | 'complete';

/** Requests by route. */
export type Requests = Readonly<Partial<Record<Route, number>>>;

/**
 * Keeps a run within the service's request limits. Two kinds are known, and either may be absent: one budget a model
 * for all routes, described by headers or by `/api_keys/rate_limits`; and one budget a route for all models of a user,
 * which only 429s reveal. A request needs a token of each budget that applies to it.
 */
export interface RateLimiter {
  /** What concerns the requests of one model; the same object for the same model. */
  of(model: string): ModelLimits;
  /** Requests a minute by model as the service states them; `''`: of all others. */
  setStated(perMinute: ReadonlyMap<string, number>): void;
  /** Starts from what an earlier run saw. */
  remember(route: Route, history: RouteHistory, nowMs: number): void;
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
  /** Counts a request as sent; returns the token that its answer is reported with. */
  sent(route: Route, nowMs: number): RequestToken;
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
  readonly counted?: { readonly number: number; readonly sent: Sent };
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
  const pacers = new Map<string, Pacer>();
  const service: Service = { routes, sawLimitHeaders: false };
  const applyStated = (model: string): void => {
    const perMinute = stated.get(model) ?? stated.get('');
    if (perMinute !== undefined) pacers.get(model)!.limit(perMinute);
  };
  return {
    of: (model) => {
      const known = models.get(model);
      if (known !== undefined) return known;
      const pacer = createPacer();
      pacers.set(model, pacer);
      applyStated(model);
      const limits = createModelLimits(pacer, service);
      models.set(model, limits);
      return limits;
    },
    setStated: (perMinute) => {
      for (const [model, amount] of perMinute) stated.set(model, amount);
      for (const model of pacers.keys()) applyStated(model);
    },
    remember: (route, { perMinute, sentMs }, nowMs) => {
      if (perMinute !== undefined) routes[route].learn(perMinute, nowMs);
      if (sentMs !== undefined) routes[route].remember(sentMs);
    },
  };
}

/** What the models share. */
interface Service {
  readonly routes: Readonly<Record<Route, RouteBudget>>;
  /** An answer had limit headers: then those of other models can be expected to have them. */
  sawLimitHeaders: boolean;
}

function createModelLimits(pacer: Pacer, service: Service): ModelLimits {
  const { routes } = service;
  /** A documented limit gives way to one that the service states. */
  const applies = (route: Route): boolean =>
    routes[route].isLearned() || !(service.sawLimitHeaders || pacer.isKnown());
  const span = (requests: Requests, nowMs: number, shared: (count: number) => number): number => {
    let longestMs = pacer.isKnown() ? shared(total(requests)) : 0;
    for (const route of ROUTES) {
      const count = requests[route] ?? 0;
      if (count > 0 && applies(route)) longestMs = Math.max(longestMs, routes[route].spanMs(count, nowMs));
    }
    return longestMs;
  };
  return {
    available: (route, nowMs) => {
      const shared = pacer.available(nowMs);
      return shared < 1 || !applies(route) ? shared : Math.min(shared, routes[route].available(nowMs));
    },
    opensAtMs: (route, nowMs) => {
      const sharedMs = pacer.available(nowMs) < 1 ? pacer.opensAtMs(nowMs) : nowMs;
      if (!applies(route) || routes[route].available(nowMs) >= 1) return sharedMs;
      return Math.max(sharedMs, routes[route].opensAtMs(nowMs));
    },
    sent: (route, nowMs) => {
      const number = pacer.sent(nowMs);
      return { route, counted: { number, sent: routes[route].sent(nowMs) } };
    },
    answered: ({ route, counted }, answer, nowMs) => {
      service.sawLimitHeaders ||= hasLimitHeaders(answer);
      const refused = answer.status === 429 && !isAboutModel(route, answer);
      const knownBefore = pacer.isKnown() && pacer.available(nowMs) < AMPLE;
      const isRoutes = refused && !hasLimitHeaders(answer) && !knownBefore;
      pacer.answered(counted?.number, isRoutes || !refused ? { ...answer, overloaded: true } : answer, nowMs);
      if (counted === undefined) return;
      const retryAfterMs = seconds(answer.rate.retryAfterSeconds);
      routes[route].answered(counted.sent, isRoutes ? 'refused' : 'counted', nowMs, retryAfterMs);
    },
    isShared: () => pacer.isKnown() && pacer.perMinute() < Number.POSITIVE_INFINITY,
    perMinute: (route) =>
      Math.min(pacer.perMinute(), applies(route) ? routes[route].perMinute() : Number.POSITIVE_INFINITY),
    sharedAvailable: (nowMs) => (pacer.isKnown() ? pacer.available(nowMs) : Number.POSITIVE_INFINITY),
    lapsesAtMs: (nowMs) => pacer.lapsesAtMs(nowMs),
    spanMs: (requests, nowMs) => span(requests, nowMs, (count) => pacer.spanMs(count, nowMs)),
    spanMsMin: (requests, nowMs) => span(requests, nowMs, (count) => pacer.spanMsMin(count, nowMs)),
  };
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
