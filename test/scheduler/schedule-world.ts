import { createScheduler } from '../../src/scheduler/create-scheduler.js';
import { createPriorityQueue } from '../../src/scheduler/priority-queue.js';
import type { ScheduleOptions, Scheduler, Settled } from '../../src/scheduler/scheduler.js';
import { createChance } from '../bench/virtual/chance.js';
import {
  createFuse,
  createLimiter,
  EPOCH_MS,
  type Limiter,
  type LimitRule,
} from '../bench/virtual/service.js';

export interface ModelScene {
  readonly tracks: number;
  readonly limit: LimitRule;
  /** Run times are spread evenly between these, ms. */
  readonly runMs: readonly [number, number];
  /** Reported by the service; absent: nothing is reported. */
  readonly p80Ms?: number;
  readonly durationSeconds?: readonly number[];
}

/** A run with faults. Shares are probabilities from 0 to 1. */
export interface Scene {
  readonly seed: number;
  readonly models: readonly ModelScene[];
  readonly options?: ScheduleOptions;
  /** Jobs of the first model already in flight, and clean-ups already due. */
  readonly resumed?: number;
  readonly toCleanUp?: number;
  /** Share of requests not accepted, with this status, and tried again. */
  readonly again?: { readonly share: number; readonly status?: number };
  /** Share of jobs that fail, are rejected or lost. */
  readonly gone?: number;
  readonly latencyMs?: readonly [number, number];
  readonly submitMs?: number;
  readonly downloadMs?: number;
  readonly stopAtMs?: number;
  readonly singlyAtMs?: number;
  /** Whether responses name their job. */
  readonly namesJobs?: boolean;
}

export interface Report {
  /** Time, kind and job of each request. */
  readonly trace: readonly string[];
  readonly endMs: number;
  readonly endMsByModel: readonly number[];
  readonly stored: number;
  readonly completed: number;
  /** By model. */
  readonly refusals: readonly number[];
  readonly blocks: number;
  readonly failuresIn30sMax: number;
  readonly inFlightMax: number;
  readonly activeRequestsMax: number;
  readonly submitsAtOnceMax: number;
  /** While `submitSingly` was in force. */
  readonly submitsAtOnceSinglyMax: number;
  readonly submitsAfterStop: number;
  /** Shortest and longest time between two polls of one job, ms. */
  readonly pollGapMinMs: number;
  readonly pollGapMaxMs: number;
  /** Anything that the scheduler must never do. */
  readonly breaches: readonly string[];
}

interface Work {
  readonly model: number;
  readonly runMs: number;
  queuedAtMs: number;
  polledMs: number;
  operation: boolean;
  notBeforeMs: number;
}

/** After two hours of nothing but waiting, the run hangs. */
const HANG_MS = 2 * 3_600_000;
const EVENTS_MAX = 200_000;

