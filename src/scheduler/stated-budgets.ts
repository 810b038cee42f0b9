import { createPacer, type PacedAnswer, type Pacer } from './pacer.js';
import type { Route } from './route.js';

/**
 * The request budgets that the service states for one model: one for all routes, or one for each route. The headers
 * show which: a route that repeats its own limit after another route stated a different one has its own budget. Until
 * then, a limit that equals the documented one for its route counts as that route's own, unless another route states
 * the same.
 */
export interface StatedBudgets {
  of(route: Route): Pacer;
  /** Whether all routes share one budget. */
  isShared(): boolean;
  sent(route: Route, nowMs: number): StatedToken;
  /** Reports the response to a request. Without a token, only the headers matter. */
  answered(route: Route, token: StatedToken | undefined, answer: PacedAnswer, nowMs: number): void;
}

export interface StatedToken {
  readonly route: Route;
  readonly sentMs: number;
  /** The token's number in the route's pacer. */
  number: number;
}

/** @param documented requests a minute that the vendor documents for each route */
export function createStatedBudgets(documented: Readonly<Record<Route, number>>): StatedBudgets {
  const shared = createPacer();
  const apart = new Map<Route, Pacer>();
  const pending = new Set<StatedToken>();
  /** The end of the pause after the last 429 of each route, ms since the epoch. */
  const pauses = new Map<Route, number>();
  const detect = createDetector(documented);
  let isShared = true;

  const of = (route: Route): Pacer => {
    if (isShared) return shared;
    const pacer = apart.get(route) ?? createPacer();
    apart.set(route, pacer);
    return pacer;
  };
  const become = (scope: 'shared' | 'apart', nowMs: number): void => {
    if (isShared === (scope === 'shared')) return;
    const before = [...pending].map((token) => [token, of(token.route)] as const);
    isShared = scope === 'shared';
    for (const [token, pacer] of before) {
      pacer.answered(token.number, { rate: {} }, nowMs);
      token.number = of(token.route).sent(token.sentMs);
    }
    for (const [route, untilMs] of pauses) of(route).pauseUntil(untilMs);
  };

  return {
    of,
    isShared: () => isShared,
    sent: (route, nowMs) => {
      const token = { route, sentMs: nowMs, number: of(route).sent(nowMs) };
      pending.add(token);
      return token;
    },
    answered: (route, token, answer, nowMs) => {
      const scope = detect(route, answer.rate.limit);
      if (scope !== undefined) become(scope, nowMs);
      if (token !== undefined) pending.delete(token);
      of(route).answered(token?.number, answer, nowMs);
      if (answer.status === 429) pauses.set(route, of(route).pausedUntilMs());
    },
  };
}

/** A limit that changes during the run does not prove separate budgets; a route that keeps its own limit does. */
function createDetector(documented: Readonly<Record<Route, number>>) {
  const seen = new Map<Route, { readonly limit: number; readonly place: number }>();
  let place = 0;
  let guess: 'none yet' | 'apart' | 'settled' = 'none yet';
  return (route: Route, limit: number | undefined): 'shared' | 'apart' | undefined => {
    if (limit === undefined) return undefined;
    const before = seen.get(route);
    const others = [...seen].filter(([other]) => other !== route).map(([, entry]) => entry);
    place += 1;
    seen.set(route, { limit, place });
    if (
      before?.limit === limit &&
      others.some((other) => other.limit !== limit && other.place > before.place)
    ) {
      guess = 'settled';
      return 'apart';
    }
    const isSame = others.some((other) => other.limit === limit);
    if (guess === 'apart' && isSame) {
      guess = 'settled';
      return 'shared';
    }
    if (guess !== 'none yet' || isSame || limit !== documented[route]) return undefined;
    guess = 'apart';
    return 'apart';
  };
}
