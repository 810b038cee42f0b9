import type { RateHeaders } from '../../../src/core/rate-headers.js';
import { createPriorityQueue } from '../../../src/scheduler/priority-queue.js';
import { createChance, LAWS, type LawName } from './chance.js';
import { createFuse, createLimiter, EPOCH_MS, type LimitRule, type Operation } from './service.js';

/** One simulated run. */
export interface Scene {
  readonly tracks: number;
  /** Most jobs in flight; absent: not limited. */
  readonly concurrency?: number;
  readonly law: LawName;
  /** The reported 80th percentile over the true one; absent: nothing is reported. */
  readonly p80Factor?: number;
  readonly limit: LimitRule;
  readonly seed: number;
  /** One way, ms. */
  readonly latencyMs?: readonly [number, number];
  /** Requests per minute of another client on the same key; submits, if each route has its limit. */
  readonly otherPerMinute?: number;
}

export type Answer =
  | { readonly kind: 'refused'; readonly rate: RateHeaders }
  | { readonly kind: 'queued'; readonly rate: RateHeaders }
  | {
      readonly kind: 'running';
      readonly rate: RateHeaders;
      readonly averageMs?: number;
      readonly ageMs: number;
    }
  | { readonly kind: 'audio'; readonly rate: RateHeaders }
  | { readonly kind: 'completed'; readonly rate: RateHeaders };

export interface World {
  nowMs(): number;
  at(timeMs: number, then: () => void): void;
  /** Sends one request; `then` gets the response when it arrives. */
  send(kind: Operation, job: number, then: (answer: Answer) => void): void;
  readonly chance: () => number;
  /** When the job is ready: for the oracle only. */
  readyAtMs(job: number): number;
  /** Marks the audio as downloaded, for the figures. */
  stored(job: number): void;
  /** The time from audio headers to the last byte. */
  readonly downloadMs: number;
}

export interface Figures {
  readonly makespanMs: number;
  readonly boundMs: number;
  readonly requests: number;
  /** From ready to the download, ms. */
  readonly waitsMs: readonly number[];
  readonly refusals: number;
  readonly blocks: number;
  /** Most refusals within any one window. */
  readonly refusalsInWindowMax: number;
  readonly inFlightMax: number;
  readonly unfinished: number;
}

const LATENCY_MS = [35, 55] as const;
const DOWNLOAD_MS = 300;
/** The response to a blocked key. */
const BLOCKED = { ok: false, rate: {} } as const;
/** Beyond this it is a bug, not a long run. */
const EVENTS_MAX = 60_000_000;

