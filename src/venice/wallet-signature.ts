import type { Wallet } from '../core/ports.js';

/*
 * Signing in with a wallet (x402): each request has its own signed message (EIP-4361), as documented at docs.venice.ai,
 * "x402 authentication".
 */

/** The chain that wallets pay on: Base. */
const CHAIN_ID = 8453;
/** Maximum that the service accepts. */
const VALID_MS = 5 * 60_000;

export const SIGN_IN_HEADER = 'sign-in-with-x';

/** Maximum number of jobs a wallet may have in flight; the service answers one more with 429. */
export const WALLET_REQUESTS_MAX = 5;

export interface SignInRequest {
  /** The full address of the request. */
  readonly url: string;
  /** 16 hex digits. Used up by one request, even by one that fails. */
  readonly nonce: string;
  /** In the service's time, ms since the Unix epoch. */
  readonly issuedAtMs: number;
}

/** The text to sign: lines joined by `\n`, without a final one. */
export function signInMessage(address: string, { url, nonce, issuedAtMs }: SignInRequest): string {
  return [
    'api.venice.ai wants you to sign in with your Ethereum account:',
    address,
    '',
    'Sign in to Venice AI',
    '',
    `URI: ${url}`,
    'Version: 1',
    `Chain ID: ${CHAIN_ID}`,
    `Nonce: ${nonce}`,
    `Issued At: ${new Date(issuedAtMs).toISOString()}`,
    `Expiration Time: ${new Date(issuedAtMs + VALID_MS).toISOString()}`,
  ].join('\n');
}

export function signInHeader(wallet: Wallet, request: SignInRequest): string {
  const message = signInMessage(wallet.address, request);
  const signed = { address: wallet.address, message, signature: wallet.sign(message), chainId: CHAIN_ID };
  return Buffer.from(JSON.stringify(signed)).toString('base64');
}
