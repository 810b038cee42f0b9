import type { Phase, SummaryEvent } from '../events.js';
import type { Clock } from '../ports.js';
import { startView, type View } from './live-view.js';
import { noticeLine, PHASE_TITLES } from './phrases.js';
import type { Reporter } from './reporter.js';
import { styleFor } from './style.js';
import { count, emptyTally } from './tally.js';
import type { Terminal } from './terminal.js';

export interface LiveOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/**
 * Progress at a terminal: a line for each phase, and a window of what is being generated, repainted in
 * place. It holds the terminal from the phase `generate` on and until `end`, so that a prompt for approval can
 * stand before it. `end` shows the cursor before it returns, and has painted the end state when it resolves.
 * To be imported only where it is wanted: it loads listr2.
 */
export function createLive({ terminal, clock }: LiveOptions): Reporter {
  const style = styleFor(terminal.color);
  const tally = emptyTally();
  let phase: Phase | undefined;
  let summary: SummaryEvent | undefined;
  let view: View | undefined;

  function enter(next: Phase): void {
    if (phase && !view) terminal.write(`${style.good('✔')} ${PHASE_TITLES[phase]}\n`);
    if (next === 'generate' || next === 'clean_up') view ??= startView(terminal, clock, tally, style);
    if (next === 'clean_up') view?.cleanUp(tally.failures.size === 0);
    phase = next;
  }

  return {
    event(event) {
      count(tally, event);
      if (event.type === 'phase') enter(event.phase);
      else if (event.type === 'summary') summary = event;
      else if (event.type === 'notice' && view) view.above(noticeLine(event));
      else if (event.type === 'notice') terminal.write(`${noticeLine(event)}\n`);
    },
    end() {
      return view?.end(tally.failures.size === 0 && summary !== undefined && summary.exit_code < 128);
    },
  };
}
