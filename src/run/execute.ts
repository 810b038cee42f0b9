import { unreachable } from '../core/errors.js';
import { foldName } from '../core/file-name.js';
import { type AttemptState, spentMicroUsd } from '../lockfile/attempt.js';
import type { Take } from '../manifest/take.js';
import { isInDoubt } from '../plan/history.js';
import { countLostAnswers } from '../plan/lost-responses.js';
import type { Purchase } from '../plan/plan.js';
import { createScheduler } from '../scheduler/create-scheduler.js';
import type { RateLimiter } from '../scheduler/rate-limiter.js';
import { routeHistories } from '../scheduler/route-history.js';
import type { Action, Scheduler, Settled } from '../scheduler/scheduler.js';
import type { RateLimits } from '../venice/client.js';
import { cleanUpJob, settleKept } from './clean-up.js';
import { createDrop } from './close-model.js';
import type { Job, RunContext } from './context.js';
import { emitTake, stopAll } from './context.js';
import { addAttempt, createJobs, takesOf } from './create-jobs.js';
import { paceOf } from './gather.js';
import { kindOf, queuedMs, runTimes } from './job-kind.js';
import { watchOtherRuns } from './other-runs.js';
import { emitResumed, pollJob } from './poll.js';
import { createPrices } from './prices.js';
import { emitProgress } from './progress.js';
import { countProgress, onlyCleanUpsLeft, type ProgressCounts, progressOf } from './progress-state.js';
import { createServerErrors } from './server-errors.js';
import { followOthers } from './share-limits.js';
import { createCeiling } from './spend-limit.js';
import type { StopReason } from './stop-reason.js';
import { submitJob } from './submit.js';
import { createWakeUp } from './wake-up.js';

const PROGRESS_EVERY_MS = 200;

export interface RunInput
  extends Pick<
    RunContext,
    | 'ports'
    | 'client'
    | 'store'
    | 'checkLock'
    | 'keySignature'
    | 'settings'
    | 'output'
    | 'rescue'
    | 'audio'
    | 'stop'
    | 'emit'
  > {
  /** To be bought, in this order. Empty: only collect. */
  readonly purchases: readonly Purchase[];
  /** All takes of the manifest, to name what is collected and to know its path. */
  readonly takes: readonly Take[];
  /** Limit on the sum of the quotes of what this run submits, in integer micro-dollars. */
  readonly approvedMicroUsd: number;
  /** Over the lockfile's lifetime, in integer micro-dollars. */
  readonly budgetMicroUsd?: number | undefined;
  /** All attempts by id, with the states that they had when it was decided what to buy. */
  readonly known: ReadonlyMap<string, AttemptState>;
  readonly limits?: RateLimits;
  /** That earlier requests of this run went through. */
  readonly limiter?: RateLimiter | undefined;
  /** Requests in flight at most; absent: as many as the scheduler allows. */
  readonly requestsMax?: number | undefined;
  readonly halt?: AbortController | undefined;
}

export interface RunOutcome {
  readonly stopReasons: ReadonlySet<StopReason>;
  readonly spentMicroUsd: number;
  /** Files stored by this run. */
  readonly madeCount: number;
}

/**
 * Buys, collects, stores and cleans up until nothing is left to do, or until it has to stop. Everything that happened
 * is in the lockfile; the next run does what this one could not finish.
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
    limiter: input.limiter,
  });
  if (input.limits !== undefined) scheduler.limits(input.limits);
  const context = contextOf(input, scheduler);
  if ([...input.store.attempts.values()].some(isInDoubt)) scheduler.submitSingly();
  const takes = takesOf(input.takes);
  const jobs = createJobs(input, takes, scheduler, ports.clock.nowMs());
  for (const job of jobs.values()) emitResumed(context, job);
  for (const job of jobs.values()) await settleIfKept(context, job);
  if (jobs.size > 0 || input.store.sharing !== undefined) await loop(context, jobs, takes);
  return {
    stopReasons: context.stopReasons,
    spentMicroUsd: context.ceiling.spentMicroUsd(),
    madeCount: context.made.size,
  };
}

function contextOf(input: RunInput, scheduler: Scheduler): RunContext {
  const { ports, client, store, checkLock, settings, output, rescue, keySignature, stop, emit } = input;
  return {
    ports,
    client,
    store,
    checkLock,
    settings,
    output,
    keySignature,
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
    stopReasons: new Set(),
    readyFolders: new Set(),
    buying: true,
    made: new Set(),
    inStore: new Set(),
    queueIds: new Set([...store.attempts.values()].flatMap(({ queue_id }) => queue_id ?? [])),
    closedModels: new Map(),
    wantedStems: new Set(input.takes.map(({ stem }) => foldName(stem))),
    dropUnsubmitted: () => {},
    serverErrors: createServerErrors(),
    otherModels: new Set(),
    remoteLeftReported: false,
    takenReported: false,
    followOthers: () => {},
    limitsRecorded: {},
    troubleReportedMs: Number.NEGATIVE_INFINITY,
    inDoubtInARow: countLostAnswers(store.attempts.values()).latest,
    notSentInARow: 0,
    halt: input.halt ?? new AbortController(),
  };
}

/** An earlier run was ended before it could record that a stored file needs no clean-up. */
async function settleIfKept(context: RunContext, job: Job): Promise<void> {
  const { attempt } = job;
  if (!context.settings.keep || attempt?.state !== 'stored') return;
  if ((await settleKept(context, job)).kind !== 'queued') return;
  const nowMs = context.ports.clock.nowMs();
  context.scheduler.addInFlight(job.id, kindOf(attempt), queuedMs(attempt, nowMs), nowMs);
}