/** Runs `policy` in a fresh world until nothing happens any more. */
export function simulate(scene: Scene, policy: (world: World, scene: Scene) => void): Figures {
  const law = LAWS[scene.law];
  const chance = createChance(scene.seed);
  const network = createChance(scene.seed ^ 0x5bd1e995);
  const runMs = Array.from({ length: scene.tracks }, () => law.draw(chance));
  const queuedAtMs = new Float64Array(scene.tracks).fill(Number.NaN);
  const storedMs = new Float64Array(scene.tracks).fill(Number.NaN);
  const phaseMs = scene.limit.phaseMs ?? 1 + chance() * 59_999;
  const limiter = createLimiter({ ...scene.limit, phaseMs }, chance);
  const fuse = createFuse();
  const [low, high] = scene.latencyMs ?? LATENCY_MS;
  const tally = { requests: 0, refusals: 0, inFlight: 0, inFlightMax: 0, completed: 0 };
  const refusedInWindow = new Map<number, number>();
  const averageMs = scene.p80Factor === undefined ? undefined : law.p80Ms * scene.p80Factor;

  const events = createPriorityQueue<() => void>();
  let nowMs = EPOCH_MS;
  let lastMs = EPOCH_MS;
  const at = (timeMs: number, then: () => void): void => {
    const event = (): void => then();
    events.set(event, Math.max(timeMs, nowMs));
  };

  const serve = (kind: Operation, job: number): Answer => {
    tally.requests += 1;
    const { ok, rate } = fuse.blocked(nowMs) ? BLOCKED : limiter.admit(nowMs, kind);
    if (!ok) {
      tally.refusals += 1;
      const window = Math.floor((nowMs - EPOCH_MS - phaseMs) / 60_000);
      refusedInWindow.set(window, (refusedInWindow.get(window) ?? 0) + 1);
      fuse.failed(nowMs);
      return { kind: 'refused', rate };
    }
    if (kind === 'submit') {
      queuedAtMs[job] = nowMs;
      tally.inFlight += 1;
      tally.inFlightMax = Math.max(tally.inFlightMax, tally.inFlight);
      return { kind: 'queued', rate };
    }
    if (kind === 'complete') {
      tally.completed += 1;
      return { kind: 'completed', rate };
    }
    const ageMs = nowMs - queuedAtMs[job]!;
    if (ageMs >= runMs[job]!) return { kind: 'audio', rate };
    return { kind: 'running', rate, ageMs, ...(averageMs === undefined ? {} : { averageMs }) };
  };

  const world: World = {
    nowMs: () => nowMs,
    at,
    send: (kind, job, then) => {
      at(nowMs + low + network() * (high - low), () => {
        const answer = serve(kind, job);
        at(nowMs + low + network() * (high - low), () => {
          lastMs = nowMs;
          then(answer);
        });
      });
    },
    chance,
    readyAtMs: (job) => queuedAtMs[job]! + runMs[job]!,
    stored: (job) => {
      storedMs[job] = nowMs;
      tally.inFlight -= 1;
    },
    downloadMs: DOWNLOAD_MS,
  };

  if (scene.otherPerMinute !== undefined)
    startOther(scene.otherPerMinute, world, limiter, () => tally.completed < scene.tracks);
  policy(world, scene);
  for (let count = 0; events.size > 0; count += 1) {
    if (count > EVENTS_MAX) throw new Error('the simulated run does not end');
    nowMs = events.peekKey();
    events.pop()!();
  }
  const waitsMs = runMs.map((ms, job) => storedMs[job]! - DOWNLOAD_MS - queuedAtMs[job]! - ms);
  return {
    makespanMs: lastMs - EPOCH_MS,
    boundMs: lowerBoundMs(scene, runMs, phaseMs),
    requests: tally.requests,
    waitsMs,
    refusals: tally.refusals,
    blocks: fuse.blows,
    refusalsInWindowMax: Math.max(0, ...refusedInWindow.values()),
    inFlightMax: tally.inFlightMax,
    unfinished: scene.tracks - tally.completed,
  };
}

function startOther(
  perMinute: number,
  world: World,
  limiter: { admit(nowMs: number, operation: Operation): unknown },
  goesOn: () => boolean,
): void {
  const step = (): void => {
    if (!goesOn()) return;
    limiter.admit(world.nowMs(), 'submit');
    world.at(world.nowMs() - (Math.log(1 - world.chance()) * 60_000) / perMinute, step);
  };
  step();
}

/** The lower bound for any policy: what the limit allows, the longest job, and the work divided by the places. */
export function lowerBoundMs(scene: Scene, runMs: readonly number[], phaseMs: number): number {
  const work = runMs.reduce((sum, ms) => sum + ms, 0);
  const longest = runMs.reduce((most, ms) => Math.max(most, ms), 0);
  const { routes } = scene.limit;
  if (routes !== undefined)
    return Math.max(submitFloorMs(runMs, routes.submit), listMs(runMs, scene.concurrency ?? scene.tracks));
  const places = scene.concurrency ? work / scene.concurrency : 0;
  return Math.max(rateFloorMs(scene, phaseMs), longest, places);
}

/**
 * Each job runs to its end after the minute in which the limit allows its submit, in order. For a client without
 * information: one that knew when a fixed window ends could submit the first two windows' worth at once.
 */
function submitFloorMs(runMs: readonly number[], submitsPerMinute: number): number {
  return runMs.reduce((end, ms, job) => Math.max(end, Math.floor(job / submitsPerMinute) * 60_000 + ms), 0);
}

/** List scheduling: each job in order begins when one of the places is free. */
function listMs(runMs: readonly number[], places: number): number {
  const freeMs = new Array<number>(Math.min(places, runMs.length)).fill(0);
  for (const ms of runMs) {
    const place = freeMs.reduce((best, free, index) => (free < freeMs[best]! ? index : best), 0);
    freeMs[place]! += ms;
  }
  return Math.max(0, ...freeMs);
}

/** Three requests per track, through the window or the bucket. */
function rateFloorMs(scene: Scene, phaseMs: number): number {
  const { perMinute, kind } = scene.limit;
  const needed = 3 * scene.tracks;
  if (perMinute === undefined) return 0;
  if (kind === 'bucket') return (Math.max(0, needed - perMinute) * 60_000) / perMinute;
  const windows = Math.ceil(needed / perMinute);
  return windows <= 1 ? 0 : phaseMs + (windows - 2) * 60_000;
}
