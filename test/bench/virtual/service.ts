import type { RateHeaders } from '../../../src/core/rate-headers.js';

export type Operation = 'submit' | 'poll' | 'complete';

/** How the simulated service limits requests: all of one model together, or each route of a user separately. */
export interface LimitRule {
  readonly kind: 'window' | 'bucket' | 'sliding' | 'routes';
  /**
   * For `routes`: requests per minute of each limited route, how its minute is counted, and whether headers describe
   * it.
   */
  readonly routes?: {
    readonly submit: number;
    readonly poll: number;
    readonly shape: 'window' | 'sliding';
    readonly headers?: boolean;
  };
  /** Requests per minute; absent: no limit and no headers. */
  readonly perMinute?: number;
  /** From the start of the run to the end of the first window. */
  readonly phaseMs?: number;
  /** How the reset in the header is rounded to whole seconds. */
  readonly rounding?: 'none' | 'up' | 'down';
  /** Share of answers without any rate header. */
  readonly headersMissing?: number;
  /** From `atMs` on, another limit applies. */
  readonly change?: { readonly atMs: number; readonly perMinute: number };
}

export interface Limiter {
  /** Whether a request that arrives now is accepted, and its response. */
  admit(nowMs: number, operation: Operation): { readonly ok: boolean; readonly rate: RateHeaders };
}

const WINDOW_MS = 60_000;
/** Virtual time starts at a full second of the real era, so that resets look like Unix times. */
export const EPOCH_MS = 1_700_000_000_000;

export function createLimiter(rule: LimitRule, random: () => number): Limiter {
  if (rule.kind === 'routes') return byRoute(rule, random);
  const { perMinute } = rule;
  if (perMinute === undefined) return { admit: () => ({ ok: true, rate: {} }) };
  const limitAt = (nowMs: number): number =>
    rule.change !== undefined && nowMs >= EPOCH_MS + rule.change.atMs ? rule.change.perMinute : perMinute;
  const report = (limit: number, remaining: number, resetMs: number): RateHeaders => {
    if (random() < (rule.headersMissing ?? 0)) return {};
    const seconds = resetMs / 1_000;
    const resetUnixSeconds =
      rule.rounding === 'up' ? Math.ceil(seconds) : rule.rounding === 'down' ? Math.floor(seconds) : seconds;
    return { limit, remaining, resetUnixSeconds };
  };
  switch (rule.kind) {
    case 'window':
      return fixedWindow(rule, limitAt, report);
    case 'bucket':
      return tokenBucket(limitAt, report);
    case 'sliding':
      return slidingLog(limitAt);
  }
}

function byRoute(rule: LimitRule, random: () => number): Limiter {
  const { submit, poll, shape, headers = false } = rule.routes!;
  const { phaseMs = WINDOW_MS } = rule;
  const limited = (perMinute: number): Limiter =>
    createLimiter({ kind: shape, perMinute, phaseMs, headersMissing: headers ? 0 : 1 }, random);
  const limiters = { submit: limited(submit), poll: limited(poll) };
  return {
    admit: (nowMs, operation) =>
      operation === 'complete' ? { ok: true, rate: {} } : limiters[operation].admit(nowMs, operation),
  };
}

type Notify = (limit: number, remaining: number, resetMs: number) => RateHeaders;

function fixedWindow(rule: LimitRule, limitAt: (nowMs: number) => number, report: Notify): Limiter {
  let endMs = EPOCH_MS + (rule.phaseMs ?? WINDOW_MS);
  let used = 0;
  return {
    admit: (nowMs) => {
      if (nowMs >= endMs) {
        endMs += Math.ceil((nowMs - endMs + 1e-6) / WINDOW_MS) * WINDOW_MS;
        used = 0;
      }
      const limit = limitAt(nowMs);
      const ok = used < limit;
      if (ok) used += 1;
      return { ok, rate: report(limit, Math.max(0, limit - used), endMs) };
    },
  };
}

function tokenBucket(limitAt: (nowMs: number) => number, report: Notify): Limiter {
  let tokens = limitAt(EPOCH_MS);
  let atMs = EPOCH_MS;
  return {
    admit: (nowMs) => {
      const limit = limitAt(nowMs);
      tokens = Math.min(limit, tokens + ((nowMs - atMs) * limit) / WINDOW_MS);
      atMs = nowMs;
      const ok = tokens >= 1;
      if (ok) tokens -= 1;
      const fullMs = nowMs + ((limit - tokens) * WINDOW_MS) / limit;
      return { ok, rate: report(limit, Math.floor(tokens), fullMs) };
    },
  };
}

/** This many within any minute; no headers. */
function slidingLog(limitAt: (nowMs: number) => number): Limiter {
  let admitted: number[] = [];
  return {
    admit: (nowMs) => {
      admitted = admitted.filter((ms) => ms > nowMs - WINDOW_MS);
      const ok = admitted.length < limitAt(nowMs);
      if (ok) admitted.push(nowMs);
      return { ok, rate: {} };
    },
  };
}

/** The block of the key: more than 20 failures in 30 s block it for 30 s. */
export interface Fuse {
  blocked(nowMs: number): boolean;
  failed(nowMs: number): void;
  readonly blows: number;
}

export function createFuse(): Fuse {
  let failures: number[] = [];
  let untilMs = 0;
  let blows = 0;
  return {
    blocked: (nowMs) => nowMs < untilMs,
    failed: (nowMs) => {
      if (nowMs < untilMs) return;
      failures = failures.filter((ms) => ms > nowMs - 30_000);
      failures.push(nowMs);
      if (failures.length > 20) {
        untilMs = nowMs + 30_000;
        failures = [];
        blows += 1;
      }
    },
    get blows() {
      return blows;
    },
  };
}
