import type { AudioRequest, RequestField } from '../core/audio-request.js';
import type { Diagnostic } from '../core/diagnostic.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { BoughtTwice } from '../lockfile/bought-twice.js';
import type { Take } from '../manifest/take.js';

/** Why a take is to be bought. */
export type BuyReason =
  | { readonly kind: 'new' }
  /** Its request differs from what was bought before: in these fields. */
  | { readonly kind: 'changed'; readonly fields: readonly RequestField[]; readonly earlier: Attempt }
  /** `--retry-failed`, a rejection that may pass now, or a `resolve` that allows it. */
  | { readonly kind: 'retry'; readonly earlier: Attempt }
  /** `--force`. */
  | { readonly kind: 'forced'; readonly earlier: Attempt };

/** What a run does about one take. */
export type Decision =
  /** Stored and in place, or to be moved for free: nothing is asked of the service but an owed clean-up. */
  | {
      readonly kind: 'done';
      readonly attempt: Attempt;
      /** Its file is not here, and the manifest says that it is kept elsewhere, or another machine has it. */
      readonly elsewhere?: true;
      /** Name of that machine: foreign text, to be escaped. */
      readonly machine?: string;
    }
  /** Paid for and not yet here: collected, needs no approval. */
  | { readonly kind: 'collect'; readonly attempt: Attempt }
  /** May have been paid: blocked until `resolve`. */
  | { readonly kind: 'in_doubt'; readonly attempt: Attempt }
  /** Another run claimed it, and has not recorded yet what came of that. `stale`: it may be gone. */
  | { readonly kind: 'elsewhere'; readonly attempt: Attempt; readonly stale: boolean }
  | { readonly kind: 'buy'; readonly why: BuyReason }
  /** Would be bought, but `--only` or `--except` leaves it out. */
  | { readonly kind: 'excluded'; readonly why: BuyReason }
  /**
   * Failed, lost or refused before, and not requested again. `missing`: done, but its file is gone.
   */
  | {
      readonly kind: 'held';
      readonly because: 'failed' | 'lost' | 'rejected' | 'missing';
      readonly attempt: Attempt;
      /** It was made again, and came to this; what was made before is here still, so that only `--force` tries once more. */
      readonly kept?: Attempt;
    }
  /**
   * A file that is not in the lockfile is at the target of this take. `path` is relative to the
   * output root.
   */
  | { readonly kind: 'occupied'; readonly path: string };

export interface PlanRow {
  readonly take: Take;
  readonly decision: Decision;
}

/** One take to be bought, ready to be sent. */
export interface Purchase {
  readonly take: Take;
  readonly why: BuyReason;
  /** What goes on the wire: the take's request without what this model does not take and does not need. */
  readonly request: AudioRequest;
  readonly quote: QuotedPrice;
  /** A cheaper length close by. */
  readonly saving?: Saving;
}

/** `61 s is billed as 120 s: 60 s would save $0.69`. */
export interface Saving {
  /** What is asked for. */
  readonly seconds: number;
  /** The end of the tier it is billed by. */
  readonly billedSeconds: number;
  /** What would do. */
  readonly insteadSeconds: number;
  /** By the catalogue, integer micro-dollars. */
  readonly microUsd: number;
}

/** Equal keys have equal prices, so one request serves all. */
export interface QuotedPrice {
  /** Of model, duration and character count. */
  readonly key: string;
  readonly model: string;
  readonly duration_seconds?: number;
  readonly character_count?: number;
  /** Integer micro-dollars. */
  readonly microUsd: number;
  /** What the catalogue says, where it tells; differs from the quote by mark-up or discount. */
  readonly catalogueMicroUsd?: number;
  /** When it was asked for, ms since the epoch. */
  readonly quotedAtMs: number;
  /** 0, or far under what the catalogue declares: bought only where a person sees it, or with `--accept-price`. */
  readonly suspicious?: true;
}

export interface Plan {
  readonly rows: readonly PlanRow[];
  readonly purchases: readonly Purchase[];
  /** In flight, and no row collects it (its track is gone or its request changed): collected all the same. */
  readonly orphans: readonly Attempt[];
  /** Takes that were made for earlier manifests and that this one does not name: their files stay. */
  readonly unlistedCount: number;
  /** Stored files whose place changed: moved for free, in this order. One attempt may move twice. */
  readonly moves: readonly FileMove[];
  /** Sum of the purchases, integer micro-dollars. */
  readonly totalMicroUsd: number;
  /** Charged, reserved or in doubt under this lockfile, integer micro-dollars. */
  readonly spentBeforeMicroUsd: number;
  readonly budgetMicroUsd?: number;
  /** Diagnostics: what prevents buying, and warnings. */
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

/** Not where errors kept every price of what is to be bought from being asked for, or told. */
export function isPriced({ rows, purchases }: Plan): boolean {
  return purchases.length > 0 || !rows.some(({ decision }) => decision.kind === 'buy');
}
