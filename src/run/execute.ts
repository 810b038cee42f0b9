import { unreachable } from '../core/errors.js';
import type { RunEvent } from '../core/events.js';
import type { Ports } from '../core/ports.js';
import { spentMicroUsd } from '../lockfile/attempt.js';
import type { KeySeal } from '../lockfile/key-seal.js';
import type { LockStore } from '../lockfile/lock-store.js';
import type { Rescue } from '../lockfile/rescue.js';
import type { GuardState } from '../lockfile/run-lock.js';
import type { Take } from '../manifest/take.js';
import { isInDoubt } from '../plan/history.js';
import { lostAnswers } from '../plan/lost-answers.js';
import type { Purchase } from '../plan/plan.js';
import { createScheduler } from '../scheduler/create-scheduler.js';
import { routeHistories } from '../scheduler/route-history.js';
import type { Action, Scheduler, Settled } from '../scheduler/scheduler.js';
import type { AudioStore } from '../shared-log/audio-store.js';
import type { Output } from '../storage/output.js';
import type { RateLimits, VeniceClient } from '../venice/client.js';
import { cleanUpJob, fetchAgain, isInCustody } from './clean-up.js';
import type { Job, RunContext, RunSettings } from './context.js';
import { stopAll } from './context.js';
import { enlist, enlistAttempt, takesOf } from './enlist.js';
import { paceOf } from './gather.js';
import { kindOf, queuedMs, runTimes } from './job-kind.js';
import { tellWaiting, watchOtherRuns } from './other-runs.js';
import { finishJob, pollJob, tellResumed } from './poll.js';
import { createPrices } from './prices.js';
import { tellProgress } from './progress.js';
import { createStandings, type Standings, standingOf } from './progress-state.js';
import { createServerErrors } from './server-errors.js';
import { followOthers } from './share-limits.js';
import { createCeiling } from './spend-limit.js';
import { submitJob } from './submit.js';
import type { Trouble } from './trouble.js';
import { createWakeUp } from './wake-up.js';

const PROGRESS_EVERY_MS = 200;

export interface RunInput {
  readonly ports: Ports;
  readonly client: VeniceClient;
  readonly store: LockStore;
  /** Whether the lock is still this run's: see `AcquiredGuard.check`. */
  readonly checkLock: () => Promise<GuardState>;
  /** To be bought, in this order. Empty: only collect. */
  readonly purchases: readonly Purchase[];
  /** Every take of the manifest, to name what is collected and to know where it goes. */
  readonly takes: readonly Take[];
  /** Ceiling on the sum of the quotes of what this run submits, integer micro-dollars. */
  readonly approvedMicroUsd: number;
  /** Over the lockfile's whole life, integer micro-dollars. */
  readonly budgetMicroUsd?: number | undefined;
  /** Ids of all attempts that were known when it was decided what to buy. */
  readonly known: ReadonlySet<string>;
  readonly keySeal: KeySeal;
  readonly limits?: RateLimits;
  /** Requests under way at most; absent: as many as the scheduler likes. */
  readonly requestsMax?: number | undefined;
  readonly settings: RunSettings;
  readonly output: Output;
  readonly rescue: Rescue;
  /** See `RunContext.audio`. */
  readonly audio?: AudioStore | undefined;
  /** Aborted by the first Ctrl-C: nothing more is submitted, and the run ends once the answers under way are recorded. */
  readonly stop: AbortSignal;
  readonly emit: (event: RunEvent) => void;
}

export interface RunOutcome {
  readonly troubles: ReadonlySet<Trouble>;
  readonly spentMicroUsd: number;
  /** Files stored by this run. */
  readonly madeCount: number;
}

/**
 * Buys, collects, stores and cleans up until nothing is left to do, or until it has to stop. Everything that
 * happened is in the lockfile; what it could not finish, the next run does.
 */
