import { formatUsd } from '../core/money.js';
import { takeKey } from '../core/take-key.js';
import { type Attempt, countsAsSpent } from '../lockfile/attempt.js';
import { isMissing, isSalvaged, UNREADABLE } from '../lockfile/salvage.js';
import { isClaimed } from '../plan/history.js';
import type { UsageEntry } from '../venice/client.js';
import type { Evidence } from '../venice/matching-charges.js';
import { escapeForeign } from './escape.js';
import { fatePhrase, utcTime } from './phrases.js';
import { styleFor } from './style.js';
import { wrap } from './width.js';

export interface InDoubt {
  readonly attempt: Attempt;
  /** Absent if the billing history cannot be read. */
  readonly evidence?: Evidence;
}

/** The billing history that was fetched. */
export interface HistoryFacts {
  /** Whether there are more entries after those that were read. */
  readonly cut: boolean;
  /** How many entries could not be read, if any. */
  readonly unread?: number;
  /** How far the service's clock is ahead of this machine's, in ms. */
  readonly clockOffsetMs: number;
  readonly askedAtMs: number;
  /** The history of a wallet, which lists no charge in DIEM. */
  readonly withoutDiem?: true;
}

export interface ResolveOptions {
  /** A command of this program for the same manifest, ready to paste. */
  command(verb: string, ...words: string[]): string;
  /** What names the attempt in a command. */
  idOf(attempt: Attempt): string;
  readonly color: boolean;
  readonly width: number;
  readonly history?: HistoryFacts | undefined;
  /** Why the billing history could not be read with a key that may read it. */
  readonly unread?: string;
}

/** Billing history entries shown for one attempt at most. */
const MATCHES_MAX = 5;

/** The usual answers, each as a command; the others are in `HELP`. */
const WORDS = ['--charged', '--not-charged', '--refunded'];

const HELP = [
  'Look the charge up in the dashboard, or for a wallet in its transactions, then run the command that applies: it was charged and the audio is lost, it was not charged (the next run may buy it), or it was charged and refunded.',
  'If its queue id is shown there, `--queue-id ID` adopts the job; `--requeue` allows a new attempt.',
];

/** Each attempt in doubt, what is known about it, and the commands that settle it. With line ends. */
export function renderInDoubt(items: readonly InDoubt[], options: ResolveOptions): string {
  if (items.length === 0) return 'Nothing is in doubt.\n';
  const style = styleFor(options.color);
  const blocks = items.map((item) => {
    const { attempt } = item;
    const about = [escapeForeign(facts(attempt)), ...history(item, options)];
    const details = about.flatMap((text) => wrapIndented(text, Math.max(40, options.width) - 2));
    return [
      `${style.warn('?')} ${style.strong(escapeForeign(attempt.track === UNREADABLE ? 'take unknown' : takeKey(attempt)))}`,
      ...details.map((line) => `  ${line}`),
      ...answersFor(item, options.history).map(
        (words) => `  ${style.note(options.command('resolve', options.idOf(attempt), ...words))}`,
      ),
    ].join('\n');
  });
  const help = HELP.flatMap((line) => wrap(line, Math.max(40, options.width)));
  return `${[...blocks, help.join('\n')].join('\n\n')}\n`;
}

/**
 * A damaged line may have named the job: then the usual answer is to fetch it. That it was not charged cannot be known while
 * the charge may still appear.
 */
function answersFor(
  { attempt: { queue_id }, evidence }: InDoubt,
  asked: HistoryFacts | undefined,
): readonly (readonly string[])[] {
  const words = WORDS.filter((word) => word !== '--not-charged' || !mayStillAppear(evidence, asked));
  return [...(queue_id === undefined ? [] : [['--queue-id', queue_id]]), ...words.map((word) => [word])];
}

function mayStillAppear(evidence: Evidence | undefined, asked: HistoryFacts | undefined): boolean {
  const isFound = evidence !== undefined && evidence.fits.length + evidence.near.length > 0;
  return evidence !== undefined && !isFound && asked !== undefined && asked.askedAtMs < evidence.toMs;
}

