import type { Account } from './service-response.js';

export interface LimitOptions {
  /** Requests a minute for each user and model. Default 60. */
  readonly perMinute?: number;
  /** Instead: requests a minute for each user and route, across all models. Other routes are not limited. */
  readonly perMinuteByRoute?: Readonly<Record<string, number>>;
  /** Failures within 30 s after which the key is blocked for 30 s. Default 20. */
  readonly failuresMax?: number;
  /**
   * `window`: starts with the first request, and is full again after a minute. `bucket`: tokens return one by one.
   * `none`: no limit, and no block. Default `window`.
   */
  readonly kind?: 'window' | 'bucket' | 'none';
  /** Whether responses have limit headers. Default true. */
  readonly headers?: boolean;
  /** Whether headers tell the reset in Unix seconds or milliseconds. Default seconds. */
  readonly resetsIn?: 's' | 'ms';
}

const MINUTE_MS = 60_000;
const PER_MINUTE_DEFAULT = 60;
const FAILURES_MAX_DEFAULT = 20;
const FAILURES_WITHIN_MS = 30_000;
const BLOCK_MS = 30_000;

/** The rest of one key's budget for one model. */
interface Budget {
  left: number;
  /** Window: when it began. Bucket: when `left` was computed. */
  atMs: number;
}

interface Verdict {
  readonly allowed: boolean;
  readonly headers: Record<string, string>;
}

export interface Limiter {
  /** Counts a request if it is allowed. */
  take(account: Account, about: { readonly path: string; readonly model: string }, nowMs: number): Verdict;
  /** For each model. */
  readonly perMinute: number;
}

/** The request budget of each user, by model or by route. */
export function createLimiter(options: LimitOptions): Limiter {
  const {
    kind = 'window',
    perMinute = PER_MINUTE_DEFAULT,
    perMinuteByRoute,
    headers = true,
    resetsIn = 's',
  } = options;
  if (kind === 'none') return { perMinute: 1_000_000, take: () => ({ allowed: true, headers: {} }) };
  const budgets = new Map<string, Budget>();
  const refill = (budget: Budget, limit: number, nowMs: number) => {
    if (kind === 'bucket') {
      budget.left = Math.min(limit, budget.left + (Math.max(0, nowMs - budget.atMs) * limit) / MINUTE_MS);
      budget.atMs = nowMs;
    } else if (nowMs - budget.atMs >= MINUTE_MS) {
      budget.left = limit;
      budget.atMs = nowMs;
    }
  };
  return {
    perMinute,
    take(account, { path, model }, nowMs) {
      const limit = perMinuteByRoute === undefined ? perMinute : perMinuteByRoute[path];
      if (limit === undefined) return { allowed: true, headers: {} };
      const key = `${account} ${perMinuteByRoute === undefined ? model : path}`;
      const budget = budgets.get(key) ?? { left: limit, atMs: nowMs };
      budgets.set(key, budget);
      refill(budget, limit, nowMs);
      const allowed = budget.left >= 1;
      if (allowed) budget.left -= 1;
      const resetMs =
        kind === 'bucket' ? nowMs + ((limit - budget.left) * MINUTE_MS) / limit : budget.atMs + MINUTE_MS;
      return { allowed, headers: headers ? rateHeaders(limit, budget.left, resetMs, resetsIn) : {} };
    },
  };
}

function rateHeaders(
  limit: number,
  left: number,
  resetMs: number,
  resetsIn: 's' | 'ms',
): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(Math.floor(left)),
    'x-ratelimit-reset-requests': String(Math.ceil(resetsIn === 's' ? resetMs / 1_000 : resetMs)),
  };
}

/** The limits of a service whose time runs faster: the same number of requests in shorter minutes. */
export function limitsAtSpeed(limits: LimitOptions, speed: number): LimitOptions {
  if (speed <= 1) return limits;
  const faster = (perMinute: number) => Math.max(1, Math.floor(perMinute * speed));
  const { perMinute = PER_MINUTE_DEFAULT, perMinuteByRoute } = limits;
  if (perMinuteByRoute === undefined) return { ...limits, perMinute: faster(perMinute) };
  const routes = Object.entries(perMinuteByRoute).map(([path, amount]) => [path, faster(amount)]);
  return { ...limits, perMinute: faster(perMinute), perMinuteByRoute: Object.fromEntries(routes) };
}

export interface FailureBlock {
  isBlocked(account: Account, nowMs: number): boolean;
  /** When the last block of an account ends. */
  untilMs(account: Account): number;
  /** Counts a failure. */
  failed(account: Account, nowMs: number): void;
  /** How often any key was blocked. */
  readonly blocks: number;
}

/** Too many failures within 30 s block the key for 30 s. */
export function createFailureBlock({ kind, failuresMax = FAILURES_MAX_DEFAULT }: LimitOptions): FailureBlock {
  const failures = new Map<Account, number[]>();
  const blockedUntil = new Map<Account, number>();
  let blocks = 0;
  return {
    get blocks() {
      return blocks;
    },
    isBlocked: (account, nowMs) => nowMs < (blockedUntil.get(account) ?? 0),
    untilMs: (account) => blockedUntil.get(account) ?? 0,
    failed(account, nowMs) {
      if (kind === 'none') return;
      const recent = (failures.get(account) ?? []).filter((atMs) => atMs > nowMs - FAILURES_WITHIN_MS);
      recent.push(nowMs);
      failures.set(account, recent);
      if (recent.length <= failuresMax) return;
      failures.delete(account);
      blockedUntil.set(account, nowMs + BLOCK_MS);
      blocks += 1;
    },
  };
}
