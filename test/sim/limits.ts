import type { Rng } from './random.js';

/** The request limits of the simulated service: per route and user, in no header; per model, in headers; or both. */
export interface LimitRule {
  /** Requests per minute by route, over all models of a user. */
  readonly routes?: Readonly<Partial<Record<LimitedRoute, number>>>;
  /** Requests per minute for each model of a user, over all routes. */
  readonly model?: { readonly perMinute: number; readonly resetsIn: 's' | 'ms' };
  /** How a minute of the routes is counted. */
  readonly shape: 'window' | 'sliding';
}

export const LIMITED_ROUTES = ['queue', 'retrieve', 'complete'] as const;
export type LimitedRoute = (typeof LIMITED_ROUTES)[number];

export interface RequestLimits {
  readonly rule: LimitRule;
  /** Counts a request if it is allowed. */
  take(about: LimitedRequest, nowMs: number): Verdict;
  /** How often the limit was met so far, by route. Requests already in flight at that moment count as one. */
  readonly refusals: Readonly<Record<LimitedRoute, number>>;
}

export interface LimitedRequest {
  readonly account: string;
  readonly route: LimitedRoute;
  readonly model: string;
}

export interface Verdict {
  readonly allowed: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

const MINUTE_MS = 60_000;
/** Longer than a request and its response take. */
const IN_FLIGHT_MS = 500;
/** As documented in October 2026. */
export const DOCUMENTED = { queue: 40, retrieve: 120 } as const;

/** As in October's description, as in August's, or mixtures of both. `small`: for a run of a few requests. */
export function drawLimitRule(rng: Rng, size: 'small' | 'real'): LimitRule {
  const shape = rng.pick(['window', 'sliding'] as const);
  const part = (most: number) =>
    size === 'small' ? rng.between(2, 9) : rng.between(Math.ceil(most / 4), most);
  const today = { ...DOCUMENTED };
  const lower = { queue: part(DOCUMENTED.queue), retrieve: part(DOCUMENTED.retrieve) };
  const model = {
    perMinute: size === 'small' ? rng.between(4, 20) : rng.between(30, 120),
    resetsIn: rng.pick(['s', 'ms'] as const),
  };
  switch (rng.pick(['today', 'lower', 'polls', 'august', 'both'] as const)) {
    case 'today':
      return { routes: today, shape };
    case 'lower':
      return { routes: lower, shape };
    case 'polls':
      return { routes: { ...today, retrieve: size === 'small' ? 3 : rng.between(20, 45) }, shape };
    case 'august':
      return { model, shape };
    case 'both':
      return { routes: today, model, shape };
  }
}

export function createLimits(rule: LimitRule, phaseMs: number): RequestLimits {
  const counters = new Map<string, number[]>();
  const refusals = { queue: 0, retrieve: 0, complete: 0 };
  const refusedMs: Record<LimitedRoute, number> = {
    queue: -Infinity,
    retrieve: -Infinity,
    complete: -Infinity,
  };
  const inMinute = (key: string, shape: LimitRule['shape'], nowMs: number): number[] => {
    const beganMs = shape === 'sliding' ? nowMs - MINUTE_MS : endOfWindow(nowMs, phaseMs) - MINUTE_MS - 1;
    const counted = (counters.get(key) ?? []).filter((ms) => ms > beganMs);
    counters.set(key, counted);
    return counted;
  };
  return {
    rule,
    refusals,
    take: ({ account, route, model }, nowMs) => {
      const perRoute = rule.routes?.[route];
      const ofRoute = inMinute(`${account} ${route}`, rule.shape, nowMs);
      const ofModel = inMinute(`${account} model ${model}`, 'window', nowMs);
      const routeAllows = perRoute === undefined || ofRoute.length < perRoute;
      const modelAllows = rule.model === undefined || ofModel.length < rule.model.perMinute;
      const allowed = routeAllows && modelAllows;
      if (!allowed) {
        if (nowMs - refusedMs[route] > IN_FLIGHT_MS) refusals[route] += 1;
        refusedMs[route] = nowMs;
      }
      if (allowed) {
        ofRoute.push(nowMs);
        ofModel.push(nowMs);
      }
      // Refusals by a route's own limit have no headers.
      if (rule.model === undefined || !routeAllows) return { allowed, headers: {} };
      const resetMs = endOfWindow(nowMs, phaseMs);
      return { allowed, headers: reported(rule.model, ofModel.length, resetMs) };
    },
  };
}

function endOfWindow(nowMs: number, phaseMs: number): number {
  return nowMs - ((((nowMs - phaseMs) % MINUTE_MS) + MINUTE_MS) % MINUTE_MS) + MINUTE_MS;
}

function reported({ perMinute, resetsIn }: NonNullable<LimitRule['model']>, used: number, resetMs: number) {
  return {
    'x-ratelimit-limit-requests': String(perMinute),
    'x-ratelimit-remaining-requests': String(perMinute - used),
    'x-ratelimit-reset-requests': String(resetsIn === 's' ? Math.ceil(resetMs / 1_000) : Math.ceil(resetMs)),
  };
}
