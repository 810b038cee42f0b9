import type { Currency } from '../core/money.js';
import type { Account } from './exchange.js';
import type { AudioFormat, AudioKind } from './model.js';

/** A job as it was accepted. All that becomes of it by itself is decided here: its life is a function of time. */
export interface Queued {
  readonly type: 'queued';
  /** The queue id. */
  readonly id: string;
  readonly atMs: number;
  readonly account: Account;
  readonly model: string;
  readonly priceMicroUsd: number;
  /** What of it stays charged once the length of the audio is known. Absent: all. */
  readonly settledMicroUsd?: number;
  /** What it was charged to. Absent: USD. */
  readonly currency?: Currency;
  /** How long it waits before it runs. */
  readonly waitMs: number;
  /** From accepted to ready or failed. */
  readonly runMs: number;
  /** `failed-…`: told by retrieve with that status. */
  readonly end:
    | 'ready'
    | 'damaged'
    | 'failed'
    | 'refunded'
    | 'lost'
    | 'failed-400'
    | 'failed-422'
    | 'failed-500'
    | 'failed-503';
  readonly prompt: string;
  /** SHA-256 (hex) of the request and the account. */
  readonly request: string;
  /** From 1: which of the equal requests this is. Each sounds different. */
  readonly take: number;
  readonly kind: AudioKind;
  readonly format: AudioFormat;
  readonly durationSeconds: number;
  /** Its end is to go over into its start. */
  readonly loop?: true;
}

/** The media was deleted, or the job cancelled if it still ran. */
export interface Deleted {
  readonly type: 'deleted';
  readonly id: string;
  readonly atMs: number;
}

/** An effect: what must outlive the service's process. */
export type Entry = Queued | Deleted;

export interface Job extends Queued {
  readonly deletedAtMs?: number;
}

/** The state that the entries add up to. */
export interface Ledger {
  readonly jobs: ReadonlyMap<string, Job>;
  add(entry: Entry): void;
  /** What all jobs of the account cost, as if none were refunded; of one purse, DIEM of the UTC day of `nowMs` alone. */
  spentMicroUsd(account: Account, from?: { readonly currency: Currency; readonly nowMs: number }): number;
  /** The few jobs that will give money back, or would have. */
  refundable(account: Account): readonly Job[];
  /** How many jobs were made of an equal request. */
  takes(request: string): number;
}

export function foldLedger(entries: Iterable<Entry>): Ledger {
  const jobs = new Map<string, Job>();
  const spent = new Map<string, number>();
  const refundable = new Map<Account, string[]>();
  const takes = new Map<string, number>();
  const queue = (entry: Queued) => {
    if (jobs.has(entry.id)) return;
    jobs.set(entry.id, entry);
    for (const key of [entry.account, currencyKey(entry.account, entry.currency ?? 'USD', entry.atMs)])
      spent.set(key, (spent.get(key) ?? 0) + entry.priceMicroUsd);
    takes.set(entry.request, (takes.get(entry.request) ?? 0) + 1);
    const mayReturn = entry.settledMicroUsd !== undefined || entry.end === 'refunded';
    if (!mayReturn && !entry.end.startsWith('failed-')) return;
    refundable.set(entry.account, [...(refundable.get(entry.account) ?? []), entry.id]);
  };
  const remove = (entry: Deleted) => {
    const job = jobs.get(entry.id);
    if (job === undefined || job.deletedAtMs !== undefined) return;
    // Only the audio is made of the prompt: memory need not grow with what was deleted.
    jobs.set(entry.id, { ...job, prompt: '', deletedAtMs: entry.atMs });
  };
  const add = (entry: Entry) => (entry.type === 'queued' ? queue(entry) : remove(entry));
  for (const entry of entries) add(entry);
  return {
    jobs,
    add,
    spentMicroUsd: (account, from) =>
      spent.get(from === undefined ? account : currencyKey(account, from.currency, from.nowMs)) ?? 0,
    refundable: (account) => (refundable.get(account) ?? []).map((id) => jobs.get(id)!),
    takes: (request) => takes.get(request) ?? 0,
  };
}

const DAY_MS = 24 * 3_600_000;

/** DIEM is an allocation of each UTC day. */
function currencyKey(account: Account, currency: Currency, atMs: number): string {
  return currency === 'DIEM' ? `${account} DIEM ${Math.floor(atMs / DAY_MS)}` : `${account} ${currency}`;
}
