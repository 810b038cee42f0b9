import { MICRO_USD_PER_USD } from '../money.js';
import { type Account, refuse, type ServiceAnswer } from './exchange.js';

/** An API key that the service knows. */
export interface SandboxKey {
  readonly key: string;
  /** What its owner lacks: an active subscription, access to the API, the Pro models, or the billing history. */
  readonly without?: readonly Right[];
  /** Most that may be spent under it, ever. */
  readonly spendLimit?: { readonly usd: number; readonly currency: 'USD' | 'DIEM' };
}

export type Right = 'subscription' | 'access' | 'pro' | 'history';

/** What a request asks of its key. */
export interface Keyring {
  lacks(account: Account, right: Right): boolean;
  /** The code of the refusal, if the key's limit does not cover what was spent before and this. */
  overLimit(account: Account, microUsd: number): string | undefined;
}

export function createKeyring(keys: ReadonlyMap<Account, SandboxKey>): Keyring {
  return {
    lacks: (account, right) => keys.get(account)?.without?.includes(right) === true,
    overLimit(account, microUsd) {
      const limit = keys.get(account)?.spendLimit;
      if (limit === undefined || microUsd <= limit.usd * MICRO_USD_PER_USD) return undefined;
      return `API_KEY_${limit.currency}_SPEND_LIMIT_EXCEEDED`;
    },
  };
}

/** The refusal of a key that is known, but may not ask for this. */
export function denied(keyring: Keyring, account: Account, path: string): ServiceAnswer | undefined {
  if (keyring.lacks(account, 'subscription')) return refuse(401, 'The subscription is not active');
  if (keyring.lacks(account, 'access')) return refuse(403, 'API access is disabled for this account');
  if (path === '/billing/usage-history' && keyring.lacks(account, 'history')) {
    return refuse(403, 'This API key may not read the billing history');
  }
  return undefined;
}
