import { unreachable } from '../core/errors.js';
import type { Attempt } from '../lockfile/attempt.js';
import { LOST_IN_A_ROW_MAX } from '../plan/lost-responses.js';
import type { Settled } from '../scheduler/scheduler.js';
import { classifySubmit, type SubmitOutcome } from '../venice/submit-outcome.js';
import { claim } from './claim.js';
import { closeModel } from './close-model.js';
import type { Job, RunContext } from './context.js';
import { emitTake, observeRate, stopBuying } from './context.js';
import { currentPrice } from './current-price.js';
import { mayStillSubmit } from './final-check.js';
import { recordOutcome } from './record.js';
import { stopRefused, stopUnreachable } from './stop-submits.js';
import { warnOfQueueId, warnOtherModel } from './submit-warnings.js';
import { intentOf } from './transition.js';

/** How often a take is postponed because of a 429, a 503 or a failed connection before it is left for the next run. */
const POSTPONEMENTS_MAX = 8;
/**
 * The same if its model is offline, because that does not end within minutes. With pauses, this many tries take about
 * one minute.
 */
const OFFLINE_POSTPONEMENTS_MAX = 3;
const NOT_SENT_IN_A_ROW_MAX = 5;

const GONE: Settled = { kind: 'gone' };

/**
 * Submits one take: intent durable, then the one request, then its outcome durable. Never sends twice on a guess:
 * anything that may have been charged is recorded as in doubt, for the user to resolve.
 */
export async function submitJob(context: RunContext, job: Job): Promise<Settled> {
  const purchase = job.purchase;
  if (purchase === undefined || context.closedModels.has(purchase.request.model))
    return { kind: 'gone', unsent: true };
  const priceMicroUsd = await currentPrice(context, job);
  if (typeof priceMicroUsd !== 'number') return priceMicroUsd;
  const room = context.ceiling.reserve(priceMicroUsd);
  if (room !== 'reserved') {
    stopBuying(context, 'over_budget');
    return GONE;
  }
  const attempt = Buffer.from(context.ports.random.bytes(16)).toString('hex');
  const intent = intentOf(purchase, {
    attempt,
    key: context.keySignature.of({ attempt }),
    quoteMicroUsd: priceMicroUsd,
    nowMs: context.ports.clock.nowMs(),
  });
  if (!(await claim(context, job, intent))) {
    context.ceiling.release(priceMicroUsd);
    return { kind: 'gone', unsent: true };
  }
  job.attempt = intent;
  const may = await mayStillSubmit(context);
  // If buying has ended meanwhile for any reason, do not send it.
  if (!may || context.stop.aborted || !context.buying)
    return withdraw(context, job, intent, { code: 'stopped', message: 'stopped before it was sent' });
  if (!context.prices.isFresh(purchase.quote))
    return withdraw(context, job, intent, {
      code: 'price-stale',
      message: 'the price must be quoted again',
    });
  const nowMs = context.ports.clock.nowMs();
  const notBeforeMs = context.scheduler.pausedUntilMs(job.id, nowMs);
  if (notBeforeMs !== undefined)
    return withdraw(context, job, intent, {
      code: 'not_sent',
      message: `not sent yet: the service asked for a pause of ${Math.ceil((notBeforeMs - nowMs) / 1_000)} s`,
      notBeforeMs,
    });
  job.postponed = undefined;
  emitTake(context, job, 'submitting');
  const result = await context.client.queue(purchase.request);
  observeRate(context, job, purchase.request.model, result);
  return conclude(context, job, doubtIfIdIsKnown(context, classifySubmit(result)));
}

/** Takes back an intent whose request has not left: nothing was charged, and the take may be submitted again. */
async function withdraw(
  context: RunContext,
  job: Job,
  intent: Attempt,
  { notBeforeMs, ...why }: { readonly code: string; readonly message: string; readonly notBeforeMs?: number },
): Promise<Settled> {
  const outcome = { kind: 'not_sent', ...why } as const;
  if (await recordOutcome(context, job, { kind: 'submitted', outcome }))
    context.ceiling.release(intent.quote_micro_usd);
  const nowMs = context.ports.clock.nowMs();
  return { ...postpone(context, job, outcome, notBeforeMs ?? nowMs + 2_000), unsent: true };
}

/** An id that another attempt has cannot be the id of a new job: what was charged is not known then. */
function doubtIfIdIsKnown(context: RunContext, outcome: SubmitOutcome): SubmitOutcome {
  if (outcome.kind !== 'accepted') return outcome;
  const { queueId } = outcome.queued;
  if (!context.queueIds.has(queueId)) {
    context.queueIds.add(queueId);
    return outcome;
  }
  const message = `the service returned the queue_id of another job (${queueId})`;
  return { kind: 'in_doubt', code: 'queue-id-taken', message };
}

