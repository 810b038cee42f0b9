import type { World } from '../app/world.js';
import { formatUsd, MICRO_USD_PER_USD, microUsdFromUsd } from '../core/money.js';
import type { Plan } from '../plan/plan.js';
import { isPriced } from '../plan/plan.js';
import { renderPlan } from '../report/plan-text.js';
import type { Session } from '../session/session.js';
import type { Balance } from '../venice/client.js';
import { ask } from './read-answer.js';

/** From this amount on the user has to type the total, because `yes` is typed too easily. */
const LARGE_MICRO_USD = 20 * MICRO_USD_PER_USD;

/**
 * Shows the plan and accepts a typed `yes`, `--yes`, or a saved plan (approved when it was saved). Anything else buys
 * nothing.
 */
export function createApprove(session: Session, stop: AbortSignal): World['approve'] {
  const { settings, stderr } = session;
  return async (plan, balance) => {
    showPlan(session, plan, balance);
    if (settings.flags.yes === true || settings.flags.plan !== undefined)
      return settings.sandbox || plan.budgetMicroUsd !== undefined ? 'unattended' : 'no_budget';
    if (process.stdin.isTTY !== true || !stderr.isTty) return 'no_terminal';
    const answer = await ask(process.stdin, stderr.write, questionFor(plan.totalMicroUsd), stop);
    return isApproval(answer, plan.totalMicroUsd) ? 'approved' : 'declined';
  };
}

function questionFor(totalMicroUsd: number): string {
  const word = totalMicroUsd < LARGE_MICRO_USD ? '"yes"' : `the total, ${formatUsd(totalMicroUsd).slice(1)},`;
  return `\nType ${word} to buy; anything else cancels: `;
}

/** Whether a lower-case line approves a total in integer micro-dollars. Pure. */
export function isApproval(answer: string, totalMicroUsd: number): boolean {
  if (totalMicroUsd < LARGE_MICRO_USD) return answer === 'yes';
  const amount = /^\$?\d[\d,]*(\.\d+)?$/.test(answer) ? Number(answer.replace(/[$,]/g, '')) : Number.NaN;
  return microUsdFromUsd(amount) === totalMicroUsd;
}

/** Shows the plan, or, if errors prevented one, says so below them. */
export function showPlan(session: Session, plan: Plan, balance: Balance | undefined): void {
  const { stderr, settings, endpoint, placeOf } = session;
  const text = renderPlan(plan, {
    balance,
    endpoint,
    placeOf,
    sandbox: settings.sandbox,
    color: stderr.color,
    width: stderr.columns,
    verbose: false,
  });
  stderr.write(isPriced(plan) ? text : `\n${text}`);
}
