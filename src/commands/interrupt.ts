import { EXIT } from '../core/errors.js';

/** Restores the cursor. A second signal exits immediately, so the code that hid it cannot restore it. */
const SHOW_CURSOR = '\u001b[?25h';

export interface Interrupt {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. Its reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Stops handling the signals. */
  release(): void;
}

/**
 * The first signal asks the run to end cleanly; a second one exits immediately.
 *
 * @param reported called at the first signal
 */
export function watchInterrupt(reported: () => void): Interrupt {
  const controller = new AbortController();
  const onSignal = (name: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => {
    if (controller.signal.aborted) {
      if (process.stderr.isTTY) process.stderr.write(SHOW_CURSOR);
      process.exit(name === 'SIGINT' ? EXIT.sigint : EXIT.sigterm);
    }
    controller.abort(name);
    reported();
  };
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    release() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
