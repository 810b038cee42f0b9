import { createInterface } from 'node:readline';
import type { Plan } from '../plan/plan.js';
import { renderPlan } from '../report/plan-text.js';
import type { Balance } from '../venice/client.js';
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
    return (await ask(stderr.write, 'Type yes to buy, anything else to leave it: ', stop)) === 'yes'
      ? 'approved'
      : 'declined';
  };
}

function showPlan(session: Session, plan: Plan, balance: Balance | undefined): void {
  const { stderr, settings, endpoint } = session;
  stderr.write(
    renderPlan(plan, {
      ...(balance === undefined ? {} : { balance }),
      endpoint,
      sandbox: settings.sandbox,
      color: stderr.color,
      width: stderr.columns,
      verbose: false,
    }),
  );
}

/** One line from the terminal, trimmed; empty when it ends or the run is interrupted meanwhile. */
function ask(write: (text: string) => void, question: string, stop: AbortSignal): Promise<string> {
  write(question);
  // Not a terminal interface: Ctrl-C must stay a signal to the process, not a key to readline.
  const lines = createInterface({ input: process.stdin, terminal: false });
  return new Promise((resolve) => {
    const done = (answer: string) => {
      stop.removeEventListener('abort', stopped);
      lines.close();
      process.stdin.pause();
      resolve(answer.trim().toLowerCase());
    };
    const stopped = () => done('');
    stop.addEventListener('abort', stopped, { once: true });
    lines.once('line', done);
    lines.once('close', () => done(''));
  });
}
