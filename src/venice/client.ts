import type { AudioRequest } from '../core/audio-request.js';
import type { Currency } from '../core/money.js';
import type { TransportAnswer } from '../core/ports.js';
import type { RateHeaders } from '../core/rate-headers.js';
import type { Catalogue } from './model.js';

/** Who pays: an API key, or a wallet that signs each request. */
export interface Account {
  readonly kind: 'api_key' | 'wallet';
  /** The key, or the wallet's address. */
  readonly id: string;
  /**
   * For a wallet, whose address is public: a secret that only its holder has. Never shown, sent or
   * stored.
   */
  readonly sealSecret?: string;
}

/**
 * A call that did not give what was asked. Its text is foreign: escape it where it is printed, never store it.
 * - `no_answer`: nothing came (see `sent`), or what came broke off;
 * - `refused`: a Venice-shaped JSON error;
 * - `unusable`: an answer that is not the API's (HTML, a redirect, wrong types, too long).
 */
export interface CallFailure {
  readonly ok: false;
  readonly kind: 'no_answer' | 'refused' | 'unusable';
  /** HTTP status; absent for `no_answer`. */
  readonly status?: number;
  /** True if any byte may have reached the server, and always if there is a status. */
  readonly sent: boolean;
  /** The API's own code (`INSUFFICIENT_BALANCE`), or the transport's (`ECONNREFUSED`), or ours (`html`, `redirect`, `too-long`, `wrong-type`). */
  readonly code: string;
  readonly message: string;
  /** The body lists what is wrong with the request itself (`issues`, or `details` by field). */
  readonly invalid?: true;
  readonly suggestedPrompt?: string;
  readonly creditsRefunded?: boolean;
  /** A `queue_id` found in the response, usable or not: only a hint for the user. */
  readonly queueIdSeen?: string;
  readonly rate: RateHeaders;
}

export type CallResult<T> =
  | { readonly ok: true; readonly value: T; readonly rate: RateHeaders }
  | CallFailure;

export interface QuoteQuery {
  readonly model: string;
  readonly duration_seconds?: number;
  readonly character_count?: number;
}

export interface Queued {
  readonly queueId: string;
  /** As the API returned it: every later call must name this one. */
  readonly model: string;
}

export type Retrieved =
  | {
      readonly kind: 'running';
      /** Expected total, ms (80th percentile of recent jobs), if stated. */
      readonly averageExecutionMs?: number;
      /** Time since the job was queued, ms, if stated. */
      readonly executionMs?: number;
    }
  | {
      /** The audio. The body must be read to its end or discarded. */
      readonly kind: 'audio';
      /** As in Content-Type, in lower case, without parameters. */
      readonly mediaType: string;
      readonly contentLength?: number;
      readonly answer: Pick<TransportAnswer, 'body' | 'framed' | 'discard'>;
    }
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly creditsRefunded?: boolean;
    };

/** Available funds, as one route of the API reports them. */
export interface Balance {
  /** True if the service allows any purchase now. Absent if it does not say. */
  readonly permitted?: boolean;
  /** Integer micro-dollars, rounded down, never negative; 1 DIEM counts as 1 USD. A purse that is not listed is unknown. */
  readonly currencies: Readonly<Partial<Record<Currency, number>>>;
  /** Of a wallet: what a top-up takes at least, and what the service suggests, integer micro-dollars. */
  readonly topUp?: { readonly minimumMicroUsd?: number; readonly suggestedMicroUsd?: number };
}

export interface UsageEntry {
  readonly timestampMs: number;
  readonly sku: string;
  /** Integer micro-dollars spent, positive; a refund is negative. */
  readonly spentMicroUsd: number;
  readonly currency: string;
  readonly requestId?: string;
}

export interface UsageHistory {
  /** Oldest first. */
  readonly entries: readonly UsageEntry[];
  /** True if the window has more entries than requested. */
  readonly cut: boolean;
}

/** Requests a minute by model id; the key `''` is the limit where no model is named. */
export type RateLimits = ReadonlyMap<string, number>;

/**
 * The API, typed. Each call is one HTTP request: nothing here retries, waits or remembers. (Two exceptions: the usage
 * history comes in pages, and `retrieve` may be told that the audio lies on another host.)
 */
export interface VeniceClient {
  models(): Promise<CallResult<Catalogue>>;
  /** Integer micro-dollars, a fraction rounded up. */
  quote(query: QuoteQuery): Promise<CallResult<number>>;
  /** The one call that spends. Read its result with `outcome.ts` only. */
  queue(request: AudioRequest): Promise<CallResult<Queued>>;
  retrieve(model: string, queueId: string): Promise<CallResult<Retrieved>>;
  /** `false`: not cleaned up, call again later. */
  complete(model: string, queueId: string): Promise<CallResult<boolean>>;
  /** Available funds by the route that every key may use. For a wallet: its own balance. */
  balance(): Promise<CallResult<Balance>>;
  /** Funds of the account, earned credits included, by the route for ADMIN keys. */
  accountBalance(): Promise<CallResult<Balance>>;
  /** All pages of the window, oldest first; stops at `entriesMax`. */
  usageHistory(startMs: number, endMs: number, entriesMax: number): Promise<CallResult<UsageHistory>>;
  rateLimits(): Promise<CallResult<RateLimits>>;
}
