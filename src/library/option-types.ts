import type { RunEvent } from '../core/events.js';
import type { Plan } from '../plan/plan.js';
import type { SavedPlan } from '../plan/saved-plan.js';
import type { Balance } from '../venice/client.js';

/** Which service to use, and who pays. */
export interface ServiceOptions {
  /** Default: the environment variable `VENICE_API_KEY`. */
  readonly apiKey?: string | undefined;
  /** Default: `VENICE_BASE_URL`, or the Venice API. */
  readonly baseUrl?: string | undefined;
  /** Use the built-in simulator: no key, no network, no money. */
  readonly sandbox?: boolean | undefined;
}

/** Which manifest, and where its files are. */
export interface PlaceOptions extends ServiceOptions {
  /** Path of the manifest. */
  readonly manifest: string;
  /** Path of the lockfile. Default: next to the manifest. */
  readonly lockfile?: string | undefined;
  /** Folder that output paths are relative to. Default: the manifest's folder. */
  readonly outDir?: string | undefined;
  /** Address of the shared log. Default: `VENICE_BATCH_STATE`, or the manifest's `state`. */
  readonly state?: string | undefined;
}

/** What to buy. */
export interface PlanOptions extends PlaceOptions {
  /** Limit over the lifetime of the lockfile, in US dollars. A lower one in the manifest or the environment wins. */
  readonly budgetUsd?: number | undefined;
  /** Ids or patterns of the tracks to buy; `[]` means none. Never restricts collecting. */
  readonly only?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  /** Make these takes again although they are done. */
  readonly force?: readonly string[] | undefined;
  /** Number of takes to make for each chosen track beyond the manifest's `takes`. */
  readonly more?: number | undefined;
  /** Buy only for tracks without a pick. */
  readonly onlyUnpicked?: boolean | undefined;
  /** Buy again what failed, was lost or was refused, or whose file is missing. */
  readonly retryFailed?: boolean | undefined;
  /** Buy even if the known balance does not cover the total. */
  readonly ignoreBalance?: boolean | undefined;
}

/** Options of a run. */
export interface ProgressOptions {
  /** Jobs in flight at most, 1 to 64. Default: as many as the request limits can keep busy. */
  readonly concurrency?: number | undefined;
  /** Called with every event, in order. Must not throw. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Aborting stops submitting, records responses that are still arriving, and ends the run. */
  readonly signal?: AbortSignal | undefined;
  /** Do not delete the remote copies. */
  readonly keep?: boolean | undefined;
}

export type CollectOptions = PlaceOptions & ProgressOptions;

export interface RunOptions extends PlanOptions, ProgressOptions {
  /**
   * Called once with the priced plan if there is anything to buy. Nothing is bought unless it returns `true`, and never
   * more than the plan's total. If absent, nothing is bought, and takes in flight are collected.
   */
  readonly approve?: ((plan: Plan, balance: Balance | undefined) => boolean | Promise<boolean>) | undefined;
  /** Also buy at prices of 0 or far below the declared ones (`quote.suspicious`). */
  readonly acceptPrice?: boolean | undefined;
  /** Stop submitting after the first take that fails. */
  readonly failFast?: boolean | undefined;
  /** Submit, and leave collecting to a later run. */
  readonly detach?: boolean | undefined;
}

export interface ApplyOptions extends PlaceOptions, ProgressOptions {
  /**
   * `saved` from an earlier `plan`. Applying it approves it: exactly these takes are bought, at these prices at most.
   */
  readonly plan: SavedPlan;
  readonly acceptPrice?: boolean | undefined;
  readonly failFast?: boolean | undefined;
  readonly detach?: boolean | undefined;
}

export interface ResolveOptions extends PlaceOptions {
  /** Id of the attempt, or its first digits. */
  readonly attempt: string;
  readonly outcome:
    | { readonly kind: 'queue_id'; readonly queueId: string }
    | { readonly kind: 'charged' | 'not_charged' | 'refunded' | 'requeue' };
}

/** The options of all functions. Each function ignores those it does not use. */
export type AnyOptions = PlaceOptions &
  Partial<
    Pick<
      PlanOptions,
      'budgetUsd' | 'only' | 'except' | 'force' | 'more' | 'onlyUnpicked' | 'retryFailed' | 'ignoreBalance'
    >
  > &
  Partial<Pick<ProgressOptions, 'concurrency' | 'keep'>> &
  Partial<Pick<RunOptions, 'acceptPrice' | 'failFast' | 'detach'>>;
