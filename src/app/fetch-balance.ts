import type { Diagnostic } from '../core/diagnostic.js';
import { CURRENCIES } from '../core/money.js';
import type { Clock } from '../core/ports.js';
import { retryUntilAnswered } from '../run/gather.js';
import type { Account, Balance, CallFailure, VeniceClient } from '../venice/client.js';

/** The balance is only used to refuse early, so do not wait longer for it. */
const PATIENCE_MS = 10_000;

export interface FetchedBalance {
  /** Absent if it could not be fetched: buying does not need it. */
  readonly balance?: Balance;
  /** Why it is unknown. */
  readonly diagnostics: readonly Diagnostic[];
  /** The key itself is invalid, so every other request would be refused too. */
  readonly keyRefused: boolean;
}

export const NOT_FETCHED: FetchedBalance = { diagnostics: [], keyRefused: false };

/**
 * Fetches what can be spent, with a short timeout: what any key may read about itself, and also the account's balances
 * if the key may see them. One response is enough; a key is bad only if both routes say so.
 */
export async function fetchBalance(
  client: Pick<VeniceClient, 'balance' | 'accountBalance'>,
  clock: Clock,
  account: Account,
  stop?: AbortSignal,
): Promise<FetchedBalance> {
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

/** An INFERENCE key is refused there, and each refusal counts against its error budget. A wallet has no account. */
function mayReadBilling({ kind, id }: Account): boolean {
  return kind === 'api_key' && !id.startsWith('VENICE_INFERENCE_KEY_');
}

/**
 * The key's own response decides whether it may buy. For a balance in both responses the lower amount counts, because a key
 * may have its own limit.
 */
function merged(own: Balance, whole: Balance): Balance {
  const permitted = own.permitted ?? whole.permitted;
  const currencies = CURRENCIES.flatMap((currency) => {
    const amounts = [own.currencies[currency], whole.currencies[currency]].filter(
      (amount) => amount !== undefined,
    );
    return amounts.length === 0 ? [] : [[currency, Math.min(...amounts)] as const];
  });
  return { ...own, permitted, currencies: Object.fromEntries(currencies) };
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
