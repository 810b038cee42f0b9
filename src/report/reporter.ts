import type { RunEvent } from '../core/events.js';

export interface Reporter {
  /** Never throws because of the event's content. */
  event(event: RunEvent): void;
  /** Writes pending output and restores the terminal. Safe to call twice. */
  end(): Promise<void> | void;
}

/** Combines several reporters: each receives every event, in this order, and they end in this order. */
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