/** Plays a scheduler as the engine does, against a faulty service, and records what it does. */
export function play(scene: Scene): Report {
  const chance = createChance(scene.seed);
  const between = ([low, high]: readonly [number, number]): number => low + chance() * (high - low);
  const scheduler: Scheduler = createScheduler(scene.options ?? {});
  const limiters: Limiter[] = scene.models.map(({ limit }) =>
    createLimiter({ phaseMs: 1 + chance() * 59_999, ...limit }, chance),
  );
  const fuse = createFuse();
  const works = new Map<string, Work>();
  const events = createPriorityQueue<() => void>();
  const failures: number[] = [];
  let nowMs = EPOCH_MS;
  let turn = 0;
  let finished = false;
  let lastMs = nowMs;
  const seen = {
    trace: [] as string[],
    stored: 0,
    completed: 0,
    refusals: scene.models.map(() => 0),
    endMsByModel: scene.models.map(() => 0),
    failuresIn30sMax: 0,
    inFlight: 0,
    inFlightMax: 0,
    activeRequests: 0,
    activeRequestsMax: 0,
    submits: 0,
    submitsAtOnceMax: 0,
    submitsAtOnceSinglyMax: 0,
    submitsAfterStop: 0,
    pollGapMinMs: Number.POSITIVE_INFINITY,
    pollGapMaxMs: 0,
    breaches: [] as string[],
  };
  const at = (timeMs: number, then: () => void): void => {
    const event = (): void => then();
    events.set(event, Math.max(timeMs, nowMs));
  };

  const add = (id: string, model: number): Work => {
    const work = {
      model,
      runMs: between(scene.models[model]!.runMs),
      queuedAtMs: nowMs,
      polledMs: Number.NEGATIVE_INFINITY,
      operation: false,
      notBeforeMs: 0,
    };
    works.set(id, work);
    return work;
  };
  const about = (model: number, place: number) => {
    const lengths = scene.models[model]!.durationSeconds;
    return {
      model: `model-${model}`,
      ...(lengths === undefined ? {} : { durationSeconds: lengths[place % lengths.length]! }),
    };
  };

  const watch = (kind: 'submit' | 'poll' | 'complete', id: string, work: Work): void => {
    seen.trace.push(`${(nowMs - EPOCH_MS).toFixed(3)} ${kind} ${id}`);
    if (work.operation) seen.breaches.push(`two actions for ${id}`);
    if (nowMs < work.notBeforeMs) seen.breaches.push(`${kind} of ${id} came before its time`);
    work.operation = true;
    seen.activeRequests += 1;
    seen.activeRequestsMax = Math.max(seen.activeRequestsMax, seen.activeRequests);
    if (kind === 'poll') {
      const gapMs = nowMs - work.polledMs;
      seen.pollGapMinMs = Math.min(seen.pollGapMinMs, gapMs);
      if (Number.isFinite(gapMs)) seen.pollGapMaxMs = Math.max(seen.pollGapMaxMs, gapMs);
      work.polledMs = nowMs;
    }
    if (kind !== 'submit') return;
    seen.submits += 1;
    seen.inFlight += 1;
    seen.inFlightMax = Math.max(seen.inFlightMax, seen.inFlight);
    seen.submitsAtOnceMax = Math.max(seen.submitsAtOnceMax, seen.submits);
    if (nowMs >= EPOCH_MS + (scene.singlyAtMs ?? Number.POSITIVE_INFINITY)) {
      seen.submitsAtOnceSinglyMax = Math.max(seen.submitsAtOnceSinglyMax, seen.submits);
    }
    if (nowMs >= EPOCH_MS + (scene.stopAtMs ?? Number.POSITIVE_INFINITY)) seen.submitsAfterStop += 1;
  };

  const fail = (): void => {
    fuse.failed(nowMs);
    failures.push(nowMs);
    const recentlySent = failures.filter((ms) => ms > nowMs - 30_000).length;
    seen.failuresIn30sMax = Math.max(seen.failuresIn30sMax, recentlySent);
  };

  const serve = (
    kind: 'submit' | 'poll' | 'complete',
    work: Work,
  ): { status: number; settled: Settled; rate: object } => {
    const { ok, rate } = limiters[work.model]!.admit(nowMs, kind);
    const later = (ms: number): Settled => ({ kind: 'again', notBeforeMs: nowMs + ms });
    if (!ok || fuse.blocked(nowMs)) {
      seen.refusals[work.model]! += 1;
      fail();
      return { status: 429, settled: later(1_000), rate };
    }
    if (chance() < (scene.again?.share ?? 0)) {
      const status = scene.again?.status ?? 503;
      if (status >= 400) fail();
      return { status, settled: later(chance() * 20_000), rate };
    }
    if (kind !== 'complete' && chance() < (scene.gone ?? 0)) {
      fail();
      return { status: 422, settled: { kind: 'gone' }, rate };
    }
    if (kind === 'submit') {
      work.queuedAtMs = nowMs;
      return { status: 200, settled: { kind: 'queued' }, rate };
    }
    if (kind === 'complete') return { status: 200, settled: { kind: 'gone' }, rate };
    const ageMs = nowMs - work.queuedAtMs;
    if (ageMs >= work.runMs)
      return { status: 200, settled: { kind: 'stored', clean: true, readyAtMs: nowMs }, rate };
    const { p80Ms } = scene.models[work.model]!;
    const reported = p80Ms === undefined ? {} : { averageExecutionMs: p80Ms };
    return { status: 200, settled: { kind: 'running', executionMs: ageMs, ...reported }, rate };
  };

  const conclude = (kind: 'submit' | 'poll' | 'complete', id: string, work: Work, settled: Settled): void => {
    work.operation = false;
    seen.activeRequests -= 1;
    if (settled.kind === 'again') work.notBeforeMs = settled.notBeforeMs;
    if (kind === 'submit') seen.submits -= 1;
    if (kind === 'submit' ? settled.kind !== 'queued' : kind === 'poll' && /stored|gone/.test(settled.kind)) {
      seen.inFlight -= 1;
    }
    if (settled.kind === 'stored') seen.stored += 1;
    if (kind === 'complete' && settled.kind === 'gone') seen.completed += 1;
    lastMs = nowMs;
    seen.endMsByModel[work.model] = nowMs - EPOCH_MS;
    scheduler.settled(id, settled, nowMs);
    step();
  };

  const send = (kind: 'submit' | 'poll' | 'complete', id: string): void => {
    const work = works.get(id)!;
    watch(kind, id, work);
    const latencyMs = scene.latencyMs ?? ([35, 55] as const);
    const submitMs = kind === 'submit' ? (scene.submitMs ?? 0) : 0;
    at(nowMs + between(latencyMs), () => {
      const { status, settled, rate } = serve(kind, work);
      at(nowMs + submitMs + between(latencyMs), () => {
        const name = scene.namesJobs === false ? {} : { job: id };
        scheduler.answered(`model-${work.model}`, { status, rate, ...name }, nowMs);
        if (settled.kind !== 'stored') return conclude(kind, id, work, settled);
        at(nowMs + (scene.downloadMs ?? 300), () => conclude(kind, id, work, settled));
        step();
      });
    });
  };

  const step = (): void => {
    turn += 1;
    for (;;) {
      const action = scheduler.next(nowMs);
      if (action.kind === 'finished') {
        finished = true;
        return;
      }
      if (action.kind !== 'wait') {
        send(action.kind, action.job);
        continue;
      }
      if (action.untilMs <= nowMs) seen.breaches.push('waits until a time that has come');
      if (action.untilMs === Number.POSITIVE_INFINITY && seen.activeRequests === 0)
        seen.breaches.push('waits for nothing');
      const mine = turn;
      if (action.untilMs < Number.POSITIVE_INFINITY) at(action.untilMs, () => turn === mine && step());
      return;
    }
  };

  for (let place = 0; place < (scene.resumed ?? 0); place += 1) {
    const queuedAtMs = nowMs - chance() * 600_000;
    add(`resumed-${place}`, 0).queuedAtMs = queuedAtMs;
    seen.inFlight += 1;
    scheduler.addInFlight(`resumed-${place}`, about(0, place), queuedAtMs, nowMs);
  }
  for (let place = 0; place < (scene.toCleanUp ?? 0); place += 1) {
    add(`clean-up-${place}`, 0);
    scheduler.addCleanUp(`clean-up-${place}`, about(0, place));
  }
  for (const [model, { tracks, limit }] of scene.models.entries()) {
    for (let place = 0; place < tracks; place += 1) {
      add(`${model}-${place}`, model);
      scheduler.addTake(`${model}-${place}`, about(model, place));
    }
    if (limit.perMinute === undefined && limit.routes === undefined)
      scheduler.limits(new Map([[`model-${model}`, Number.POSITIVE_INFINITY]]));
  }
  const report = (atMs: number | undefined, wakeUp: () => void): void => {
    if (atMs === undefined) return;
    at(EPOCH_MS + atMs, () => {
      wakeUp();
      step();
    });
  };
  report(scene.stopAtMs, () => scheduler.stopSubmitting());
  report(scene.singlyAtMs, () => scheduler.submitSingly());

  step();
  for (let count = 0; events.size > 0; count += 1) {
    nowMs = events.peekKey();
    if (nowMs > lastMs + HANG_MS || count > EVENTS_MAX) {
      seen.breaches.push('hangs');
      break;
    }
    events.pop()!();
  }
  if (!finished) seen.breaches.push('never said that it is finished');
  return { ...seen, endMs: lastMs - EPOCH_MS, blocks: fuse.blows };
}
