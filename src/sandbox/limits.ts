import type { Account } from './exchange.js';

export interface LimitOptions {
  /** Requests a minute for each key and model. Default 60. */
  readonly perMinute?: number;
  /**
   * `window`: so many from the first request on, all back after a minute. `bucket`: each comes back on its own.
   * `none`: no limit, and no block. Default `window`.
   */
  readonly kind?: 'window' | 'bucket' | 'none';
  /** Whether answers tell of the limit. Default true. */
  readonly headers?: boolean;
}

const MINUTE_MS = 60_000;
const PER_MINUTE_DEFAULT = 60;
const FAILURES_MAX = 20;
const FAILURES_WITHIN_MS = 30_000;
const BLOCK_MS = 30_000;

/** What is left of one key's budget for one model. */
interface Budget {
  left: number;
  /** Window: when it began. Bucket: when `left` was counted. */
  atMs: number;
}

interface Verdict {
  readonly allowed: boolean;
  readonly headers: Record<string, string>;
}

export interface Limiter {
  /** Counts a request, if it may pass. */
  take(account: Account, model: string, nowMs: number): Verdict;
  readonly perMinute: number;
}

/** The request budget of each key and model. */
export function createLimiter(options: LimitOptions): Limiter {
  const { kind = 'window', perMinute = PER_MINUTE_DEFAULT, headers = true } = options;
  if (kind === 'none') return { perMinute: 1_000_000, take: () => ({ allowed: true, headers: {} }) };
  const budgets = new Map<string, Budget>();
  const msEach = MINUTE_MS / perMinute;
  const refill = (budget: Budget, nowMs: number) => {
    if (kind === 'bucket') {
      budget.left = Math.min(perMinute, budget.left + Math.max(0, nowMs - budget.atMs) / msEach);
      budget.atMs = nowMs;
    } else if (nowMs - budget.atMs >= MINUTE_MS) {
      budget.left = perMinute;
      budget.atMs = nowMs;
    }
  };
  return {
    perMinute,
    take(account, model, nowMs) {
      const key = `${account} ${model}`;
      const budget = budgets.get(key) ?? { left: perMinute, atMs: nowMs };
      budgets.set(key, budget);
      refill(budget, nowMs);
      const allowed = budget.left >= 1;
      if (allowed) budget.left -= 1;
      const resetMs =
        kind === 'bucket' ? nowMs + (perMinute - budget.left) * msEach : budget.atMs + MINUTE_MS;
      return { allowed, headers: headers ? told(perMinute, budget.left, resetMs) : {} };
    },
  };
}

function told(limit: number, left: number, resetMs: number): Record<string, string> {
  return {
    'x-ratelimit-limit-requests': String(limit),
    'x-ratelimit-remaining-requests': String(Math.floor(left)),
    'x-ratelimit-reset-requests': String(Math.ceil(resetMs / 1_000)),
  };
}

/** The limits of a service whose time runs faster: as many requests in one of its minutes, which is shorter than others'. */
export function limitsAtSpeed(limits: LimitOptions, speed: number): LimitOptions {
  if (speed === 1) return limits;
  return { ...limits, perMinute: Math.max(1, Math.floor((limits.perMinute ?? PER_MINUTE_DEFAULT) * speed)) };
}

export interface FailureBlock {
  isBlocked(account: Account, nowMs: number): boolean;
  /** An answer that is no success. */
  failed(account: Account, nowMs: number): void;
  /** How often any key was blocked. */
  readonly blocks: number;
}

/** More than 20 answers that are no success within 30 s block the key for 30 s. */
export function createFailureBlock(enabled: boolean): FailureBlock {
  const failures = new Map<Account, number[]>();
  const blockedUntil = new Map<Account, number>();
  let blocks = 0;
  return {
    get blocks() {
      return blocks;
    },
    isBlocked: (account, nowMs) => nowMs < (blockedUntil.get(account) ?? 0),
    failed(account, nowMs) {
      if (!enabled) return;
      const recent = (failures.get(account) ?? []).filter((atMs) => atMs > nowMs - FAILURES_WITHIN_MS);
      recent.push(nowMs);
      failures.set(account, recent);
      if (recent.length <= FAILURES_MAX) return;
      failures.delete(account);
      blockedUntil.set(account, nowMs + BLOCK_MS);
      blocks += 1;
    },
  };
}
