import { Listr, type ListrRendererFactory, Spinner } from 'listr2';
import type { Clock } from '../core/ports.js';
import { createPainter } from './paint.js';
import { PHASE_TITLES } from './phrases.js';
import type { Style } from './style.js';
import type { Tally } from './tally.js';
import type { Terminal } from './terminal.js';
import { cut } from './width.js';
import { progressTitle, windowLines } from './window.js';

/** At most five repaints a second, whatever happens meanwhile. */
const REPAINT_MS = 200;

/** Before a title, and the last column, which stays free. */
const MARK_COLUMNS = 3;

/** The part of a terminal that is repainted. */
export interface View {
  /** Puts a line, already escaped, into the scrollback at the next repaint. */
  above(line: string): void;
  /** Generating is over. */
  cleanUp(generatedWell: boolean): void;
  /** Shows the cursor at once; resolves when the end state is painted. */
  end(ending: Ending): Promise<void>;
}

/** How generating ended, and whether nothing is left to clean up. */
export interface Ending {
  readonly generated: 'well' | 'badly' | Unfinished;
  readonly cleaned: boolean;
}

/** Why the run ended before its work did. */
type Unfinished = 'interrupted' | 'left in flight';

/** What is read of a listr2 task. */
interface PhaseTask {
  readonly title?: string | undefined;
  readonly output?: string | undefined;
  isStarted(): boolean;
  isCompleted(): boolean;
  hasFailed(): boolean;
}

/** Runs the last two phases as listr2 tasks, and repaints them with what the tally tells. */
export function startView(terminal: Terminal, clock: Clock, tally: Tally, style: Style): View {
  const painter = createPainter(terminal);
  const spinner = new Spinner();
  const over = new AbortController();
  const gates = { generating: openGate(), cleaning: openGate(), cleanUpReached: false };
  let above: string[] = [];
  let unfinished: Unfinished | undefined;

  function update(task: { title: string; output: string }): void {
    const nowMs = over.signal.aborted || gates.cleanUpReached ? undefined : clock.nowMs();
    const head = `${PHASE_TITLES.generate}  `;
    task.title = head + progressTitle(tally, terminal.columns - MARK_COLUMNS - head.length, nowMs);
    task.output = windowLines(tally, terminal, clock.nowMs(), style).join('\n');
  }

  function paint(): void {
    const tasks: readonly PhaseTask[] = listr.tasks;
    const lines = tasks.flatMap((task) =>
      taskLines(task, terminal.columns - 1, spinner.fetch(), style, unfinished),
    );
    painter.paint(lines, above);
    above = [];
  }

  async function repaint(task: { title: string; output: string }): Promise<void> {
    while (!over.signal.aborted) {
      spinner.spin();
      update(task);
      // A terminal that was stopped gets the newest state once it goes on, not all that came before.
      if (terminal.stalled !== true) paint();
      await clock.sleep(REPAINT_MS, over.signal);
    }
  }

  const listr = phaseList(gates, { repaint, update, paintEnd: paint });
  const ended = listr.run();
  return {
    above(line) {
      above.push(line);
    },
    cleanUp(generatedWell) {
      gates.cleanUpReached = true;
      gates.generating.open(generatedWell);
    },
    async end({ generated, cleaned }) {
      unfinished = generated === 'well' || generated === 'badly' ? undefined : generated;
      gates.cleanUpReached ||= cleaned;
      over.abort();
      painter.release();
      gates.generating.open(generated === 'well');
      gates.cleaning.open(cleaned);
      await ended;
    },
  };
}

interface Gates {
  readonly generating: Gate;
  readonly cleaning: Gate;
  cleanUpReached: boolean;
}

interface Painting {
  /** Until the view ends. */
  repaint(task: { title: string; output: string }): Promise<void>;
  update(task: { title: string; output: string }): void;
  paintEnd(): void;
}

function phaseList(gates: Gates, painting: Painting): Listr<unknown, ListrRendererFactory> {
  return new Listr<unknown, ListrRendererFactory>(
    [
      {
        title: PHASE_TITLES.generate,
        task: (_, task) => {
          void painting.repaint(task);
          return gates.generating.passed.finally(() => painting.update(task));
        },
      },
      {
        title: PHASE_TITLES.clean_up,
        skip: () => !gates.cleanUpReached,
        task: () => gates.cleaning.passed,
      },
    ],
    {
      renderer: rendererThatEndsWith(painting.paintEnd),
      registerSignalListeners: false,
      exitOnError: false,
    },
  );
}

/**
 * listr2's own renderer measures and steers the process's streams, whatever stream it is given, and repaints
 * at each change of a title. This one leaves painting to the repaint loop, and paints once more at the end.
 */
function rendererThatEndsWith(paintEnd: () => void): ListrRendererFactory {
  return class {
    static readonly nonTTY = true;
    static readonly rendererOptions = {};
    static readonly rendererTaskOptions = {};
    render(): void {}
    end(): void {
      paintEnd();
    }
  };
}

function taskLines(
  task: PhaseTask,
  width: number,
  spinner: string,
  style: Style,
  unfinished: Unfinished | undefined,
): string[] {
  const line = (mark: string) => [`${mark} ${cut(task.title ?? '', width - 2)}`];
  if (task.isCompleted()) return line(style.good('✔'));
  if (task.hasFailed() && unfinished)
    return [style.warn(cut(`… ${task.title ?? ''} · ${unfinished}`, width))];
  if (task.hasFailed()) return line(style.bad('✖'));
  if (!task.isStarted()) return [style.faint(`  ${cut(task.title ?? '', width - 2)}`)];
  return [...line(style.note(spinner)), ...(task.output ? task.output.split('\n') : [])];
}

interface Gate {
  readonly passed: Promise<void>;
  /** The first call counts. */
  open(well: boolean): void;
}

function openGate(): Gate {
  let open: Gate['open'] = () => {};
  const passed = new Promise<void>((resolve, reject) => {
    open = (well) => (well ? resolve() : reject(new Error('not all went well')));
  });
  // Nobody may have come to wait yet.
  passed.catch(() => {});
  return { passed, open: (well) => open(well) };
}
