import type { Clock, ProcessIdentity, Random } from '../../src/core/ports.js';
import type { Rng } from './random.js';
import type { Timeline } from './timeline.js';

/**
 * A process under simulation. Whatever it awaits comes through here; once it is dead nothing it awaits ever
 * comes, so that its code is as gone as after a SIGKILL, while effects under way in the disk or the network go on.
 */
export interface SimProcess {
  readonly identity: ProcessIdentity;
  alive(): boolean;
  /** One awaited operation: `effect` happens after `delayMs`; its result, or its throw, comes back then. */
  act<T>(delayMs: number, effect: () => T, sort?: Sort): Promise<T>;
  /** An operation that others end: `start` is called at once and given what to call, at rest, with the result. */
  call<T>(start: (settle: (result: T) => void) => void): Promise<T>;
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** What a dead process awaits. */
  readonly never: Promise<never>;
  /** Ends it. Operations under way happen or not, by chance. */
  kill(): void;
  /** SIGSTOP and, `forMs` later, SIGCONT. */
  pause(forMs: number): void;
  /** Operations begun so far: the places where it can be killed. */
  operations(): number;
}

/** What an operation does, as far as crashes tell it apart: files come, go and move by few operations among many. */
export type Sort = 'names' | 'other';

/** Where a process dies: as it begins its nth operation (of that sort), or as its effect has just happened. */
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
  /** Called as each operation begins, with how many there were. */
  readonly onOperation?: (operation: number) => void;
  /** Called at rest, after the process is dead. */
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

  /** The code that runs now goes on until it awaits; the world is told of the crash when all is at rest. */
  const die = () => {
    alive = false;
    timeline.after(0, () => {
      kill();
      onCrash();
    });
  };

  /** Counts the operation; tells whether it is the one that is not survived. */
  const begin = (sort: Sort = 'other'): { readonly diesFirst: boolean; readonly diesAfter: boolean } => {
    operations += 1;
    onOperation?.(operations);
    const counts = crash?.sort === 'any' || crash?.sort === sort;
    if (counts) counted += 1;
    const hit = counts && crash?.operation === counted;
    if (hit && !crash.after) die();
    return { diesFirst: hit && !crash.after, diesAfter: hit && crash.after };
  };

  /** Runs `then` after the delay unless the process is dead by then; later if it is stopped. */
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
      pausedUntilMs = timeline.nowMs() + forMs;
    },
    operations: () => operations,
  };
}

function swallow(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // Nobody is left to be told of its fault.
  }
}

/** The clock as the process sees it, `skewMs` off the world's by then. */
export function clockOf(simProcess: SimProcess, timeline: Timeline, skewMs: () => number): Clock {
  return { nowMs: () => timeline.nowMs() + skewMs(), sleep: simProcess.sleep };
}

export function randomOf(rng: Rng): Random {
  return { bytes: (count) => rng.bytes(count) };
}
