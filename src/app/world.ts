import type { Diagnostic } from '../core/diagnostic.js';
import type { RunEvent } from '../core/events.js';
import type { Ports, Transport } from '../core/ports.js';
import { createRedactor } from '../core/redact.js';
import type { Attempt } from '../lockfile/attempt.js';
import type { LoadedManifest, Manifest } from '../manifest/take.js';
import type { Plan } from '../plan/plan.js';
import type { SavedPlan } from '../plan/saved-plan.js';
import type { Selection } from '../plan/selection.js';
import type { RunSettings } from '../run/context.js';
import type { Account, Balance } from '../venice/client.js';
import type { Neighbourhood } from './elsewhere.js';
import type { OpenSettings } from './opening.js';
import type { OpenState } from './shared-state.js';

/** The outside world of a batch: real, sandbox or simulated. */
export interface World {
  readonly ports: Ports;
  readonly transport: Transport;
  /** Absent: nothing can be bought or collected. */
  readonly account?: Account | undefined;
  /** Redacts every secret of the run. Absent: only the API key is removed from the service's text. */
  redact?(text: string): string;
  /** Opens a shared log. `undefined`, never just left out: what settings and manifest say of it is then ignored. */
  openState: OpenState | undefined;
  /** Called before anything is created or locked. Throws `BatchError` if the run cannot begin. */
  ready?(): Promise<void>;
  /** Reads the manifest; called once. */
  load(): Promise<LoadedManifest>;
  /** Called before planning, with the manifest and all its takes, including those beyond `takes`. */
  takesKnown?(manifest: Manifest): void;
  emit(event: RunEvent): void;
  /** Shows problems as soon as they are known. */
  show(diagnostics: readonly Diagnostic[], sources: LoadedManifest['sources']): void;
  /** Shows a plan that needs no approval. */
  present?(plan: Plan, balance: Balance | undefined): void;
  approve(plan: Plan, balance: Balance | undefined): Promise<Approval>;
  /** Called before the summary: reports the sound of the files. Absent: sound is not measured. */
  sound?(attempts: readonly Attempt[]): Promise<SoundReport>;
  /** Aborted by the first Ctrl-C. */
  readonly stop: AbortSignal;
}

export interface SoundReport {
  /** Files with sound findings. */
  readonly warnings: number;
  /** Whether findings make the run fail. */
  readonly fails: boolean;
}

/**
 * `approved`: the user saw this plan. `unattended`: approved in advance by a flag or a program, whatever the prices.
 * With any other value nothing is bought.
 */
export type Approval = 'approved' | 'unattended' | 'declined' | 'no_terminal' | 'no_budget';

export interface BatchSettings extends RunSettings, Pick<OpenSettings, 'rescuePlaces' | 'openPlaces'> {
  /** Address of the shared log, from flag or environment. The manifest may also name one. */
  readonly state?: string | undefined;
  /** See `OpenBatch`. */
  again?: ((...words: string[]) => string) | undefined;
  /** See `OpenBatch`. */
  noteLog?: ((address: string) => void) | undefined;
  /** Allows deleting the remote copy once a single machine has the audio. */
  readonly allowSingleCopy?: boolean;
  /** Absolute. */
  readonly lockfilePath: string;
  /** Base URL that the lockfile is bound to, or `sandbox:`. */
  readonly endpoint: string;
  readonly sandbox: boolean;
  readonly version: string;
  readonly selection: Selection;
  /** Takes to make for each chosen track, beyond `takes` of the manifest. */
  readonly more?: number | undefined;
  /** Approved by `--yes`. Commands that repeat the run include it. */
  readonly yes?: boolean;
  /** Buys even unattended if prices are far below the declared ones. */
  readonly acceptPrice?: boolean;
  /** Integer micro-dollars. The manifest's own budget may be lower. */
  readonly budgetMicroUsd?: number | undefined;
  /** Whether `--budget` set it, so that another value on the command line raises it. */
  readonly isBudgetFlag?: boolean;
  /** Buy even if the balance, as far as it is known, does not cover the total. */
  readonly ignoreBalance?: boolean | undefined;
  readonly mode: 'run' | 'collect' | 'frozen';
  /** Paths where other lockfiles of the manifest may be. Absent: not checked. */
  readonly neighbourhood?: Neighbourhood | undefined;
  /** Applied instead of computing a new plan. `selection` and the budget come from it. */
  readonly savedPlan?: SavedPlan | undefined;
  /** The file that it was read from. */
  readonly savedPlanFile?: string | undefined;
}

/** Removes this run's secrets from a text. */
export function redactorOf({ redact, account }: World): (text: string) => string {
  return redact ?? createRedactor(account?.kind === 'api_key' ? [account.id] : []);
}
