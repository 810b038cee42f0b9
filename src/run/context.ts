import { emitNotice } from '../core/emit-notice.js';
import type { RunEvent, TakeEvent } from '../core/events.js';
import type { Ports } from '../core/ports.js';
import { type Attempt, moneyOf, type StoredFile } from '../lockfile/attempt.js';
import type { KeySignature } from '../lockfile/key-signature.js';
import type { LockStore, RecordLimits } from '../lockfile/lock-store.js';
import type { Rescue } from '../lockfile/rescue.js';
import type { RunLockState } from '../lockfile/run-lock.js';
import type { Take } from '../manifest/take.js';
import type { Purchase } from '../plan/plan.js';
import type { Scheduler } from '../scheduler/scheduler.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { Output } from '../storage/output.js';
import type { CallResult, VeniceClient } from '../venice/client.js';
import { paceOf } from './gather.js';
import type { Prices } from './prices.js';
import type { ServerErrors } from './server-errors.js';
import type { Ceiling } from './spend-limit.js';
import { stopNotice } from './stop-notice.js';
import type { StopReason } from './stop-reason.js';

export interface RunSettings {
  /** Absolute. Stored files and their `.part` files are below it. */
  readonly outputRoot: string;
  readonly concurrency?: number | undefined;
  /** Leave the remote media where they are. */
  readonly keep: boolean;
  /**
   * Also collect what other runs of a shared log may still collect themselves. Harmless except for the extra requests.
   */
  readonly takeOver?: boolean;
  /** Stop submitting after the first track that fails. */
  readonly failFast: boolean;
  /** Stop submitting, and leave what is in flight for the next run, after this long. */
  readonly timeoutMs?: number | undefined;
  /** End as soon as everything is submitted: a later run collects. */
  readonly detach: boolean;
  /** How messages name a file, given its path relative to the output root. Default: that path. */
  placeOf?(file: string): string;
  /** The command that continues, ready to paste, from its verb and extra words. */
  command(verb: string, ...words: string[]): string;
}

/** One take in progress: to be bought, in flight, or stored with a remote copy to delete. */
export interface Job {
  readonly id: string;
  /** Name of the take for users. */
  readonly key: string;
  /** Absent for an attempt whose take is no longer in the manifest. */
  readonly take?: Take;
  readonly purchase?: Purchase;
  /** The newest record; absent before the first intent. */
  attempt?: Attempt;
  /** Consecutive failures of the current request. */
  failures: number;
  /** The last refusal of a submit that is to be tried again. */
  postponed?: Partial<TakeEvent> | undefined;
  /** Responses with the right key, some seconds apart, that its id or media is unknown. */
  unknownId: number;
  /** Total run time expected by the service, in ms. */
  expectedMs?: number;
  /** When it was queued, ms since the epoch; fixed at first use, because the recorded time may be in the future. */
  queuedMs?: number;
  /** The last download that needs a second one to confirm it. */
  lastDownload?: { readonly sha256: string; readonly durationSeconds?: number };
  /** Downloads that clearly were not the audio. */
  mismatches: number;
  /** Downloads that a second one did not confirm. */
  unconfirmed: number;
  /** The longest download of this run that is not good enough to be stored. */
  kept?: StoredFile;
  /** An earlier run had kept a download of this job. */
  keptEarlier?: boolean;
  /** Times its stored file was found missing or changed. */
  fetchedAgain: number;
  /** How long this run has seen it running, in ms; see `watch` in `poll.ts`. */
  watchedMs: number;
  /** When a response last said that it is running, or the submit was answered, in ms. */
  lastRunningMs?: number;
  expectationReported: boolean;
  /** This run does nothing more about it. */
  over: boolean;
}

/**
 * Why nothing more is submitted to a model in this run:
 * - `refused`: the key may not use it, not even to collect;
 * - `retired`: the service no longer offers it;
 * - `offline`, `busy`: it refused every submit for a while.
 */
export type ClosedBecause = 'refused' | 'retired' | 'offline' | 'busy';

