/** Time is counted in steps of this, ms. A step that takes longer than another one on top was slept through. */
const STEP_MS = 1_000;
/** Steps slept through at the very end that are waited for once more. */
const EXTENSIONS_MAX = 5;

export interface Deadline {
  /** Starts anew. No effect once it is off or has passed. */
  restart(): void;
  /** Stands still until it is restarted. */
  hold(): void;
  off(): void;
}

/**
 * Calls `late` after `delayMs` in which this process could have heard an answer. Time in which it was stopped (SIGSTOP,
 * a debugger) or the machine slept does not count, and what came meanwhile is read before anything is called late.
 *
 * @param stepMs for tests
 */
export function startDeadline(delayMs: number, late: () => void, stepMs = STEP_MS): Deadline {
  let leftMs = delayMs;
  let extensions = 0;
  let timer: NodeJS.Timeout | undefined;
  let turn: NodeJS.Immediate | undefined;

  const judge = (tookMs: number, countedMs: number) => {
    leftMs -= countedMs;
    const slept = tookMs - countedMs > stepMs;
    if (leftMs <= 0 && slept && extensions < EXTENSIONS_MAX) {
      extensions += 1;
      leftMs = Math.min(delayMs, stepMs);
    }
    if (leftMs > 0) wait();
    else late();
  };
  const wait = () => {
    const countedMs = Math.min(leftMs, stepMs);
    const startMs = performance.now();
    timer = setTimeout(() => {
      const tookMs = performance.now() - startMs;
      // After a timer the event loop reads what lies in the sockets, and only then comes here.
      turn = setImmediate(() => judge(tookMs, countedMs));
    }, countedMs);
  };
  wait();
  return {
    restart: () => {
      leftMs = delayMs;
    },
    hold: () => {
      leftMs = Number.POSITIVE_INFINITY;
    },
    off: () => {
      clearTimeout(timer);
      clearImmediate(turn);
    },
  };
}
