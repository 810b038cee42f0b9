import type { Diagnostic } from '../diagnostic.js';
import type { Clock } from '../ports.js';
import { insist } from '../run/gather.js';
import type { Balance, CallFailure, VeniceClient } from '../venice/client.js';

/** The balance only helps to refuse early: it is not waited for longer. */
const PATIENCE_MS = 10_000;

export interface AskedBalance {
  /** Absent where it could not be asked: it is not needed to buy. */
  readonly balance?: Balance;
  /** Why it is unknown. */
  readonly diagnostics: readonly Diagnostic[];
  /** The key itself is no good: whatever else is asked will be refused. */
  readonly keyRefused: boolean;
}

export const UNASKED: AskedBalance = { diagnostics: [], keyRefused: false };

/**
 * Asks for the balance, with little patience. A key that may not see it may well buy: only one that is refused by
 * another route too is no key.
 */
export async function askBalance(
  client: VeniceClient,
  clock: Clock,
  stop?: AbortSignal,
): Promise<AskedBalance> {
  const asked = await insist(clock, () => client.balance(), stop, PATIENCE_MS);
  if (asked.ok) return { balance: asked.value, diagnostics: [], keyRefused: false };
  const keyRefused = asked.status === 401 && (await isRefused(client));
  return { diagnostics: [keyRefused ? keyRefusal(asked) : balanceUnknown(asked)], keyRefused };
}

async function isRefused(client: VeniceClient): Promise<boolean> {
  const limits = await client.rateLimits();
  return !limits.ok && limits.status === 401;
}

function keyRefusal(failure: CallFailure): Diagnostic {
  return {
    code: 'authentication',
    severity: 'error',
    message: `the service refuses the API key: ${failure.message}`,
    hint: 'set VENICE_API_KEY to a valid key, and run the same command again',
  };
}

function balanceUnknown(failure: CallFailure): Diagnostic {
  return {
    code: 'balance-unknown',
    severity: 'warning',
    message: `the balance cannot be asked for: ${failure.message}`,
    hint: 'nothing is held against the balance; the budget still is',
  };
}
