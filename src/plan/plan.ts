import type { AudioRequest, RequestField } from '../core/audio-request.js';
import type { Code } from '../core/codes.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { BoughtTwice } from '../lockfile/bought-twice.js';
import type { Take } from '../manifest/take.js';

/** Why a take is to be bought. */
export type BuyReason =
  | { readonly kind: 'new' }
  /** Its request differs from what was bought before, in these fields. */
  | { readonly kind: 'changed'; readonly fields: readonly RequestField[]; readonly earlier: Attempt }
  /** `--retry-failed`, a temporary rejection, or a `resolve` that allows it. */
  | { readonly kind: 'retry'; readonly earlier: Attempt }
  /** `--force`. */
  | { readonly kind: 'forced'; readonly earlier: Attempt };

/** What a run does about one take. */
export type Decision =
  /** Stored and in place, or to be moved. Needs nothing from the service but a pending clean-up. */
  | {
      readonly kind: 'done';
      readonly attempt: Attempt;
      /** Its file is not here: the manifest says that it is kept elsewhere, or another machine or the audio store has it. */
      readonly elsewhere?: true;
      /** It is in the audio store, and the next run downloads it. */
      readonly inStore?: true;
      /** Name of that machine: untrusted text, escape it. */
      readonly machine?: string;
    }
  /** Paid and not here yet: collected, without approval. */
  | { readonly kind: 'collect'; readonly attempt: Attempt }
  /** May have been paid: blocked until `resolve`. */
  | { readonly kind: 'in_doubt'; readonly attempt: Attempt }
  /** Another run claimed it, and has not recorded an outcome yet. `stale`: that run may be gone. */
  | { readonly kind: 'elsewhere'; readonly attempt: Attempt; readonly stale: boolean }
  | { readonly kind: 'buy'; readonly why: BuyReason }
  /** Would be bought, but is excluded by `--only` or `--except`, or because the service refuses its model. */
  | { readonly kind: 'excluded'; readonly why: BuyReason; readonly closed?: ClosedCode }
  /** Failed, lost or refused before, and not requested again. `missing`: done, but its file is gone. */
  | {
      readonly kind: 'held';
      readonly because: 'failed' | 'lost' | 'rejected' | 'missing';
      readonly attempt: Attempt;
      /** It was made again, with this result, and the earlier file is still here. Only `--force` tries again. */
      readonly kept?: Attempt;
      /** Only if `missing`: `collect` may still get the file, at no cost. */
      readonly fetchable?: true;
    }
  /** An untracked file is at the path of this take. `path` is relative to the output root. */
  | { readonly kind: 'occupied'; readonly path: string };

/** Why nothing can be bought of a model: this key may not use it, or it is not, or no longer, offered. */
export type ClosedCode = Extract<Code, 'model-refused' | 'unknown-model'>;

/** By model id. */
export type ClosedModels = ReadonlyMap<string, ClosedCode>;

export interface PlanRow {
  readonly take: Take;
  readonly decision: Decision;
}

/** One take to be bought, ready to be sent. */
export interface Purchase {
  readonly take: Take;
  readonly why: BuyReason;
  /** The request to send: without fields that the model does not support and that have no effect. */
  readonly request: AudioRequest;
  readonly quote: QuotedPrice;
  /** A cheaper length close to the requested one. */
  readonly saving?: Saving | undefined;
}

/** `61 s is billed as 120 s: 60 s would save $0.69`. */
export interface Saving {
  /** The requested length. */
  readonly seconds: number;
  /** The end of the price tier that it is billed at. */
  readonly billedSeconds: number;
  /** The cheaper length. */
  readonly insteadSeconds: number;
  /** According to the catalogue, in integer micro-dollars. */
  readonly microUsd: number;
}

/** Equal keys have equal prices, so one request serves all. */
export interface QuotedPrice {
  /** Made of model, duration and character count. */
  readonly key: string;
  readonly model: string;
  readonly duration_seconds?: number;
  readonly character_count?: number;
  /** Integer micro-dollars. */
  readonly microUsd: number;
  /** The catalogue's price, if known. It differs from the quote by mark-up or discount. */
  readonly catalogueMicroUsd?: number;
  /** When it was quoted, ms since the epoch. */
  readonly quotedAtMs: number;
  /**
   * The price is 0, or far below what the catalogue declares: bought only if a user sees it, or with `--accept-price`.
   */
  readonly suspicious?: true;
}

export interface Plan {
  readonly rows: readonly PlanRow[];
  readonly purchases: readonly Purchase[];
  /** In flight without a row to collect it (its track is gone or its request changed): collected anyway. */
  readonly orphans: readonly Attempt[];
  /** Takes that were made for earlier manifests and that this one does not name. Their files stay. */
  readonly unlistedCount: number;
  /** Stored files whose path changed: moved in this order, at no cost. One attempt may move twice. */
  readonly moves: readonly FileMove[];
  /** Sum of the purchases, in integer micro-dollars. */
  readonly totalMicroUsd: number;
  /** Charged, reserved or in doubt in this lockfile, in integer micro-dollars. */
  readonly spentBeforeMicroUsd: number;
  readonly budgetMicroUsd?: number | undefined;
  /** Errors that prevent buying, and warnings. */
  readonly diagnostics: readonly Diagnostic[];
  /** Takes with more than one live purchase. */
  readonly boughtTwice: readonly BoughtTwice[];
}

export interface FileMove {
  readonly attempt: string;
  /** Relative to the output root. */
  readonly from: string;
  readonly to: string;
}

/** False if errors prevented every price of the purchases from being requested or quoted. */
export function isPriced({ rows, purchases }: Plan): boolean {
  return purchases.length > 0 || !rows.some(({ decision }) => decision.kind === 'buy');
}
