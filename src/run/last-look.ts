import { faultCode } from '../errors.js';
import type { RunContext } from './context.js';
import { notice, stopAll, stopBuying } from './context.js';

/**
 * The last look before a submit leaves: whether the lock is still this run's. Another run that took it may be buying the
 * same take by now.
 */
export async function mayStillSubmit(context: RunContext): Promise<boolean> {
  try {
    const state = await context.checkLock();
    if (state === 'ours') return true;
    tellLost(context, state);
  } catch (error) {
    stopAll(context, 'lockfile');
    const fault = faultCode(error) || 'error';
    notice(
      context,
      'error',
      'lock-unreadable',
      `cannot read this run's lock (${fault}): nothing more is submitted`,
      `once the folder can be read: ${context.settings.command('run')}`,
    );
  }
  return false;
}

function tellLost(context: RunContext, state: 'taken' | 'gone'): void {
  const first = !context.troubles.has('lock_lost');
  if (state === 'taken') stopAll(context, 'lock_lost');
  else stopBuying(context, 'lock_lost');
  if (!first) return;
  const message =
    state === 'taken'
      ? "another run took over this run's lock: this run ends"
      : 'the lock was deleted, and this system does not keep other runs out without it: nothing more is submitted';
  const hint =
    state === 'taken'
      ? `when the other run has ended: ${context.settings.command('run')}`
      : `to take the lock again and go on: ${context.settings.command('run')}`;
  notice(context, 'error', state === 'taken' ? 'lock-taken' : 'lock-deleted', message, hint);
}