/** Continues lines at the indentation of the text. */
function wrapIndented(text: string, width: number): string[] {
  const indent = text.slice(0, text.length - text.trimStart().length);
  return wrap(text.trimStart(), width - indent.length).map((line) => indent + line);
}

function facts(attempt: Attempt): string {
  const length = attempt.duration_seconds === undefined ? '' : `, ${attempt.duration_seconds} s`;
  const when = attempt.at.intent === undefined ? '' : `sent ${utcTime(attempt.at.intent)}: `;
  const reason = attempt.reason;
  const why = isMissing(attempt)
    ? 'stands for records that are missing from the lockfile'
    : isSalvaged(attempt)
      ? 'known only from a damaged line of the lockfile'
      : reason === undefined
        ? `no response was recorded${isClaimed(attempt) ? '; the run that sent it may still record one' : ''}`
        : [reason.status, reason.code].filter(Boolean).join(' ');
  const job = attempt.queue_id === undefined ? '' : `, job ${attempt.queue_id}`;
  const model = attempt.model === UNREADABLE ? 'model unknown' : attempt.model;
  const price =
    isSalvaged(attempt) && attempt.quote_micro_usd === 0
      ? 'price unknown'
      : formatUsd(attempt.quote_micro_usd);
  const file =
    isSalvaged(attempt) && attempt.kept !== undefined
      ? `, which names the file ${attempt.kept.path}: --queue-id takes it as the audio if it is here unchanged`
      : '';
  return `${when}${model}${length}, ${price}${job}; ${why}${file}`;
}

function history(
  { attempt, evidence }: InDoubt,
  { history: asked, unread }: Pick<ResolveOptions, 'history' | 'unread'>,
): string[] {
  if (attempt.at.intent === undefined)
    return ['billing history: not searched, because the time of the submit is unknown'];
  if (evidence === undefined) {
    if (unread === undefined) return ['billing history: not available with this key'];
    return [`billing history: could not be read (${escapeForeign(unread)}); try again later`];
  }
  const { fits, near } = evidence;
  const fitting = fits.map((entry) => `  ${entryText(entry)}`);
  const nearby = near.map(({ entry, difference }) => `  similar: ${entryText(entry)} (${difference})`);
  return [
    fits.length + near.length > 0 ? shareText(evidence) : nothingText(evidence, asked),
    ...firstOf(fitting, 'that match'),
    ...firstOf(nearby, 'that are similar'),
    ...(near.length === 0 ? [] : [NEAR_HELP]),
    ...rivalsText(evidence),
    ...oddities(asked),
  ];
}

const NEAR_HELP =
  'A similar charge may be this attempt\u2019s: the service may rename and round charges. Rule it out before --not-charged.';

const WITHOUT_DIEM =
  'A wallet linked to an account spends DIEM first, and this history does not show DIEM charges. Rule one out before you use --not-charged.';

function rivalsText({ rivals, fits }: Evidence): string[] {
  if (rivals.length === 0) return [];
  const named = rivals.slice(0, MATCHES_MAX).map((other) => `${takeKey(other)} (${other.state})`);
  const more = rivals.length > named.length ? `, and ${rivals.length - named.length} more` : '';
  const which = fits.length === 1 ? 'This charge' : 'Some of these charges';
  return [
    `${which} may belong to another job, which may have been charged as well: ${escapeForeign(named.join(', '))}${more}`,
  ];
}

function entryText({ timestampMs, spentMicroUsd, sku, requestId }: UsageEntry): string {
  const id = requestId === undefined ? '' : ` request ${requestId}`;
  return `${utcTime(new Date(timestampMs).toISOString())} ${formatUsd(spentMicroUsd)} ${escapeForeign(`${sku}${id}`)}`;
}

function firstOf(lines: readonly string[], which: string): readonly string[] {
  const hidden = lines.length - MATCHES_MAX;
  return hidden > 0 ? [...lines.slice(0, MATCHES_MAX), `  … ${hidden} more ${which}`] : lines;
}

