import type { Phase, RunEvent, TakeEvent } from '../events.js';
import { formatUsd } from '../money.js';
import { escapeForeign } from './escape.js';
import { wrap } from './width.js';

/** What a phase is called on a screen. */
export const PHASE_TITLES: Readonly<Record<Phase, string>> = {
  check: 'Check',
  quote: 'Quote',
  approve: 'Approve',
  generate: 'Generate',
  clean_up: 'Clean up',
};

/** What a state is called on a screen. */
export function stateName(state: TakeEvent['state'] | 'intent'): string {
  return state === 'intent' ? 'no answer yet' : state.replace('_', ' ');
}

/**
 * Why a take is not made, in one line: status, code, the API's own words, what it means for the money.
 * Escaped.
 */
export function failureReason(event: TakeEvent): string {
  const cause = [event.status, event.code].filter((part) => part !== undefined && part !== '').join(' ');
  const parts = [stateName(event.state), cause].filter(Boolean).join(', ');
  const said = event.message ? `: ${event.message}` : '';
  const money = event.money ? ` (${moneyPhrase(event.money, formatUsd(event.price_micro_usd))})` : '';
  return escapeForeign(`${parts}${said}`.replace(/\s+/g, ' ').trim()) + money;
}

function moneyPhrase(money: NonNullable<TakeEvent['money']>, price: string): string {
  switch (money) {
    case 'not charged':
      return money;
    case 'charged':
    case 'refunded':
      return `${money} ${price}`;
    case 'unknown':
      return `may have been charged ${price}`;
  }
}

/** A notice in lines of at most so many columns, broken between words. */
export function noticeLines(event: Extract<RunEvent, { type: 'notice' }>, columns: number): string[] {
  return wrap(noticeLine(event), Math.max(20, columns));
}

/** `warning: …` with its hint, in one line that no CI service takes for a command. Escaped. */
export function noticeLine(event: Extract<RunEvent, { type: 'notice' }>): string {
  const level = event.level === 'info' ? 'note' : event.level;
  const hint = event.hint === undefined ? '' : ` (${event.hint})`;
  return escapeForeign(`${level}: ${event.message}${hint}`.replace(/\s+/g, ' '));
}
