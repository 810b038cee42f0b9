import type { Diagnostic } from '../core/diagnostic.js';
import { CURRENCIES } from '../core/money.js';
import type { Clock } from '../core/ports.js';
import { retryUntilAnswered } from '../run/gather.js';
import type { Account, Balance, CallFailure, VeniceClient } from '../venice/client.js';

/** The balance only helps to refuse early: it is not waited for longer. */
const PATIENCE_MS = 10_000;

export interface AskedBalance {
  /** Absent where it could not be asked: it is not needed to buy. */
  readonly balance?: Balance;
  /** Why it is unknown. */
  readonly diagnostics: readonly Diagnostic[];
  /** The key itself is invalid, so every other request would be refused too. */
  readonly keyRefused: boolean;
}

export const UNASKED: AskedBalance = { diagnostics: [], keyRefused: false };

/**
 * Asks what can be spent, with little patience: first what any key may ask about itself, and beside it the account's
 * purses where the key may be one that sees them. An answer of one is enough; a key is bad only where both routes say so.
 */
export async function askBalance(
  client: Pick<VeniceClient, 'balance' | 'accountBalance'>,
  clock: Clock,
  account: Account,
  stop?: AbortSignal,
): Promise<AskedBalance> {
  const [own, whole] = await Promise.all([
    retryUntilAnswered(clock, () => client.balance(), stop, PATIENCE_MS),
    mayReadBilling(account)
      ? retryUntilAnswered(clock, () => client.accountBalance(), stop, PATIENCE_MS)
      : undefined,
  ]);
  const known = [own, whole].flatMap((result) => (result?.ok === true ? [result.value] : []));
  if (known.length > 0) return { balance: known.reduce(merged), diagnostics: [], keyRefused: false };
  const failure = own as CallFailure;
  const keyRefused = failure.status === 401 && (whole === undefined || (!whole.ok && whole.status === 401));
  return { diagnostics: [keyRefused ? keyRefusal(account, failure) : balanceUnknown(failure)], keyRefused };
}

/** An INFERENCE key is refused there, and a refusal counts against its error budget. A wallet has no account. */
function mayReadBilling({ kind, id }: Account): boolean {
  return kind === 'api_key' && !id.startsWith('VENICE_INFERENCE_KEY_');
}

/**
 * The key's own answer on whether it may buy counts. For a balance in both lists the lower amount
 * counts: a key may have its own limit.
 */
function merged(own: Balance, whole: Balance): Balance {
  const permitted = own.permitted ?? whole.permitted;
  const currencies = CURRENCIES.flatMap((currency) => {
    const amounts = [own.currencies[currency], whole.currencies[currency]].filter(
      (amount) => amount !== undefined,
    );
    return amounts.length === 0 ? [] : [[currency, Math.min(...amounts)] as const];
  });
  return { ...(permitted === undefined ? {} : { permitted }), currencies: Object.fromEntries(currencies) };
}

function keyRefusal({ kind }: Account, failure: CallFailure): Diagnostic {
  const name = kind === 'wallet' ? 'VENICE_WALLET_KEY' : 'VENICE_API_KEY';
  return {
    code: 'authentication',
    severity: 'error',
    message: `the service rejected the ${kind === 'wallet' ? 'wallet' : 'API key'}: ${failure.message}`,
    hint: `set ${name} to a valid key, and run the same command again`,
  };
}

function balanceUnknown(failure: CallFailure): Diagnostic {
  return {
    code: 'balance-unknown',
    severity: 'warning',
    message: `could not fetch the balance: ${failure.message}`,
    hint: 'the total is checked against the budget only',
  };
}