/** State shared by every step of the run. All mutable state is here. */
export interface RunContext {
  readonly ports: Ports;
  readonly client: VeniceClient;
  readonly store: LockStore;
  /** Checks whether this run still holds the run lock: see `AcquiredLock.check`. */
  readonly checkLock: () => Promise<RunLockState>;
  readonly scheduler: Scheduler;
  readonly ceiling: Ceiling;
  readonly prices: Prices;
  readonly settings: RunSettings;
  readonly output: Output;
  readonly keySignature: KeySignature;
  /** Where to put a record that cannot be written to the lockfile's disk. */
  readonly rescue: Rescue;
  /**
   * Where finished audio is kept for all machines: a file counts as stored once it is there. Absent: this disk is
   * enough.
   */
  readonly audio?: AudioStore | undefined;
  /** What an intent is checked against when it is recorded. */
  readonly limits: RecordLimits;
  /** Aborted by the first Ctrl-C: nothing more is submitted, and the run ends once pending responses are recorded. */
  readonly stop: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  readonly stopReasons: Set<StopReason>;
  /** Output folders that were created and made durable. Absolute. */
  readonly readyFolders: Set<string>;
  /** Cleared permanently by `stopBuying`. */
  buying: boolean;
  /** Attempts whose files were stored by this run. */
  readonly made: Set<string>;
  /** Hashes of audio that this run has read whole in the audio store. */
  readonly inStore: Set<string>;
  /** Queue ids of all attempts: no two jobs share one. */
  readonly queueIds: Set<string>;
  /** Models to which this run submits nothing more. */
  readonly closedModels: Map<string, ClosedBecause>;
  /** Paths without extensions that the takes of the manifest are entitled to, as `foldName` writes them. */
  readonly wantedStems: ReadonlySet<string>;
  /** Drops the takes of a closed model that are not submitted yet. */
  dropUnsubmitted: (model: string) => void;
  readonly serverErrors: ServerErrors;
  /** Pairs of requested and returned models already reported: `asked got`. */
  readonly otherModels: Set<string>;
  remoteLeftReported: boolean;
  /** Called after the shared log was read. */
  followOthers: () => void;
  /** Whether it was reported that other runs buy some of the takes. */
  takenReported: boolean;
  /** The request limits learned in this run that the lockfile already has. */
  limitsRecorded: NonNullable<Attempt['limits']>;
  /** When trouble with the service was last reported, in ms. */
  troubleReportedMs: number;
  /** Since when no request was answered, in ms; absent while any is. */
  unansweredSinceMs?: number | undefined;
  /** Lost responses in a row. */
  inDoubtInARow: number;
  /** Consecutive failures before anything was sent. */
  notSentInARow: number;
  /** Aborted when no more requests may be sent: interrupt, disk error, refused key. */
  readonly halt: AbortController;
  /** Something unforeseen was thrown: the run ends as well as it can, and rethrows it. */
  fault?: unknown;
}

/** Stops buying and reports the reason once; collecting continues. */
export function stopBuying(context: RunContext, reason: StopReason): void {
  const why = context.stopReasons.has(reason) ? undefined : stopNotice(reason, context.settings.command);
  if (why !== undefined) emitNotice(context, why.severity, why.code, why.message, why.hint);
  context.stopReasons.add(reason);
  context.buying = false;
  context.scheduler.stopSubmitting();
}

/** Ends everything as soon as the pending responses have arrived. */
export function stopAll(context: RunContext, reason: StopReason): void {
  stopBuying(context, reason);
  context.halt.abort();
}

export function newJob(id: string, key: string, about: Pick<Job, 'take' | 'purchase' | 'attempt'>): Job {
  return {
    id,
    key,
    ...about,
    failures: 0,
    unknownId: 0,
    mismatches: 0,
    unconfirmed: 0,
    fetchedAgain: 0,
    watchedMs: 0,
    expectationReported: false,
    over: false,
  };
}

/** States that say what became of the price. */
const WITH_MONEY: ReadonlySet<TakeEvent['state']> = new Set([
  'stored',
  'done',
  'rejected',
  'waiting',
  'in_doubt',
  'failed',
  'lost',
  'unverified',
]);

export function emitTake(
  context: RunContext,
  job: Job,
  state: TakeEvent['state'],
  details: Partial<TakeEvent> = {},
): void {
  const { attempt, purchase } = job;
  context.emit({
    type: 'take',
    time: new Date(context.ports.clock.nowMs()).toISOString(),
    key: job.key,
    track: attempt?.track ?? job.take?.track ?? job.key,
    take: attempt?.take ?? job.take?.take ?? 1,
    state,
    attempt: attempt?.attempt ?? '',
    model: attempt?.model ?? purchase?.request.model ?? '',
    price_micro_usd: attempt?.quote_micro_usd ?? purchase?.quote.microUsd ?? 0,
    ...(attempt?.queue_id === undefined ? {} : { queue_id: attempt.queue_id }),
    ...(attempt !== undefined && WITH_MONEY.has(state) ? { money: moneyOf(attempt) } : {}),
    ...details,
  });
}

/**
 * Passes what a response says about the request budget to the scheduler, and records whether the service answers at all.
 */
export function observeRate(
  context: RunContext,
  { id }: Pick<Job, 'id'>,
  model: string,
  result: CallResult<unknown>,
): void {
  const nowMs = context.ports.clock.nowMs();
  context.scheduler.answered(model, { ...paceOf(result), job: id }, nowMs);
  const answered = result.ok || result.kind !== 'no_answer';
  context.unansweredSinceMs = answered ? undefined : (context.unansweredSinceMs ?? nowMs);
}
