import { MICRO_USD_PER_USD } from '../core/money.js';
import { refuse, type ServiceAnswer } from './service-response.js';

/** An API key that the service knows. */
export interface SandboxKey {
  readonly key: string;
  /** Its owner: jobs, balances and limits belong to the user. Default: a separate user. */
  readonly user?: string;
  /** `/billing/*` needs an ADMIN key. Default ADMIN. */
  readonly kind?: 'INFERENCE' | 'ADMIN';
  /** Rights that its owner lacks: an active subscription, access to the API, the Pro models, or the billing history. */
  readonly without?: readonly Right[];
  /** Models that it may use. Default: all. */
  readonly models?: readonly string[];
  /** The most that may ever be spent with it. */
  readonly spendLimit?: { readonly usd: number; readonly currency: 'USD' | 'DIEM' };
}

export type Right = 'subscription' | 'access' | 'pro' | 'history';

/** Checks for a request's key. */
export interface Keyring {
  lacks(key: string, right: Right): boolean;
  isAdmin(key: string): boolean;
  mayUse(key: string, model: string): boolean;
  /** What the key may still spend in that currency (`USD` covers all but DIEM), in integer micro-dollars. */
  leftMicroUsd(key: string, currency: 'USD' | 'DIEM', spentMicroUsd: number): number;
  /** The code of the refusal, if the key's limit does not cover earlier spending plus this amount. */
  overLimit(key: string, microUsd: number): string | undefined;
}

export function createKeyring(keys: ReadonlyMap<string, SandboxKey>): Keyring {
  return {
    lacks: (key, right) => keys.get(key)?.without?.includes(right) === true,
    isAdmin: (key) => keys.get(key)?.kind !== 'INFERENCE',
    mayUse: (key, model) => keys.get(key)?.models?.includes(model) !== false,
    leftMicroUsd(key, currency, spentMicroUsd) {
      const limit = keys.get(key)?.spendLimit;
      if (limit === undefined || limit.currency !== currency) return Number.POSITIVE_INFINITY;
      return Math.max(0, limit.usd * MICRO_USD_PER_USD - spentMicroUsd);
    },
    overLimit(key, microUsd) {
      const limit = keys.get(key)?.spendLimit;
      if (limit === undefined || microUsd <= limit.usd * MICRO_USD_PER_USD) return undefined;
      return `API_KEY_${limit.currency}_SPEND_LIMIT_EXCEEDED`;
    },
  };
}

/** The refusal for a known key that lacks the right for this request. */
export function denied(
  keyring: Keyring,
  key: string,
  path: string,
  adminOnly: boolean,
): ServiceAnswer | undefined {
  if (keyring.lacks(key, 'subscription')) return refuse(401, 'The subscription is not active');
  if (keyring.lacks(key, 'access')) return refuse(403, 'API access is disabled for this account');
  if (path.startsWith('/billing/') && adminOnly && !keyring.isAdmin(key))
    return refuse(401, 'Admin API key required');
  if (path === '/billing/usage-history' && keyring.lacks(key, 'history')) {
    return refuse(403, 'This API key may not read the billing history');
  }
  return undefined;
}
