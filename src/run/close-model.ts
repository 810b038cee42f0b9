import type { Code } from '../core/codes.js';
import { emitNotice } from '../core/emit-notice.js';
import { unreachable } from '../core/errors.js';
import type { Refused } from '../venice/retrieve-outcome.js';
import { type ClosedBecause, type Job, type RunContext, stopAll } from './context.js';
import { type ProgressCounts, progressOf } from './progress-state.js';
import type { StopReason } from './stop-reason.js';

/** Whether this key was refused the model, so that its takes cannot be collected either. */
export function isClosedToKey({ closedModels }: RunContext, model: string): boolean {
  return closedModels.get(model) === 'refused';
}

/**
 * A refused key or a balance below the minimum ends everything: no further request can succeed. A key that may not use
 * one model ends only that model's part.
 */
export function stopIfRefused(context: RunContext, model: string, { about, failure }: Refused): void {
  switch (about) {
    case 'model':
      closeModel(context, model, 'refused', failure);
      return;
    case 'key':
      stopAllOnce(context, 'authentication', [
        'authentication',
        `the service rejected the key (${failure.status}): ${failure.message}`,
        keyHint(failure.code, 'to collect what is paid for'),
      ]);
      return;
    case 'balance':
      stopAllOnce(context, 'balance', [
        'balance-spent',
        `the service says that the balance is too low (${failure.status}): ${failure.message}; what is in flight is left for the next run`,
        `top up the account or wallet, or raise the spend limit of the key, then: ${context.settings.command('collect')}`,
      ]);
      return;
    default:
      unreachable(about);
  }
}

/** Several requests may be in flight when the first of them is refused. */
function stopAllOnce(
  context: RunContext,
  reason: StopReason,
  [code, message, hint]: readonly [code: Code, message: string, hint: string],
): void {
  if (context.halt.signal.aborted && context.stopReasons.has(reason)) return;
  emitNotice(context, 'error', code, message, hint);
  context.stopReasons.add(reason);
  stopAll(context, reason);
}

/** What to do about a refused key, or about a wallet's signature. */
export function keyHint(code: string, purpose?: string): string {
  const again = ['run the same command again', ...(purpose === undefined ? [] : [purpose])].join(' ');
  return code.startsWith('X402_SIGN_IN_')
    ? `check the clock of this machine, and ${again}`
    : `set VENICE_API_KEY (or VENICE_WALLET_KEY) to a valid key, and ${again}`;
}

/** Submits nothing more to a model: each of its other takes would be refused too. Reported once for each model. */
export function closeModel(
  context: RunContext,
  model: string,
  because: ClosedBecause,
  { status, message }: { readonly status?: number; readonly message: string },
): void {
  const before = context.closedModels.get(model);
  if (before === 'refused' || before === because) return;
  context.closedModels.set(model, because);
  switch (because) {
    case 'refused':
      context.stopReasons.add('authentication');
      emitNotice(
        context,
        'error',
        'model-refused',
        `this key may not use ${model} (${status}): ${message}; other models continue`,
        'allow the model for this key, or set VENICE_API_KEY to a key that may use it, and run the same command again',
      );
      break;
    case 'retired':
      emitNotice(
        context,
        'error',
        'unknown-model',
        `the service does not offer ${model} (${status}): ${message}; nothing more is submitted to it`,
        `choose another model for its tracks: \`${context.settings.command('models')}\` lists them`,
      );
      break;
    case 'offline':
      emitNotice(
        context,
        'warning',
        'model-offline',
        `the service says that ${model} is offline: nothing more is submitted to it in this run`,
        'run again later, or choose another model for its tracks',
      );
      break;
    case 'busy':
      emitNotice(
        context,
        'warning',
        'given-up',
        `${model} refuses every submit (${status}): ${message}; nothing more is submitted to it in this run`,
        'run again later, or choose another model for its tracks',
      );
      break;
  }
  context.dropUnsubmitted(model);
}

/** See `RunContext.dropUnsubmitted`. */
export function createDrop(
  { scheduler }: Pick<RunContext, 'scheduler'>,
  jobs: ReadonlyMap<string, Job>,
  progressCounts: ProgressCounts,
): RunContext['dropUnsubmitted'] {
  return (model) => {
    for (const job of jobs.values()) {
      const before = progressOf(job);
      if (job.purchase?.request.model !== model || !scheduler.leave(job.id)) continue;
      job.over = true;
      progressCounts.moved(before, progressOf(job));
    }
  };
}
