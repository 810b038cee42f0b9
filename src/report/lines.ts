import type { Phase, RunEvent, TakeEvent } from '../core/events.js';
import { formatUsd } from '../core/money.js';
import type { Clock } from '../core/ports.js';
import { escapeForeign } from './escape.js';
import { pathText } from './path-text.js';
import {
  failureReason,
  noticeLine,
  noticeLines,
  otherRunsPhrase,
  PHASE_TITLES,
  pausePhrase,
  remainingPhrase,
  spentPhrase,
  stateName,
} from './phrases.js';
import type { Reporter } from './reporter.js';
import { styleFor } from './style.js';
import {
  count,
  emptyTally,
  madeCount,
  pauseLeftMs,
  problemCounts,
  type Tally,
  toMakeCount,
} from './tally.js';
import type { Terminal } from './terminal.js';

/** After this long without output, a line says that the run continues. */
const HEARTBEAT_MS = 30_000;

export interface LinesOptions {
  readonly terminal: Terminal;
  readonly clock: Clock;
  /** How a file is named, given its path relative to the output root. Default: that path. */
  placeOf?(file: string): string;
  /** Fold the phases as GitHub Actions does (`GITHUB_ACTIONS=true`). */
  readonly groups?: boolean;
}

/**
 * Progress without a terminal: one line for each change of state, a heartbeat if nothing changes, no cursor codes.
 * Failures are shown when they happen, and again on the last screen.
 */
export function createLines(options: LinesOptions): Reporter {
  const { terminal, clock, groups = false, placeOf = String } = options;
  const style = styleFor(terminal.color);
  const tally = emptyTally();
  const reported = new Map<string, TakeEvent['state']>();
  const ended = new AbortController();
  let grouped = false;
  let pauseReportedMs: number | undefined;
  let printedAtMs = clock.nowMs();
  let heart: Promise<void> | undefined;

  function print(text: string): void {
    terminal.write(`${text}\n`);
    printedAtMs = clock.nowMs();
  }

  /** A log gets one line for each notice; a terminal gets wrapped text. */
  function noticeText(event: Extract<RunEvent, { type: 'notice' }>): string {
    return terminal.isTty ? noticeLines(event, terminal.columns).join('\n') : noticeLine(event);
  }

  function closeGroup(): void {
    if (grouped) print('::endgroup::');
    grouped = false;
  }

  async function beat(): Promise<void> {
    while (!ended.signal.aborted) {
      const silentMs = clock.nowMs() - printedAtMs;
      if (silentMs >= HEARTBEAT_MS) print(heartbeatLine(tally, clock.nowMs()));
      else await clock.sleep(HEARTBEAT_MS - silentMs, ended.signal);
    }
  }

  function phase(name: Phase): void {
    closeGroup();
    // What needs approval must not be folded away.
    grouped = groups && name !== 'approve';
    print(grouped ? `::group::${PHASE_TITLES[name]}` : style.strong(PHASE_TITLES[name]));
    heart ??= beat();
  }

  function take(event: TakeEvent): void {
    const before = reported.get(event.key);
    const isResumed = event.state === 'queued' && event.queued_at !== undefined;
    if (event.earlier === true || isResumed || !isWorthALine(event.state, before)) return;
    reported.set(event.key, event.state);
    const paint = tally.failures.has(event.key) ? style.bad : event.state === 'stored' ? style.good : String;
    print(paint(takeLine(tally, event, placeOf)));
  }

  /** Once for each pause. */
  function pause(): void {
    const leftMs = pauseLeftMs(tally, clock.nowMs());
    if (leftMs === undefined || pauseReportedMs === tally.pause?.sinceMs) return;
    pauseReportedMs = tally.pause?.sinceMs;
    print(style.note(`${counter(tally)} ${pausePhrase(leftMs)}`));
  }

  return {
    event(event) {
      count(tally, event);
      if (event.type === 'phase') phase(event.phase);
      else if (event.type === 'take') take(event);
      else if (event.type === 'notice') print(noticeText(event));
      else if (event.type === 'progress') pause();
    },
    async end() {
      ended.abort();
      closeGroup();
      await heart;
    },
  };
}

/** Omits short intermediate steps, and the clean-up of a take that was already shown as stored. */
function isWorthALine(state: TakeEvent['state'], before: TakeEvent['state'] | undefined): boolean {
  if (state === before || isPassing(state)) return false;
  return !(state === 'done' && before === 'stored');
}

function isPassing(state: TakeEvent['state']): boolean {
  return state === 'submitting' || state === 'running' || state === 'downloading';
}

function takeLine(tally: Tally, event: TakeEvent, placeOf: (file: string) => string): string {
  if (tally.failures.has(event.key) || event.state === 'waiting')
    return `${counter(tally)} ${escapeForeign(event.key)} ${failureReason(event)}`;
  const path = event.path === undefined ? [] : [pathText(placeOf(event.path))];
  const words = [stateName(event.state), escapeForeign(event.key), ...path];
  // Stored and paid for by an earlier run: this one only cleaned up, and may have nothing to make.
  if (event.state === 'done')
    return [...(toMakeCount(tally) === 0 ? [] : [counter(tally)]), ...words].join(' ');
  return [counter(tally), ...words, formatUsd(event.price_micro_usd)].join(' ');
}

function heartbeatLine(tally: Tally, nowMs: number): string {
  const { progress } = tally;
  const problems = problemCounts(tally);
  const pauseMs = pauseLeftMs(tally, nowMs);
  const others = otherRunsPhrase(progress, nowMs);
  const parts = [
    others ?? `${tally.active.size} in flight`,
    (others === undefined || problems.failed > 0) && `${problems.failed} failed`,
    problems.inDoubt > 0 && `${problems.inDoubt} in doubt`,
    spentPhrase(progress),
    remainingPhrase(progress, nowMs),
    pauseMs && pausePhrase(pauseMs),
  ];
  const said = parts.filter(Boolean).join(', ');
  if (others === undefined) return `${counter(tally)} still working: ${said}`;
  return toMakeCount(tally) === 0 ? said : `${counter(tally)} ${said}`;
}

function counter(tally: Tally): string {
  return `[${madeCount(tally)}/${toMakeCount(tally)}]`;
}
