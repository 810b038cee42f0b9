import type { Code } from '../core/codes.js';
import type { StopReason } from './stop-reason.js';

export interface StopNotice {
  /** `warning`: what the user asked for has happened. */
  readonly severity: 'error' | 'warning';
  readonly code: Code;
  readonly message: string;
  readonly hint: string;
}

/**
 * Why nothing more is submitted, for reasons that are not reported elsewhere, because the remaining takes did not fail.
 * `undefined` if the step that met the problem reported it in more detail.
 */
export function stopNotice(
  reason: StopReason,
  command: (verb: string, ...words: string[]) => string,
): StopNotice | undefined {
  switch (reason) {
    case 'responses_lost':
      return {
        severity: 'error',
        code: 'answers-lost',
        message:
          'the responses to three submits in a row were lost: nothing more is bought, in this run or later ones, until they are settled',
        hint: `to see what is known and settle them: ${command('resolve')}`,
      };
    case 'over_budget':
      return {
        severity: 'error',
        code: 'ceiling',
        message: 'the next take would exceed the approved total or the budget: nothing more is submitted',
        hint: `to see what is left to buy and what it costs: ${command('plan')}`,
      };
    case 'balance':
      return {
        severity: 'error',
        code: 'balance-spent',
        message: 'the service refused a purchase with 402, payment required: nothing more is submitted',
        hint: `top up the account or wallet, or raise the spend limit of the key, then: ${command('run')}`,
      };
    case 'fail_fast':
      return {
        severity: 'error',
        code: 'fail-fast',
        message: 'a take failed, and with --fail-fast nothing more is submitted',
        hint: `to buy the others: ${command('run')}`,
      };
    case 'timeout':
      return {
        severity: 'warning',
        code: 'timeout',
        message:
          'the --timeout was reached: nothing more is submitted, and takes in flight continue at the service',
        hint: `to continue: ${command('run')}`,
      };
    default:
      return undefined;
  }
}
