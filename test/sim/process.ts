import type { Clock, ProcessIdentity, Random } from '../../src/core/ports.js';
import type { Rng } from './random.js';
import type { Timeline } from './timeline.js';

/**
 * A simulated process. Whatever it awaits goes through here. Once it is dead, nothing it awaits ever settles: its code
 * is as gone as after a SIGKILL, while effects in flight in the disk or the network continue.
 */
export interface SimProcess {
  readonly identity: ProcessIdentity;
  alive(): boolean;
  /** One awaited operation: `effect` happens after `delayMs`, and its result or error is returned then. */
  act<T>(delayMs: number, effect: () => T, sort?: Sort): Promise<T>;
  /** An operation that others end: `start` is called at once, with a function that takes the result. */
  call<T>(start: (settle: (result: T) => void) => void): Promise<T>;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Everything that a dead process awaits. */
  readonly never: Promise<never>;
  /** Kills it. Operations in flight happen or not, at random. */
  kill(): void;
  /** SIGSTOP and, `forMs` later, SIGCONT. */
  pause(forMs: number): void;
  /** Operations begun so far: the places where it can be killed. */
  operations(): number;
}

/** Kinds of operations that matter for crashes: files are created, moved and removed by few operations among many. */
export type Sort = 'names' | 'other';

/** Where a process dies: as it begins its nth operation (of that kind), or just after its effect. */
export interface CrashPoint {
  readonly operation: number;
  readonly sort: Sort | 'any';
  readonly after: boolean;
}

export interface ProcessOptions {
  readonly timeline: Timeline;
  readonly rng: Rng;
  readonly identity: ProcessIdentity;
  readonly crash: CrashPoint | undefined;
  /** Called as each operation begins, with the count so far. */
  readonly onOperation?: (operation: number) => void;
  /** Called when idle, after the process is dead. */
  readonly onCrash: () => void;
}

export function createProcess({
  timeline,
  rng,
  identity,
  crash,
  onOperation,
  onCrash,
}: ProcessOptions): SimProcess {
  const inFlight = new Set<() => unknown>();
  const never = new Promise<never>(() => {});
  let alive = true;
  let operations = 0;
  let counted = 0;
  let pausedUntilMs = 0;

  const kill = () => {
    alive = false;
    for (const effect of inFlight) if (rng.chance(0.5)) swallow(effect);
    inFlight.clear();
  };

  /** The current code continues until it awaits; the world learns of the crash when all is idle. */
  const die = () => {
    alive = false;
    timeline.after(0, () => {
      kill();
      onCrash();
    });
  };

  /** Counts the operation, and says whether the process dies at it. */
  const begin = (sort: Sort = 'other'): { readonly diesFirst: boolean; readonly diesAfter: boolean } => {
    operations += 1;
    onOperation?.(operations);
    const counts = crash?.sort === 'any' || crash?.sort === sort;
    if (counts) counted += 1;
    const hit = counts && crash?.operation === counted;
    if (hit && !crash.after) die();
    return { diesFirst: hit && !crash.after, diesAfter: hit && crash.after };
  };

  /** Runs `then` after the delay, unless the process is dead by then; later if it is suspended. */
  const schedule = (delayMs: number, then: () => void): void => {
    timeline.after(delayMs, () => {
      if (!alive) return;
      if (timeline.nowMs() < pausedUntilMs) schedule(pausedUntilMs - timeline.nowMs(), then);
      else then();
    });
  };

  const act = <T>(delayMs: number, effect: () => T, sort?: Sort): Promise<T> => {
    if (!alive) return never;
    const { diesFirst, diesAfter } = begin(sort);
    if (diesFirst) return never;
    return new Promise((resolve, reject) => {
      inFlight.add(effect);
      schedule(delayMs, () => {
        inFlight.delete(effect);
        if (diesAfter) {
          swallow(effect);
          die();
          return;
        }
        try {
          resolve(effect());
        } catch (error) {
          reject(error);
        }
      });
    });
  };

  const call = <T>(start: (settle: (result: T) => void) => void): Promise<T> => {
    if (!alive) return never;
    const { diesFirst, diesAfter } = begin();
    if (diesFirst) return never;
    return new Promise((resolve) => {
      start((result) => {
        schedule(0, () => {
          if (diesAfter) die();
          else resolve(result);
        });
      });
    });
  };

  const sleep = (delayMs: number, signal?: AbortSignal): Promise<void> => {
    if (!alive) return never;
    const { diesFirst, diesAfter } = begin();
    if (diesFirst) return never;
    return new Promise((resolve) => {
      let over = false;
      const wake = () => {
        if (over || !alive) return;
        over = true;
        signal?.removeEventListener('abort', wake);
        if (diesAfter) die();
        else resolve();
      };
      if (signal?.aborted) schedule(0, wake);
      else {
        signal?.addEventListener('abort', wake, { once: true });
        if (Number.isFinite(delayMs)) schedule(delayMs, wake);
      }
    });
  };

  return {
    identity,
    alive: () => alive,
    act,
    call,
    sleep,
    never,
    kill,
    pause: (forMs) => {
      // Stopped twice at once: until both are over.
      pausedUntilMs = Math.max(pausedUntilMs, timeline.nowMs() + forMs);
    },
    operations: () => operations,
  };
}

function swallow(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // Nobody is left to get its error.
  }
}

/** The clock as the process sees it, off the world's by `skewMs`. */
export function clockOf(simProcess: SimProcess, timeline: Timeline, skewMs: () => number): Clock {
  return { nowMs: () => timeline.nowMs() + skewMs(), sleep: simProcess.sleep };
}

export function randomOf(rng: Rng): Random {
  return { bytes: (count) => rng.bytes(count) };
}
