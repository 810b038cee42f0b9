import { emitNotice } from '../core/emit-notice.js';
import { EXIT, faultCode } from '../core/errors.js';
import type { StoreFault } from '../lockfile/lock-store.js';
import type { RunContext } from './context.js';
import { stopAll, stopBuying } from './context.js';
import type { StopReason } from './stop-reason.js';

/**
 * The last check before a submit is sent: whether this run still holds the lock, and the lockfile still has the intent.
 * Another run that took the lock may be buying the same take by now.
 */
export async function mayStillSubmit(context: RunContext): Promise<boolean> {
  try {
    const state = await context.checkLock();
    if (state === 'taken') {
      reportLockLost(context, state);
      return false;
    }
    await context.store.confirm();
    const fault = context.store.fault();
    // The lock may be gone because its folder is: that says what to do.
    if (state === 'gone' && fault?.kind !== 'displaced') {
      reportLockLost(context, state);
      return false;
    }
    if (fault === undefined) return true;
    reportStoreFault(context, fault);
  } catch (error) {
    stopAll(context, 'lockfile');
    const fault = faultCode(error) || 'error';
    emitNotice(
      context,
      'error',
      'lock-unreadable',
      `cannot check this run's lock and lockfile (${fault}): nothing more is submitted`,
      `once the folder can be read: ${context.settings.command('run')}`,
    );
  }
  return false;
}

function reportLockLost(context: RunContext, state: 'taken' | 'gone'): void {
  const first = !context.stopReasons.has('lock_lost');
  if (state === 'taken') stopAll(context, 'lock_lost');
  else stopBuying(context, 'lock_lost');
  if (!first) return;
  const message =
    state === 'taken'
      ? "another run took over this run's lock: this run ends"
      : 'the lock was deleted, so another run may begin at any time: nothing more is submitted';
  const hint =
    state === 'taken'
      ? `when the other run has ended: ${context.settings.command('run')}`
      : `to take the lock again and continue: ${context.settings.command('run')}`;
  emitNotice(context, 'error', state === 'taken' ? 'lock-taken' : 'lock-deleted', message, hint);
}

function nameOf(fault: StoreFault): StopReason {
  if (fault.kind === 'displaced') return 'lockfile_displaced';
  if (fault.kind === 'grown') return 'lockfile_grown';
  const { exitCode } = fault.error;
  if (exitCode === EXIT.authentication) return 'log_refused';
  return exitCode === EXIT.lockfile ? 'log_broken' : 'log_unavailable';
}

/** The lockfile was changed by others, or the shared log failed: buying ends, and paid audio is collected and kept. */
export function reportStoreFault(context: RunContext, fault: StoreFault): void {
  const name = nameOf(fault);
  const first = !context.stopReasons.has(name);
  stopBuying(context, name);
  if (!first) return;
  if (fault.kind !== 'grown') {
    const { code, message, hint } = fault.error;
    emitNotice(context, 'error', code, `${message}; nothing more is submitted`, hint);
    return;
  }
  emitNotice(
    context,
    'error',
    'lockfile-changed',
    'the lockfile was replaced during the run by one with attempts of another run: they are kept, and nothing more is submitted',
    `to see what is left to buy: ${context.settings.command('plan')}`,
  );
}
