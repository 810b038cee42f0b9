import type { Attempt } from '../lock/attempt.js';
import { formatUsd } from '../money.js';
import type { UsageEntry } from '../venice/client.js';
import { escapeForeign } from './escape.js';
import { styleFor } from './style.js';
import { wrap } from './width.js';

export interface InDoubt {
  readonly attempt: Attempt;
  /** Entries of the billing history that this attempt may be; absent where the history cannot be asked. */
  readonly matches?: readonly UsageEntry[];
}

export interface ResolveOptions {
  /** A command of this program for the same manifest, ready to paste. */
  command(verb: string, ...words: string[]): string;
  readonly color: boolean;
  readonly width: number;
}

/** Entries of the billing history shown for one attempt, at most. */
const MATCHES_MAX = 5;

/** Each attempt in doubt, what is known about it, and the commands that settle it. With line ends. */
export function renderInDoubt(items: readonly InDoubt[], options: ResolveOptions): string {
  if (items.length === 0) return 'Nothing is in doubt.\n';
  const style = styleFor(options.color);
  const blocks = items.map(({ attempt, matches }) => {
    const name = attempt.take === 1 ? attempt.track : `${attempt.track}#${attempt.take}`;
    const told = [escapeForeign(facts(attempt)), ...history(matches)].flatMap((text) =>
      wrap(text, Math.max(40, options.width) - 2),
    );
    return [
      `${style.warn('?')} ${style.strong(escapeForeign(name))}`,
      ...told.map((line) => `  ${line}`),
      `  ${style.note(options.command('resolve', attempt.attempt, '--charged'))}`,
      `  ${style.note(options.command('resolve', attempt.attempt, '--not-charged'))}`,
    ].join('\n');
  });
  const more =
    'If the dashboard shows its queue id, `--queue-id ID` adopts the job; `--requeue` allows a new attempt.';
  return `${[...blocks, wrap(more, Math.max(40, options.width)).join('\n')].join('\n\n')}\n`;
}

function facts(attempt: Attempt): string {
  const length = attempt.duration_seconds === undefined ? '' : `, ${attempt.duration_seconds} s`;
  const when = attempt.at.intent === undefined ? '' : `sent ${attempt.at.intent}: `;
  const reason = attempt.reason;
  const why =
    reason === undefined ? 'no answer was recorded' : [reason.status, reason.code].filter(Boolean).join(' ');
  return `${when}${attempt.model}${length}, ${formatUsd(attempt.quote_micro_usd)}; ${why}`;
}

function history(matches: readonly UsageEntry[] | undefined): string[] {
  if (matches === undefined) return ['billing history: cannot be asked with this key'];
  if (matches.length === 0) return ['billing history: nothing that fits'];
  const shown = matches.slice(0, MATCHES_MAX).map((entry) => {
    const at = new Date(entry.timestampMs).toISOString();
    const id = entry.requestId === undefined ? '' : ` request ${entry.requestId}`;
    return `billing history: ${at} ${formatUsd(entry.spentMicroUsd)} ${escapeForeign(`${entry.sku}${id}`)}`;
  });
  const hidden = matches.length - shown.length;
  return hidden > 0 ? [...shown, `billing history: … ${hidden} more that fit`] : shown;
}
