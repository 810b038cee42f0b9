import type { RunEvent } from '../core/events.js';

/** Tells a run to a person or a program. */
export interface Reporter {
  /** Never throws for what the event holds. */
  event(event: RunEvent): void;
  /** Writes what is still to be told and gives the terminal back. Harmless when called again. */
  end(): Promise<void> | void;
}

/** One reporter out of several: each hears every event, in this order, and they end in this order. */
export function fanOut(reporters: readonly Reporter[]): Reporter {
  return {
    event(event) {
      for (const reporter of reporters) reporter.event(event);
    },
    async end() {
      for (const reporter of reporters) await reporter.end();
    },
  };
}
