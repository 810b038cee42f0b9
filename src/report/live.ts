import { EXIT } from '../core/errors.js';
import type { Phase, SummaryEvent } from '../core/events.js';
import type { Clock } from '../core/ports.js';
import { type Ending, startView, type View } from './live-view.js';
import { noticeLines, PHASE_TITLES } from './phrases.js';
import type { Reporter } from './reporter.js';
import { styleFor } from './style.js';
import { count, emptyTally } from './tally.js';
import type { Terminal } from './terminal.js';

const TAKE_BACK = '\r\x1b[2K';

export interface LiveOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
}

/**
 * Progress on a terminal: the phases, and a window of what is being generated, repainted in place. It uses the terminal
 * from when work begins in the phase `generate` until `end`, so that the plan and the prompt for approval come before
 * it. `end` shows the cursor before it returns, and has painted the final state when it resolves. Loads listr2, so
 * import it only when needed.
 */
export function createLive({ terminal, clock }: LiveOptions): Reporter {
  const style = styleFor(terminal.color);
  const tally = emptyTally();
  let phase: Phase | undefined;
  let summary: SummaryEvent | undefined;
  let declined = false;
  let view: View | undefined;
  /**
   * Whether the current phase may take a while and shows a temporary line, which is removed before anything else is
   * written.
   */
  let waiting = false;
  let shown = false;

  function takeBack(): void {
    if (shown) terminal.write(TAKE_BACK);
    shown = false;
  }

  function showWaiting(): void {
    if (!waiting || !phase) return;
    terminal.write(`${style.note('…')} ${PHASE_TITLES[phase]}`);
    shown = true;
  }

  function print(lines: readonly string[]): void {
    for (const line of lines)
      if (view) view.above(line);
      else terminal.write(`${line}\n`);
  }

  function enter(next: Phase): void {
    if (next === 'clean_up') view?.cleanUp(tally.failures.size === 0);
    phase = next;
    waiting = next === 'check' || next === 'quote';
  }

  return {
    event(event) {
      count(tally, event);
      takeBack();
      // The next output does not come from here: errors, the plan, the last screen.
      if (event.type === 'diagnostic' || event.type === 'plan' || event.type === 'summary') waiting = false;
      if (event.type === 'phase') enter(event.phase);
      else if (event.type === 'summary') summary = event;
      else if (event.type === 'diagnostic') declined ||= event.code === 'not-approved';
      else if (event.type === 'notice') print(noticeLines(event, terminal.columns - 1));
      if (phase === 'generate' && (event.type === 'progress' || tally.active.size > 0))
        view ??= startView({ terminal, clock, tally, style, declined });
      showWaiting();
    },
    end() {
      takeBack();
      return view?.end(endingOf(summary, tally.failures.size));
    },
  };
}

function endingOf(summary: SummaryEvent | undefined, failures: number): Ending {
  if (summary === undefined || summary.exit_code === EXIT.sigint || summary.exit_code === EXIT.sigterm)
    return { generated: 'interrupted', cleaned: false };
  if (summary.in_flight > 0) return { generated: 'left in flight', cleaned: false };
  return { generated: failures === 0 ? 'well' : 'badly', cleaned: summary.clean_up_owed === 0 };
}
