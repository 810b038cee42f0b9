/** Time is counted in steps of this many ms. If a step takes twice as long, the process was suspended. */
const STEP_MS = 1_000;
/** How often steps with a suspension at the very end are repeated. */
const EXTENSIONS_MAX = 5;

export interface Deadline {
  /** Starts again. No effect once stopped or expired. */
  restart(): void;
  /** Pauses until restarted. */
  hold(): void;
  off(): void;
}

/**
 * Calls `late` after `delayMs` in which this process could have received a response. Time in which it was stopped
 * (SIGSTOP, a debugger) or the machine slept does not count, and data that arrived meanwhile is read before anything is
 * declared late.
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
      // After a timer, the event loop reads the sockets before it gets here.
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