/**
 * How many entries match although other jobs have the same price: which entry belongs to which job is unknown, but the
 * number is not.
 */
function shareText({ fits, accounted }: Evidence): string {
  if (accounted === 0 || fits.length === 0) return 'billing history:';
  return `billing history: ${fits.length + accounted} matching charges, ${accounted} of them from other jobs of this lockfile; ${fits.length} left:`;
}

/** Never just "nothing": says where it was looked for, what was excluded, and whether an entry may still appear. */
function nothingText({ accounted, fromMs, toMs }: Evidence, asked: HistoryFacts | undefined): string {
  const [from, to] = [fromMs, toMs].map((ms) => utcTime(new Date(ms).toISOString()));
  const others =
    accounted === 1 ? '1 charge belongs to another take' : `${accounted} charges belong to other takes`;
  const but = accounted === 0 ? '' : ` (${others})`;
  const no = accounted === 0 ? 'no charge' : 'no other charge';
  return asked !== undefined && asked.askedAtMs < toMs
    ? `billing history: ${no} so far since ${from}${but}; one may still appear until ${to}: check again after that, before you use --not-charged`
    : `billing history: ${no} from ${from} to ${to}${but}`;
}

function oddities(asked: HistoryFacts | undefined): string[] {
  if (asked === undefined) return [];
  const { cut, unread = 0, clockOffsetMs, withoutDiem } = asked;
  const seconds = Math.round(Math.abs(clockOffsetMs) / 1_000);
  return [
    ...(clockOffsetMs === 0
      ? []
      : [
          `the service\u2019s clock is ${seconds} s ${clockOffsetMs < 0 ? 'behind' : 'ahead'}: taken into account`,
        ]),
    ...(cut ? ['the billing history was too long to search completely: see the dashboard'] : []),
    ...(unread === 0
      ? []
      : [
          `${unread === 1 ? '1 entry' : `${unread} entries`} of the billing history could not be read, and may be this charge: see the dashboard before you use --not-charged`,
        ]),
    ...(withoutDiem === true ? [WITHOUT_DIEM] : []),
  ];
}

/** The `--json` document. Fields are only ever added. */
export function inDoubtJson(items: readonly InDoubt[], history: HistoryFacts | undefined): object {
  return {
    schema: 1,
    in_doubt: items.map(({ attempt, evidence }) => {
      if (evidence === undefined) return { attempt };
      const near = evidence.near.map(({ entry, difference }) => ({ ...entry, difference }));
      return {
        attempt,
        matches: evidence.fits,
        near,
        accounted: evidence.accounted,
        rivals: evidence.rivals.map((other) => other.attempt),
      };
    }),
    history_cut: history?.cut,
    history_unread: history?.unread,
    history_without_diem: history?.withoutDiem,
    service_clock_offset_ms: history?.clockOffsetMs,
  };
}

const TAKE_UNKNOWN =
  'which take it was bought for is unknown: collect it and listen before you buy, because that take counts as new';

/** The outcome of an attempt that was resolved, and the command that continues. Includes line ends. */
export function renderResolved(attempt: Attempt, next: string): string {
  const price = formatUsd(attempt.quote_micro_usd);
  const counted = countsAsSpent(attempt) ? 'counts as spent' : 'does not count as spent';
  // What is left of a damaged line may lack the price.
  const spent = attempt.quote_micro_usd === 0 ? '' : `; its price, ${price}, ${counted}`;
  const fate = fatePhrase(attempt.state, attempt.reason);
  const take = attempt.track === UNREADABLE && attempt.state === 'queued' ? `${TAKE_UNKNOWN}\n` : '';
  return `${escapeForeign(`${takeKey(attempt)} is ${fate}${spent}`)}\n${take}Next: ${next}\n`;
}

/** The `--json` document. Fields are only ever added. */
export function resolvedJson(attempt: Attempt, next: string): object {
  return { schema: 1, attempt, counts_as_spent: countsAsSpent(attempt), next_command: next };
}