async function conclude(context: RunContext, job: Job, outcome: SubmitOutcome): Promise<Settled> {
  const intent = job.attempt;
  if (intent === undefined) return GONE;
  const nowMs = context.ports.clock.nowMs();
  // Counted before it is recorded: until then another submit may be about to be sent.
  context.inDoubtInARow =
    outcome.kind === 'in_doubt'
      ? context.inDoubtInARow + 1
      : outcome.kind === 'accepted'
        ? 0
        : context.inDoubtInARow;
  if (context.inDoubtInARow >= LOST_IN_A_ROW_MAX) stopBuying(context, 'responses_lost');
  const known = await recordOutcome(context, job, { kind: 'submitted', outcome });
  context.notSentInARow = outcome.kind === 'not_sent' ? context.notSentInARow + 1 : 0;
  switch (outcome.kind) {
    case 'accepted':
      job.failures = 0;
      job.lastRunningMs = nowMs;
      context.closedModels.delete(intent.model);
      emitTake(context, job, 'queued', expectation(context, job));
      warnOtherModel(context, job.key, intent.model, outcome.queued.model);
      return known ? { kind: 'queued' } : GONE;
    case 'in_doubt':
      emitTake(context, job, 'in_doubt', outcomeDetails(outcome));
      warnOfQueueId(context, job.key, intent.attempt, outcome);
      context.scheduler.submitSingly();
      if (context.settings.failFast) stopBuying(context, 'fail_fast');
      return GONE;
    case 'not_sent':
      if (known) context.ceiling.release(intent.quote_micro_usd);
      if (context.notSentInARow >= NOT_SENT_IN_A_ROW_MAX)
        stopUnreachable(context, `${outcome.message}, several times in a row`);
      return postpone(context, job, outcome, nowMs + 2_000 * 2 ** Math.min(job.failures, 5));
    case 'refused':
      if (known) context.ceiling.release(intent.quote_micro_usd);
      return afterRefusal(context, job, outcome);
    default:
      return unreachable(outcome);
  }
}

function afterRefusal(context: RunContext, job: Job, outcome: SubmitOutcome & { kind: 'refused' }): Settled {
  const details = outcomeDetails(outcome);
  switch (outcome.next) {
    case 'wait': {
      const nowMs = context.ports.clock.nowMs();
      const pauseMs = (outcome.rate.retryAfterSeconds ?? 0) * 1_000;
      // The scheduler handles the request limit; a busy model or wallet only concerns this job.
      const isBusy =
        outcome.status === 503 || outcome.meaning === 'overloaded' || outcome.meaning === 'wallet_busy';
      const backOffMs = isBusy ? 10_000 * 2 ** Math.min(job.failures, 3) : 0;
      return postpone(context, job, outcome, nowMs + (pauseMs > 0 ? pauseMs : backOffMs));
    }
    case 'stop':
      emitTake(context, job, 'rejected', details);
      if (outcome.status === 402) stopBuying(context, 'balance');
      else stopRefused(context, outcome);
      return GONE;
    case 'close_model':
      emitTake(context, job, 'rejected', details);
      closeModel(context, modelOf(job), 'refused', outcome);
      return GONE;
    case 'reject':
      emitTake(context, job, 'rejected', {
        ...details,
        ...(outcome.suggestedPrompt === undefined ? {} : { suggested_prompt: outcome.suggestedPrompt }),
      });
      if (outcome.status === 404 || outcome.status === 410)
        closeModel(context, modelOf(job), 'retired', outcome);
      if (context.settings.failFast) stopBuying(context, 'fail_fast');
      return GONE;
    default:
      return unreachable(outcome.next);
  }
}

function postpone(
  context: RunContext,
  job: Job,
  outcome: SubmitOutcome & { kind: 'refused' | 'not_sent' },
  notBeforeMs: number,
): Settled & { readonly kind: 'again' | 'gone' } {
  job.failures += 1;
  const details = outcomeDetails(outcome);
  const refusal = outcome.kind === 'refused' ? outcome : undefined;
  const isOffline = refusal?.meaning === 'offline';
  const triesMax = isOffline ? OFFLINE_POSTPONEMENTS_MAX : POSTPONEMENTS_MAX;
  const model = modelOf(job);
  const refusals = refusal === undefined ? 0 : context.scheduler.refusalsInARow(job.id);
  if (refusal !== undefined && (refusals > triesMax || (isOffline && job.failures > triesMax)))
    closeModel(context, model, isOffline ? 'offline' : 'busy', refusal);
  if (job.failures > triesMax || context.closedModels.has(model)) {
    context.stopReasons.add('unavailable');
    job.postponed = undefined;
    emitTake(context, job, 'rejected', details);
    return { kind: 'gone' };
  }
  // However it came to wait: if the run ends first, its end is reported too.
  job.postponed = details;
  emitTake(context, job, 'waiting', details);
  return { kind: 'again', notBeforeMs };
}

function modelOf({ purchase }: Job): string {
  return purchase?.request.model ?? '';
}

function outcomeDetails(outcome: { status?: number; code: string; message: string }) {
  return {
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    code: outcome.code,
    message: outcome.message,
  };
}

export function expectation(context: RunContext, job: Job): { expected_ms?: number } {
  const expectedMs = context.scheduler.estimate(context.ports.clock.nowMs()).expectedRunMs(job.id);
  if (expectedMs === undefined) return {};
  job.expectationReported = true;
  return { expected_ms: Math.round(expectedMs) };
}
