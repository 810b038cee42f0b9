import {
  DefaultRenderer,
  Listr,
  type ListrDefaultRendererOptions,
  type ListrRendererFactory,
  type ListrTask,
  ListrDefaultRendererLogLevels as Mark,
  Spinner,
} from 'listr2';
import type { Phase } from '../core/events.js';
import type { Clock } from '../core/ports.js';
import { INDENT, progressTitle, windowLines } from './live-window.js';
import { createPainter } from './paint.js';
import { PHASE_TITLES } from './phrases.js';
import type { Style } from './style.js';
import type { Tally } from './tally.js';
import type { Terminal } from './terminal.js';
import { cut } from './width.js';

/** At most five repaints a second, whatever happens. */
const REPAINT_MS = 200;

/** The mark before a title, and the last column, which stays empty. */
const MARK_COLUMNS = 3;

/** The part of a terminal that is repainted. */
export interface View {
  /** Puts a line, already escaped, into the scrollback at the next repaint. */
  above(line: string): void;
  cleanUp(generatedWell: boolean): void;
  /** Shows the cursor at once. Resolves when the final state is painted. */
  end(ending: Ending): Promise<void>;
}

/** How generating ended, and whether everything is cleaned up. */
export interface Ending {
  readonly generated: 'well' | 'badly' | Unfinished;
  readonly cleaned: boolean;
}

/** Why the run ended early. */
type Unfinished = 'interrupted' | 'left in flight';

/** The part of a listr2 task that is set here. */
interface PhaseTask {
  title: string;
  output: string;
  skip(message: string): void;
}

interface Shown {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly tally: Tally;
  readonly style: Style;
  /** The user did not approve buying: only what was in flight is collected. */
  readonly declined: boolean;
}

/** Runs the phases as listr2 tasks, drawn by its renderer. The takes in flight are the output of `generate`. */
export function startView({ terminal, clock, tally, style, declined }: Shown): View {
  const painter = createPainter(terminal);
  const spinner = new Spinner();
  const over = new AbortController();
  const gates: Gates = { generating: openGate(), cleaning: openGate(), cleanUpReached: false };
  let above: string[] = [];
  let unfinished: Unfinished | undefined;

  function update(task: PhaseTask): void {
    const nowMs = over.signal.aborted || gates.cleanUpReached ? undefined : clock.nowMs();
    const head = `${PHASE_TITLES.generate}  `;
    task.title = head + progressTitle(tally, terminal.columns - MARK_COLUMNS - head.length, nowMs);
    task.output = windowLines(tally, terminal, clock.nowMs(), style).join('\n');
    if (unfinished !== undefined) task.skip(`${task.title} · ${unfinished}`);
  }

  const Renderer = phaseRenderer(terminal, (lines) => {
    painter.paint(lines, above);
    above = [];
  });

  async function repaint(task: PhaseTask): Promise<void> {
    while (!over.signal.aborted) {
      spinner.spin();
      // listr2 keeps the output of a task that has ended, and ignores new output for it.
      if (!gates.generating.isOpen()) update(task);
      // A terminal that was stopped gets only the newest state when it resumes.
      if (terminal.stalled !== true) Renderer.draw();
      await clock.sleep(REPAINT_MS, over.signal);
    }
  }

  const listr = new Listr<unknown, typeof Renderer.Renderer>(
    phaseTasks(gates, { repaint, update }, declined),
    {
      renderer: Renderer.Renderer,
      rendererOptions: { ...marks(style), spinner, showErrorMessage: false },
      registerSignalListeners: false,
      exitOnError: false,
    },
  );
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
      gates.generating.open(generated !== 'badly');
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
  repaint(task: PhaseTask): Promise<void>;
  update(task: PhaseTask): void;
}

/** The view begins when work begins, so these phases are already over. */
const PHASES_BEFORE: readonly Phase[] = ['check', 'quote', 'approve'];

function phaseTasks(
  gates: Gates,
  { repaint, update }: Painting,
  declined: boolean,
): ListrTask<unknown, ListrRendererFactory>[] {
  const notApproved = `${PHASE_TITLES.approve}  not approved`;
  return [
    ...PHASES_BEFORE.map((phase) => ({
      title: PHASE_TITLES[phase],
      skip: phase === 'approve' && declined && notApproved,
      task: () => {},
    })),
    {
      title: PHASE_TITLES.generate,
      task: (_, task) => {
        void repaint(task);
        return gates.generating.passed.finally(() => update(task));
      },
    },
    {
      title: PHASE_TITLES.clean_up,
      skip: () => !gates.cleanUpReached,
      task: () => gates.cleaning.passed,
    },
  ];
}

function marks(style: Style): Pick<ListrDefaultRendererOptions, 'icon' | 'color'> {
  const paint = (color: (text: string) => string) => (text?: string) => color(text ?? '');
  return {
    icon: {
      [Mark.WAITING]: ' ',
      [Mark.COMPLETED]: '✔',
      [Mark.FAILED]: '✖',
      [Mark.SKIPPED_WITH_COLLAPSE]: '…',
    },
    color: {
      [Mark.PENDING]: paint(style.note),
      [Mark.COMPLETED]: paint(style.good),
      [Mark.FAILED]: paint(style.bad),
      [Mark.SKIPPED_WITH_COLLAPSE]: paint(style.warn),
    },
  };
}

/**
 * listr2's renderer, drawn on demand and through our terminal. On its own it uses the width of stdout, repaints on each
 * change of a task, and writes every line each time.
 */
function phaseRenderer(terminal: Terminal, paint: (lines: readonly string[]) => void) {
  const drawn: { renderer?: PhaseRenderer } = {};
  class PhaseRenderer extends DefaultRenderer {
    static override readonly nonTTY = true;

    override async render(): Promise<void> {
      drawn.renderer = this;
    }

    override update(): void {
      paint(this.create({ prompt: false }).split(/\r?\n/));
    }

    override end(): void {
      this.update();
    }

    protected override format(message: string, icon: string, level: number): string[] {
      if (level > 0) return message === '' ? [] : message.split('\n').map((line) => INDENT + line);
      return [`${icon} ${cut(message, terminal.columns - MARK_COLUMNS)}`];
    }
  }
  return { Renderer: PhaseRenderer, draw: () => drawn.renderer?.update() };
}

interface Gate {
  readonly passed: Promise<void>;
  isOpen(): boolean;
  /** Only the first call counts. */
  open(well: boolean): void;
}

function openGate(): Gate {
  let open: Gate['open'] = () => {};
  let opened = false;
  const passed = new Promise<void>((resolve, reject) => {
    open = (well) => (well ? resolve() : reject(new Error('not all went well')));
  });
  // A gate may be opened before anything waits for it.
  passed.catch(() => {});
  return {
    passed,
    isOpen: () => opened,
    open(well) {
      opened = true;
      open(well);
    },
  };
}
