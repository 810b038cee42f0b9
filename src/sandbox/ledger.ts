import type { Currency } from '../core/money.js';
import type { AudioFormat, AudioKind } from './sandbox-model.js';
import type { Account } from './service-response.js';

/** A job as it was accepted. Everything that will happen to it is decided here, so its state is a function of time. */
export interface Queued {
  readonly type: 'queued';
  /** The queue id. */
  readonly id: string;
  readonly atMs: number;
  readonly account: Account;
  readonly model: string;
  readonly priceMicroUsd: number;
  /** The part of it that stays charged once the length of the audio is known. Absent: all. */
  readonly settledMicroUsd?: number;
  /** The balance it was charged to. Absent: USD. */
  readonly currency?: Currency;
  /** How long it waits before it runs. */
  readonly waitMs: number;
  /** From accepted to ready or failed. */
  readonly runMs: number;
  /** `failed-…`: reported by retrieve with that status. */
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
  /** Number of this take among equal requests, from 1. Each sounds different. */
  readonly take: number;
  readonly kind: AudioKind;
  readonly format: AudioFormat;
  readonly durationSeconds: number;
  /** Its end has to join its start. */
  readonly loop?: true;
}

/** The media was deleted, or the job cancelled if it was still running. */
export interface Deleted {
  readonly type: 'deleted';
  readonly id: string;
  readonly atMs: number;
}

/** An effect, which must survive the service's process. */
export type Entry = Queued | Deleted;

export interface Job extends Queued {
  readonly deletedAtMs?: number;
}

/** The state resulting from all entries. */
export interface Ledger {
  readonly jobs: ReadonlyMap<string, Job>;
  add(entry: Entry): void;
  /** The cost of all the account's jobs, ignoring refunds; for one balance, DIEM counts only the UTC day of `nowMs`. */
  spentMicroUsd(account: Account, from?: { readonly currency: Currency; readonly nowMs: number }): number;
  /** The few jobs that will be refunded, or would have been. */
  refundable(account: Account): readonly Job[];
  /** How many jobs were made for an equal request. */
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
    // The prompt is needed only for the audio, so deleted jobs need not keep it in memory.
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

/** DIEM is allocated for each UTC day. */
function currencyKey(account: Account, currency: Currency, atMs: number): string {
  return currency === 'DIEM' ? `${account} DIEM ${Math.floor(atMs / DAY_MS)}` : `${account} ${currency}`;
}
