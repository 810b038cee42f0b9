import type { Phase, ProgressEvent, RunEvent, TakeEvent } from '../core/events.js';
import { formatUsd, type Money } from '../core/money.js';
import type { Attempt } from '../lockfile/attempt.js';
import { formatDuration, formatRemaining } from './duration.js';
import { escapeForeign } from './escape.js';
import { wrap } from './width.js';

/** Display name of a phase. */
export const PHASE_TITLES: Readonly<Record<Phase, string>> = {
  check: 'Check',
  quote: 'Quote',
  approve: 'Approve',
  generate: 'Generate',
  clean_up: 'Clean up',
};

/** Says that the whole run waits for its request limit or for models that are busy or offline, and how long. */
export function pausePhrase(leftMs: number): string {
  return `waiting until the service accepts requests again, ${formatDuration(leftMs)}`;
}

/** The remaining time according to the last estimate, minus the time since; `undefined` if there is none. */
export function remainingPhrase(progress: ProgressEvent | undefined, nowMs: number): string | undefined {
  const { remaining_ms_low: low = null, remaining_ms_high: high = null } = progress ?? {};
  if (progress === undefined || low === null || high === null) return undefined;
  const ageMs = Math.max(0, nowMs - Date.parse(progress.time));
  const left = formatRemaining(Math.max(0, low - ageMs), Math.max(0, high - ageMs));
  return left && `${left} left`;
}

/** What a run waits for that has nothing left to do, and until when; `undefined` if it does not. */
export function otherRunsPhrase(progress: ProgressEvent | undefined, nowMs: number): string | undefined {
  const { takes, heard_at: heardAt, collects_at: collectsAt } = progress?.other_runs ?? {};
  if (takes === undefined) return undefined;
  const what = `waiting for ${takes} ${takes === 1 ? 'take' : 'takes'} of other runs`;
  if (typeof heardAt !== 'string' || typeof collectsAt !== 'string') return what;
  const silent = formatDuration(nowMs - Date.parse(heardAt));
  const left = formatDuration(Date.parse(collectsAt) - nowMs);
  return `${what}, silent for ${silent}; collects ${takes === 1 ? 'it' : 'them'} in ${left} unless they respond`;
}

/** The amount spent of the approved amount; `undefined` if nothing was approved, because collecting costs nothing. */
export function spentPhrase(progress: ProgressEvent | undefined): string | undefined {
  if (!progress?.approved_micro_usd) return undefined;
  return `${formatUsd(progress.spent_micro_usd)} of ${formatUsd(progress.approved_micro_usd)}`;
}

export function stateName(state: TakeEvent['state'] | 'intent' | 'changed' | 'new'): string {
  return state === 'intent' ? 'no response yet' : state.replace('_', ' ');
}

/** What the user said about an attempt, by its code in the lockfile. */
const RESOLUTIONS: Readonly<Record<string, string>> = {
  resolved_charged: 'resolved as charged',
  resolved_not_charged: 'resolved as not charged',
  resolved_refunded: 'resolved as refunded',
  requeued: 'requeued',
};

/** Set if the user resolved it: `resolved as charged`. */
export function resolutionOf(code: string | undefined): string | undefined {
  return code !== undefined && Object.hasOwn(RESOLUTIONS, code) ? RESOLUTIONS[code] : undefined;
}

/**
 * The outcome of an attempt with its cause: `rejected (422)`, `resolved as charged`. The code may be
 * untrusted.
 */
export function fatePhrase(state: string, reason: { code: string; status?: number } | undefined): string {
  const resolution = resolutionOf(reason?.code);
  // Both states are only how the lockfile records what the user said.
  if (resolution !== undefined && (state === 'rejected' || state === 'lost')) return resolution;
  if (resolution !== undefined) return `${state}, ${resolution}`;
  return reason === undefined ? state : `${state} (${reason.status ?? reason.code})`;
}

/** The lockfile holds only the code. */
const RUN_ENDED = 'the run ended before the response was recorded';

/** Why a take is not made, on one line: status, code, the API's own words, what it means for the money. Escaped. */
export function failureReason(event: TakeEvent): string {
  const status = event.code === `http-${event.status}` ? undefined : event.status;
  const cause = [status, event.code].filter((part) => part !== undefined && part !== '').join(' ');
  // The user's resolution also covers the money.
  if (event.code !== undefined && resolutionOf(event.code) !== undefined)
    return fatePhrase(event.state, { code: event.code });
  const parts = [stateName(event.state), cause].filter(Boolean).join(', ');
  const words = event.message ?? (event.code === 'run_ended' ? RUN_ENDED : undefined);
  const said = words ? `: ${words}` : '';
  const money = event.money ? ` (${moneyPhrase(event.money, formatUsd(event.price_micro_usd))})` : '';
  return escapeForeign(`${parts}${said}`.replace(/\s+/g, ' ').trim()) + money;
}

/** The same words as `money` in the events, except that `unknown` needs more of them. */
function moneyPhrase(money: Money, price: string): string {
  switch (money) {
    case 'charged':
    case 'refunded':
      return `${money} ${price}`;
    case 'refunded (as documented)':
      return `refunded ${price} as documented`;
    case 'unknown':
      return `may have been charged ${price}`;
    case 'not charged':
      return money;
  }
}

/** A notice wrapped at this many columns. */
export function noticeLines(event: Extract<RunEvent, { type: 'notice' }>, columns: number): string[] {
  return wrap(noticeLine(event), Math.max(20, columns));
}

/** `warning: …` with its hint, on one line that no CI service takes for a command. Escaped. */
export function noticeLine(event: Extract<RunEvent, { type: 'notice' }>): string {
  const level = event.level === 'info' ? 'note' : event.level;
  const hint = event.hint === undefined ? '' : ` (${event.hint})`;
  return escapeForeign(`${level}: ${event.message}${hint}`.replace(/\s+/g, ' '));
}

/** `2026-11-25 22:04:05 UTC`, of an ISO time. */
export function utcTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** A take that another run claimed: `being bought elsewhere since 2026-11-25 22:04 UTC`. */
export function claimPhrase({ attempt, stale }: { attempt: Attempt; stale: boolean }): string {
  const [day, time] = (attempt.at.intent ?? '').split('T');
  const since = `being bought elsewhere since ${day} ${time?.slice(0, 5)} UTC`;
  return stale ? `${since}, and no response was recorded: if that run is gone, see \`resolve\`` : since;
}
