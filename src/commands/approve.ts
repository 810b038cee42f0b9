import type { Plan } from '../plan/plan.js';
import { isPriced, renderPlan } from '../report/plan-text.js';
import type { Balance } from '../venice/client.js';
import { ask } from './ask.js';
import type { World } from './run-batch.js';
import type { Session } from './session.js';

/** Shows the plan and takes a typed `yes`, `--yes`, or a saved plan (approved when it was saved). Anything else buys nothing. */
export function createApprove(session: Session, stop: AbortSignal): World['approve'] {
  const { settings, stderr } = session;
  return async (plan, balance) => {
    showPlan(session, plan, balance);
    if (settings.flags.yes === true || settings.flags.plan !== undefined)
      return settings.sandbox || plan.budgetMicroUsd !== undefined ? 'approved' : 'no_budget';
    if (process.stdin.isTTY !== true || !stderr.isTty) return 'no_terminal';
    return (await ask(
      process.stdin,
      stderr.write,
      '\nType yes to buy, anything else to leave it: ',
      stop,
    )) === 'yes'
      ? 'approved'
      : 'declined';
  };
}

/** The plan, or below the errors that kept it from being one, that it is none. */
export function showPlan(session: Session, plan: Plan, balance: Balance | undefined): void {
  const { stderr, settings, endpoint, placeOf } = session;
  const text = renderPlan(plan, {
    ...(balance === undefined ? {} : { balance }),
    endpoint,
    placeOf,
    sandbox: settings.sandbox,
    color: stderr.color,
    width: stderr.columns,
    verbose: false,
  });
  stderr.write(isPriced(plan) ? text : `\n${text}`);
}
