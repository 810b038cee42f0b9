import type { Phase, ProgressEvent, RunEvent, TakeEvent } from '../core/events.js';

/** A take with work in progress. */
export interface ActiveTake {
  readonly key: string;
  readonly model: string;
  readonly state: TakeEvent['state'];
  /** Running since, in ms since the epoch. */
  readonly sinceMs: number;
  /** Expected total run time, in ms. */
  readonly expectedMs?: number | undefined;
}

/** Progress of a run, computed from its events so far. */
export interface Tally {
  phase: Phase | undefined;
  total: number;
  /** Part of `total`: stored by an earlier run, so that only the remote copy is left to delete. */
  storedBefore: number;
  /** Stored by this run. */
  readonly made: Set<string>;
  readonly active: Map<string, ActiveTake>;
  /** Temporarily refused takes that will be retried, oldest first. */
  readonly waiting: Map<string, TakeEvent>;
  /** The last failure of each take that is not made, oldest first. */
  readonly failures: Map<string, TakeEvent>;
  progress: ProgressEvent | undefined;
  pause: Pause | undefined;
}

/** A period in which the whole run waits for the request limit, in ms since the epoch. */
export interface Pause {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** Shorter pauses are normal and not shown, in ms. */
const PAUSE_SHOWN_MS_MIN = 5_000;

export function emptyTally(): Tally {
  return {
    phase: undefined,
    total: 0,
    storedBefore: 0,
    made: new Set(),
    active: new Map(),
    waiting: new Map(),
    failures: new Map(),
    progress: undefined,
    pause: undefined,
  };
}

/** Failed takes, and takes that may have been paid: never added up. */
export function problemCounts(tally: Tally): { readonly failed: number; readonly inDoubt: number } {
  const inDoubt = [...tally.failures.values()].filter(({ state }) => state === 'in_doubt').length;
  return { failed: tally.failures.size - inDoubt, inDoubt };
}

/** Takes whose files this run stored. */
export function madeCount({ made }: Tally): number {
  return made.size;
}

/** Takes that this run has to make. */
export function toMakeCount({ total, storedBefore }: Tally): number {
  return total - storedBefore;
}

export function count(tally: Tally, event: RunEvent): void {
  switch (event.type) {
    case 'phase':
      tally.phase = event.phase;
      return;
    case 'plan':
      tally.total = event.buy + event.collect;
      return;
    case 'progress':
      // Takes that are done at the start were not made here. Later ones have their own events.
      if (tally.progress === undefined) tally.storedBefore = Math.max(0, event.done - tally.made.size);
      tally.progress = event;
      tally.pause = pauseAfter(tally.pause, event);
      tally.total = event.total;
      return;
    case 'take':
      // A take that was fetched again may end as it was before.
      if (event.earlier === undefined || tally.active.has(event.key)) countTake(tally, event);
      return;
    default:
      return;
  }
}

/** A continuing pause stays the same, although its end may have moved. */
function pauseAfter(before: Pause | undefined, { time, paused_until }: ProgressEvent): Pause | undefined {
  if (paused_until === null) return undefined;
  const nowMs = Date.parse(time);
  const goesOn = before !== undefined && nowMs <= before.untilMs;
  return { sinceMs: goesOn ? before.sinceMs : nowMs, untilMs: Date.parse(paused_until) };
}

/** How long the run still waits, in ms; `undefined` if it does not, or not long enough to be shown. */
export function pauseLeftMs({ pause }: Tally, nowMs: number): number | undefined {
  if (pause === undefined || pause.untilMs - pause.sinceMs < PAUSE_SHOWN_MS_MIN) return undefined;
  return pause.untilMs > nowMs ? pause.untilMs - nowMs : undefined;
}

function countTake(tally: Tally, event: TakeEvent): void {
  const { key } = event;
  const before = tally.active.get(key);
  tally.active.delete(key);
  tally.waiting.delete(key);
  tally.failures.delete(key);
  switch (event.state) {
    case 'submitting':
    case 'queued':
    case 'running':
    case 'downloading':
      tally.active.set(key, activeTake(event, before));
      return;
    case 'stored':
      tally.made.add(key);
      return;
    case 'done':
      return;
    case 'waiting':
      tally.waiting.set(key, event);
      return;
    default:
      tally.failures.set(key, event);
  }
}

function activeTake(event: TakeEvent, before: ActiveTake | undefined): ActiveTake {
  const goesOn = before !== undefined && before.state !== 'submitting';
  const expectedMs = event.expected_ms ?? before?.expectedMs;
  return {
    key: event.key,
    model: event.model,
    state: event.state,
    sinceMs: event.queued_at ? Date.parse(event.queued_at) : goesOn ? before.sinceMs : Date.parse(event.time),
    expectedMs,
  };
}
