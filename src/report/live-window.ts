import { formatDuration } from './duration.js';
import { escapeForeign } from './escape.js';
import {
  failureReason,
  otherRunsPhrase,
  pausePhrase,
  remainingPhrase,
  spentPhrase,
  stateName,
} from './phrases.js';
import type { Style } from './style.js';
import { type Column, renderTable, TABLE_WIDTH_MIN } from './table.js';
import { type ActiveTake, madeCount, pauseLeftMs, problemCounts, type Tally, toMakeCount } from './tally.js';
import { cut, displayWidth } from './width.js';

/** Lines needed around the window: the phases, and the prompt after it. */
const ROWS_RESERVED = 10;
const FAILURES_MAX = 3;
const BAR_COLUMNS = 12;
export const INDENT = '  ';

/**
 * The progress of a run in one line of at most `width` columns: done of total, in flight, failed, money, time left. If
 * there is not enough room, what the window also shows is omitted first.
 *
 * @param nowMs absent after the end, when there is no time left to show
 */
export function progressTitle(tally: Tally, width: number, nowMs?: number): string {
  const { progress } = tally;
  const waitsOnly = progress?.other_runs !== undefined && toMakeCount(tally) === 0;
  const done = waitsOnly ? undefined : `${madeCount(tally)}/${toMakeCount(tally)}`;
  const active = tally.active.size > 0 ? `${tally.active.size} active` : undefined;
  const waiting = tally.waiting.size > 0 ? `${tally.waiting.size} waiting` : undefined;
  const problems = problemCounts(tally);
  const failed = problems.failed > 0 ? `${problems.failed} failed` : undefined;
  const inDoubt = problems.inDoubt > 0 ? `${problems.inDoubt} in doubt` : undefined;
  const money = spentPhrase(progress);
  const left = nowMs === undefined ? undefined : remainingPhrase(progress, nowMs);
  const titles = [
    [done, active, waiting, failed, inDoubt, money, left],
    [done, failed, inDoubt, money, left],
    [done, failed, inDoubt, left],
  ].map((parts) => parts.filter((part) => part !== undefined).join(' · '));
  return titles.find((title) => displayWidth(title) <= width) ?? titles.at(-1)!;
}

/**
 * The active takes, longest first, and the last failures, in at most `rows` minus ten lines that leave room for
 * `INDENT`: the same number for 5 takes as for 5,000.
 */
export function windowLines(
  tally: Tally,
  size: { readonly columns: number; readonly rows: number },
  nowMs: number,
  style: Style,
): string[] {
  const width = size.columns - 1 - INDENT.length;
  const waits = waitLines(tally, nowMs).map((line) => style.note(cut(line, width)));
  const room = Math.max(0, size.rows - ROWS_RESERVED - waits.length);
  const failuresShown = Math.min(FAILURES_MAX, Math.floor(room / 2), tally.failures.size);
  const failures = [...tally.failures.values()].slice(tally.failures.size - failuresShown);
  const activeRoom = room - failuresShown;
  const active = [...tally.active.values()].sort((a, b) => a.sinceMs - b.sinceMs);
  const shown = active.slice(0, active.length > activeRoom ? Math.max(0, activeRoom - 1) : activeRoom);
  const more = active.length - shown.length;
  return [
    ...waits,
    ...activeLines(shown, width, nowMs, style),
    ...(more > 0 && activeRoom > 0 ? [style.faint(cut(`… ${more} more`, width))] : []),
    ...failures.map((take) =>
      style.bad(
        cut(
          `${take.state === 'in_doubt' ? '?' : '✖'} ${escapeForeign(take.key)}  ${failureReason(take)}`,
          width,
        ),
      ),
    ),
  ];
}

/** What the run waits for, if anything: other runs, the request limit, or a busy service. */
function waitLines(tally: Tally, nowMs: number): string[] {
  const others = otherRunsPhrase(tally.progress, nowMs);
  const pauseMs = pauseLeftMs(tally, nowMs);
  const latest = [...tally.waiting.values()].at(-1);
  return [
    ...(others === undefined ? [] : [others]),
    ...(pauseMs === undefined ? [] : [pausePhrase(pauseMs)]),
    ...(latest === undefined ? [] : [`${escapeForeign(latest.key)}  ${failureReason(latest)}`]),
  ];
}

function activeLines(takes: readonly ActiveTake[], width: number, nowMs: number, style: Style): string[] {
  if (width < TABLE_WIDTH_MIN) return takes.map((take) => cut(escapeForeign(take.key), width));
  const columns: Column[] = [
    { header: '', widthMin: 8 },
    { header: '', widthMin: 10, optional: true, paint: style.faint },
    { header: '       ', align: 'right' },
    { header: '', optional: true, paint: style.faint },
    { header: '', optional: true, paint: style.note },
    { header: '', align: 'right' },
  ];
  const rows = takes.map((take) => {
    const ranMs = Math.max(0, nowMs - take.sinceMs);
    const share = take.expectedMs ? ranMs / take.expectedMs : undefined;
    return [
      take.key,
      take.model,
      formatDuration(ranMs),
      take.expectedMs === undefined ? '' : `of ~${formatDuration(take.expectedMs)}`,
      share === undefined ? '' : bar(share),
      isRunning(take) ? percent(share) : stateName(take.state),
    ];
  });
  const [, ...lines] = renderTable(columns, rows, { width });
  return lines;
}

function isRunning(take: ActiveTake): boolean {
  return take.state === 'queued' || take.state === 'running';
}

function percent(share: number | undefined): string {
  if (share === undefined) return '';
  return share > 1 ? 'over' : `${Math.floor(share * 100)}%`;
}

function bar(share: number): string {
  const full = Math.min(BAR_COLUMNS, Math.floor(share * BAR_COLUMNS));
  return '█'.repeat(full) + '░'.repeat(BAR_COLUMNS - full);
}