async function loop(
  context: RunContext,
  jobs: Map<string, Job>,
  takes: ReadonlyMap<string, Take>,
): Promise<void> {
  const { clock } = context.ports;
  const wakeUp = createWakeUp(clock);
  const progressCounts = countProgress(jobs.values());
  context.followOthers = followOthers(context, jobs, progressCounts);
  context.dropUnsubmitted = createDrop(context, jobs, progressCounts);
  const inFlight = new Set<Promise<void>>();
  const submits = new Set<Promise<void>>();
  /** Set if something happened since the last progress event. It is reported before a long sleep. */
  let unreported = false;
  const track = (started: Promise<void>): Promise<void> => {
    const work = started
      .catch((fault: unknown) => {
        context.fault = fault;
        context.halt.abort();
      })
      .finally(() => {
        inFlight.delete(work);
        submits.delete(work);
        unreported = true;
        wakeUp.wake();
      });
    inFlight.add(work);
    return work;
  };
  const endings = watchEndings(context, wakeUp.wake);
  const others = watchOtherRuns(
    context,
    (attempt) => {
      const job = addAttempt(context, jobs, takes, attempt);
      if (job === undefined) return;
      track(settleIfKept(context, job).then(() => progressCounts.joined(progressOf(job))));
    },
    wakeUp.wake,
  );
  let actions = 0;
  let reportedMs = Number.NEGATIVE_INFINITY;
  let cleaning = false;
  while (!context.halt.signal.aborted) {
    if (
      context.settings.detach &&
      submits.size === 0 &&
      !(context.buying && progressCounts.counts.unsubmitted > 0)
    ) {
      stopAll(context, 'detached');
      break;
    }
    const nowMs = clock.nowMs();
    const action = context.scheduler.next(nowMs);
    const isIdle = action.kind === 'finished' && inFlight.size === 0;
    if (isIdle) {
      const end = await others.atEnd(actions);
      if (end === 'over') break;
      unreported = true;
      if (end === 'looked') continue;
    }
    if (nowMs - reportedMs >= PROGRESS_EVERY_MS) {
      reportedMs = nowMs;
      unreported = false;
      emitProgress(context, progressCounts, nowMs, isIdle ? others.waitedFor() : undefined);
    }
    // What is taken over from another run has to be downloaded first.
    if (!cleaning && onlyCleanUpsLeft(progressCounts) && others.waitedFor() === undefined) {
      cleaning = true;
      context.emit({ type: 'phase', time: new Date(nowMs).toISOString(), phase: 'clean_up' });
    }
    if (action.kind === 'finished' || action.kind === 'wait') {
      const untilMs = action.kind === 'wait' ? action.untilMs : Number.POSITIVE_INFINITY;
      await wakeUp.orUntil(unreported ? Math.min(untilMs, reportedMs + PROGRESS_EVERY_MS) : untilMs);
      continue;
    }
    actions += 1;
    const work = track(perform(context, jobs, progressCounts, action));
    if (action.kind === 'submit') submits.add(work);
  }
  // A pending response is never abandoned: it may be the only evidence of a charge.
  await Promise.all(inFlight);
  // A run that was stopped did not wait for the end of a pause: the take is not bought, and not refused.
  for (const job of jobs.values())
    if (job.postponed !== undefined && !context.halt.signal.aborted)
      emitTake(context, job, 'rejected', job.postponed);
  endings();
  others.close();
  wakeUp.close();
  if (context.fault !== undefined) throw context.fault;
  emitProgress(context, progressCounts, clock.nowMs());
}

async function perform(
  context: RunContext,
  jobs: ReadonlyMap<string, Job>,
  progressCounts: ProgressCounts,
  action: Exclude<Action, { kind: 'wait' | 'finished' }>,
): Promise<void> {
  const job = jobs.get(action.job);
  if (job === undefined) throw new Error(`the scheduler named an unknown job: ${action.job}`);
  const before = progressOf(job);
  const settled = await step(context, job, action.kind);
  job.over = settled.kind === 'gone';
  progressCounts.moved(before, progressOf(job));
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

/** Ctrl-C and `--timeout` end the run from outside. Returns a function that stops watching. */
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