export async function execute(input: RunInput): Promise<RunOutcome> {
  const { ports, settings } = input;
  const scheduler = createScheduler({
    ...(settings.concurrency === undefined ? {} : { concurrency: settings.concurrency }),
    ...(input.requestsMax === undefined ? {} : { requestsMax: input.requestsMax }),
    keep: settings.keep,
    history: runTimes(input.store),
    routes: routeHistories([...input.store.attempts.values()], ports.clock.nowMs()),
    nowMs: ports.clock.nowMs(),
  });
  if (input.limits !== undefined) scheduler.limits(input.limits);
  const context = contextOf(input, scheduler);
  if ([...input.store.attempts.values()].some(isInDoubt)) scheduler.submitSingly();
  const takes = takesOf(input.takes);
  const jobs = enlist(input, takes, scheduler, ports.clock.nowMs());
  for (const job of jobs.values()) tellResumed(context, job);
  if (settings.keep) await settleKept(context, jobs);
  if (jobs.size > 0 || input.store.sharing !== undefined) await loop(context, jobs, takes);
  return {
    troubles: context.troubles,
    spentMicroUsd: context.ceiling.spentMicroUsd(),
    madeCount: context.made.size,
  };
}

function contextOf(input: RunInput, scheduler: Scheduler): RunContext {
  const { ports, client, store, checkLock, settings, output, rescue, keySeal, stop, emit } = input;
  return {
    ports,
    client,
    store,
    checkLock,
    settings,
    output,
    keySeal,
    rescue,
    audio: input.audio,
    limits: { budgetMicroUsd: input.budgetMicroUsd, known: input.known },
    stop,
    emit,
    scheduler,
    ceiling: createCeiling({
      approvedMicroUsd: input.approvedMicroUsd,
      budgetMicroUsd: input.budgetMicroUsd,
      spentBeforeMicroUsd: spentMicroUsd(store.attempts.values()),
    }),
    prices: createPrices(client, ports.clock, (model, result) =>
      scheduler.answered(model, paceOf(result), ports.clock.nowMs()),
    ),
    troubles: new Set(),
    readyFolders: new Set(),
    buying: true,
    made: new Set(),
    queueIds: new Set([...store.attempts.values()].flatMap(({ queue_id }) => queue_id ?? [])),
    closedModels: new Map(),
    serverErrors: createServerErrors(),
    otherModels: new Set(),
    remoteLeftTold: false,
    takenTold: false,
    followOthers: () => {},
    limitsRecorded: {},
    troubleToldMs: Number.NEGATIVE_INFINITY,
    inDoubtInARow: lostAnswers(store.attempts.values()).latest,
    notSentInARow: 0,
    halt: new AbortController(),
  };
}

/** With `--keep` a stored file owes nothing; an earlier run was ended before it could say so. */
async function settleKept(context: RunContext, jobs: ReadonlyMap<string, Job>): Promise<void> {
  for (const job of jobs.values()) {
    const { attempt } = job;
    if (attempt?.state !== 'stored') continue;
    const nowMs = context.ports.clock.nowMs();
    if (await isInCustody(context, job)) await finishJob(context, job);
    else if ((await fetchAgain(context, job, attempt)).kind === 'queued')
      context.scheduler.addInFlight(job.id, kindOf(attempt), queuedMs(attempt, nowMs), nowMs);
  }
}

