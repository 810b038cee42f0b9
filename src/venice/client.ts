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
  /** For a wallet, whose address is public: a secret that only its holder has. Never shown, sent or stored. */
  readonly sealSecret?: string;
}

/**
 * A call without a usable result. Its text is untrusted: escape it when printing, and never store it.
 * - `no_answer`: nothing arrived (see `sent`), or the response was cut off;
 * - `refused`: an error of the API, in JSON or in plain words (see `plain`);
 * - `unusable`: a response that is not the API's (HTML, a redirect, wrong types, too long).
 */
export interface CallFailure {
  readonly ok: false;
  readonly kind: 'no_answer' | 'refused' | 'unusable';
  /** HTTP status; absent for `no_answer`. */
  readonly status?: number;
  /** Whether any byte may have reached the server. Always true if there is a status. */
  readonly sent: boolean;
  /**
   * A code of the API (`INSUFFICIENT_BALANCE`), of the transport (`ECONNREFUSED`), or of ours (`html`, `redirect`,
   * `too-long`, `wrong-type`).
   */
  readonly code: string;
  readonly message: string;
  /** The body lists what is wrong with the request itself (`issues`, or `details` by field). */
  readonly invalid?: true;
  /** In plain words, or JSON of another form than the API's: it may be from a gateway in front of the service. */
  readonly plain?: true;
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
  /** As returned by the API. Every later call must use this one. */
  readonly model: string;
}

export type Retrieved =
  | {
      readonly kind: 'running';
      /** Expected total in ms (80th percentile of recent jobs), if stated. */
      readonly averageExecutionMs?: number;
      /** Time since the job was queued in ms, if stated. */
      readonly executionMs?: number;
    }
  | {
      /** The audio. The body must be read to its end or discarded. */
      readonly kind: 'audio';
      /** From Content-Type, in lower case, without parameters. */
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
  /** Whether the service allows any purchase now. Absent if it does not say. */
  readonly permitted?: boolean | undefined;
  /**
   * Integer micro-dollars, rounded down, never negative; 1 DIEM counts as 1 USD. A balance that is not listed is
   * unknown.
   */
  readonly currencies: Readonly<Partial<Record<Currency, number>>>;
  /** For a wallet: the smallest top-up, and the one that the service suggests, in integer micro-dollars. */
  readonly topUp?: { readonly minimumMicroUsd?: number; readonly suggestedMicroUsd?: number };
  /** Request limits, if the same response has them. */
  readonly limits?: RateLimits;
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
  /** Whether the window has more entries than requested. */
  readonly cut: boolean;
  /** How many entries could not be read, if any: each may be a charge. */
  readonly unread?: number;
  /** A wallet's own history: if an account is linked to it, DIEM are spent first, and not listed here. */
  readonly withoutDiem?: true;
}

/** Requests a minute by model id; the key `''` is the limit for all other models. */
export type RateLimits = ReadonlyMap<string, number>;

/**
 * The API, typed. Each call is one HTTP request: nothing here retries, waits or remembers. (Two exceptions: the usage
 * history has pages, and `retrieve` may have to download the audio from another host.)
 */
export interface VeniceClient {
  models(): Promise<CallResult<Catalogue>>;
  /** Integer micro-dollars, rounded up. */
  quote(query: QuoteQuery): Promise<CallResult<number>>;
  /** The one call that spends money. Interpret its result only with `submit-outcome.ts`. */
  queue(request: AudioRequest): Promise<CallResult<Queued>>;
  retrieve(model: string, queueId: string): Promise<CallResult<Retrieved>>;
  /** `false`: not cleaned up, call again later. */
  complete(model: string, queueId: string): Promise<CallResult<boolean>>;
  /** Available funds from the route that every key may use. For a wallet: its own balance. */
  balance(): Promise<CallResult<Balance>>;
  /** Funds of the account, including earned credits, from the route for ADMIN keys. */
  accountBalance(): Promise<CallResult<Balance>>;
  /** All pages of the window, oldest first; stops at `entriesMax`. */
  usageHistory(startMs: number, endMs: number, entriesMax: number): Promise<CallResult<UsageHistory>>;
  /** None for a wallet: the route is for API keys. */
  rateLimits(): Promise<CallResult<RateLimits>>;
}