async function loop(
  context: RunContext,
  jobs: Map<string, Job>,
  takes: ReadonlyMap<string, Take>,
): Promise<void> {
  const { clock } = context.ports;
  const wakeUp = createWakeUp(clock);
  const standings = createStandings(jobs.values());
  context.followOthers = followOthers(context, jobs, standings);
  const underWay = new Set<Promise<void>>();
  const submits = new Set<Promise<void>>();
  const endings = watchEndings(context, wakeUp.wake);
  const others = watchOtherRuns(
    context,
    (attempt) => {
      const job = enlistAttempt(context, jobs, takes, attempt);
      if (job !== undefined) standings.joined(standingOf(job));
    },
    wakeUp.wake,
  );
  let waitingTold = false;
  let toldMs = Number.NEGATIVE_INFINITY;
  /** Something was done that the last progress does not tell: it is told before a long sleep. */
  let untold = false;
  let cleaning = false;
  while (!context.halt.signal.aborted) {
    if (
      context.settings.detach &&
      submits.size === 0 &&
      !(context.buying && standings.counts.unsubmitted > 0)
    ) {
      stopAll(context, 'detached');
      break;
    }
    const nowMs = clock.nowMs();
    const action = context.scheduler.next(nowMs);
    if (nowMs - toldMs >= PROGRESS_EVERY_MS) {
      toldMs = nowMs;
      untold = false;
      tellProgress(context, standings, nowMs);
    }
    if (action.kind === 'finished' && underWay.size === 0) {
      if (!others.areBusy()) break;
      if (!waitingTold) tellWaiting(context);
      waitingTold = true;
    }
    if (!cleaning && onlyCleanUpsLeft(standings)) {
      cleaning = true;
      context.emit({ type: 'phase', time: new Date(nowMs).toISOString(), phase: 'clean_up' });
    }
    if (action.kind === 'finished' || action.kind === 'wait') {
      const untilMs = action.kind === 'wait' ? action.untilMs : Number.POSITIVE_INFINITY;
      await wakeUp.orUntil(untold ? Math.min(untilMs, toldMs + PROGRESS_EVERY_MS) : untilMs);
      continue;
    }
    const work = perform(context, jobs, standings, action)
      .catch((fault: unknown) => {
        context.fault = fault;
        context.halt.abort();
      })
      .finally(() => {
        underWay.delete(work);
        submits.delete(work);
        untold = true;
        wakeUp.wake();
      });
    underWay.add(work);
    if (action.kind === 'submit') submits.add(work);
  }
  // An answer under way is never abandoned: it may be the only word of a charge.
  await Promise.all(underWay);
  endings();
  others.close();
  wakeUp.close();
  if (context.fault !== undefined) throw context.fault;
  tellProgress(context, standings, clock.nowMs());
}

async function perform(
  context: RunContext,
  jobs: ReadonlyMap<string, Job>,
  standings: Standings,
  action: Exclude<Action, { kind: 'wait' | 'finished' }>,
): Promise<void> {
  const job = jobs.get(action.job);
  if (job === undefined) throw new Error(`the scheduler named an unknown job: ${action.job}`);
  const before = standingOf(job);
  const settled = await step(context, job, action.kind);
  job.over = settled.kind === 'gone';
  standings.moved(before, standingOf(job));
  context.scheduler.settled(job.id, settled, context.ports.clock.nowMs());
}

function step(context: RunContext, job: Job, kind: 'submit' | 'poll' | 'complete'): Promise<Settled> {
  switch (kind) {
    case 'submit':
      return submitJob(context, job);
    case 'poll':
      return pollJob(context, job);
    case 'complete':
      return cleanUpJob(context, job);
    default:
      return unreachable(kind);
  }
}

function onlyCleanUpsLeft({ counts }: Standings): boolean {
  return counts.unsubmitted === 0 && counts.active === 0;
}

/** Ctrl-C and `--timeout` end the run from outside. Returns what takes the watch away. */
function watchEndings(context: RunContext, wake: () => void): () => void {
  const interrupted = () => {
    stopAll(context, 'interrupted');
    wake();
  };
  if (context.stop.aborted) interrupted();
  context.stop.addEventListener('abort', interrupted, { once: true });
  const over = new AbortController();
  const { timeoutMs } = context.settings;
  if (timeoutMs !== undefined)
    void context.ports.clock.sleep(timeoutMs, over.signal).then(() => {
      if (over.signal.aborted) return;
      stopAll(context, 'timeout');
      wake();
    });
  return () => {
    context.stop.removeEventListener('abort', interrupted);
    over.abort();
  };
}
