import { checksumAddress, signerOf } from '../core/ethereum.js';
import { MICRO_USD_PER_USD } from '../core/money.js';
import type { Charge, CurrencyAmounts } from './billing.js';
import { json, refuse, type ServiceAnswer, type ServiceRequest } from './service-response.js';

/*
 * Wallets (x402): each request is signed separately (EIP-4361 over EIP-191), and a signature is valid for one request.
 */

const HEADER = 'sign-in-with-x';
const CHAIN_ID = 8453;
const AGE_MS_MAX = 5 * 60_000;
const AHEAD_MS_MAX = 30_000;
const NONCES_MAX = 10_000;
const IN_FLIGHT_MAX = 5;
/** A wallet with less than this cannot buy. */
const BALANCE_MICRO_USD_MIN = 100_000;
const TOP_UP = { minimumTopUpUsd: 5, suggestedTopUpUsd: 10 } as const;

export type SignedIn =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly answer: ServiceAnswer };

export interface Wallets {
  /** The signer of this request; `undefined` if it has no signature. Uses up its nonce. */
  signedIn(request: ServiceRequest, nowMs: number): SignedIn | undefined;
  /** Counts a request as in flight until its response has ended. Refuses if there are too many. */
  inFlight(address: string, answer: () => ServiceAnswer): ServiceAnswer;
}

export function createWallets(): Wallets {
  /** When each was used, in ms. */
  const nonces = new Map<string, number>();
  const inFlight = new Map<string, number>();
  const useUp = (nonce: string, nowMs: number): boolean => {
    if (nonces.has(nonce)) return false;
    if (nonces.size >= NONCES_MAX)
      for (const [old, usedMs] of nonces) if (nowMs - usedMs > 2 * AGE_MS_MAX) nonces.delete(old);
    nonces.set(nonce, nowMs);
    return true;
  };
  return {
    signedIn(request, nowMs) {
      const header = request.headers[HEADER];
      if (header === undefined) return undefined;
      const message = readHeader(header);
      if (message === undefined) return denied('MALFORMED', 'The sign-in header could not be read');
      if (!useUp(message.nonce, nowMs)) return denied('NONCE_REUSED', 'The nonce was used before');
      const fault = faultOf(message, request, nowMs);
      return fault === undefined ? { ok: true, address: message.address } : denied(...fault);
    },
    inFlight(address, answer) {
      const before = inFlight.get(address) ?? 0;
      if (before >= IN_FLIGHT_MAX)
        return refuse(429, 'Too many requests of this wallet in flight', { code: 'X402_CONCURRENCY_LIMIT' });
      const given = answer();
      inFlight.set(address, before + 1);
      let isOver = false;
      const over = () => {
        if (isOver) return;
        isOver = true;
        inFlight.set(address, inFlight.get(address)! - 1);
      };
      return { ...given, over };
    },
  };
}

function denied(code: string, message: string): SignedIn {
  return { ok: false, answer: refuse(401, message, { code: `X402_SIGN_IN_${code}` }) };
}

interface SignInMessage {
  readonly address: string;
  readonly text: string;
  readonly signature: string;
  readonly url: string;
  readonly nonce: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

const TEXT =
  /^api\.venice\.ai wants you to sign in with your Ethereum account:\n(0x[0-9a-fA-F]{40})\n\nSign in to Venice AI\n\nURI: (\S+)\nVersion: 1\nChain ID: 8453\nNonce: ([0-9a-f]{16})\nIssued At: (\S+)\nExpiration Time: (\S+)$/;

function readHeader(header: string): SignInMessage | undefined {
  const sent = parse(Buffer.from(header, 'base64').toString('utf8'));
  const { address, message, signature, chainId } = (sent ?? {}) as Record<string, unknown>;
  if (typeof address !== 'string' || typeof message !== 'string' || typeof signature !== 'string')
    return undefined;
  const parts = TEXT.exec(message);
  if (chainId !== CHAIN_ID || parts === null || parts[1] !== address) return undefined;
  const [issuedMs, expiresMs] = [Date.parse(parts[4]!), Date.parse(parts[5]!)];
  if (Number.isNaN(issuedMs) || Number.isNaN(expiresMs)) return undefined;
  return { address, text: message, signature, url: parts[2]!, nonce: parts[3]!, issuedMs, expiresMs };
}

function faultOf(
  { address, text, signature, url, issuedMs, expiresMs }: SignInMessage,
  { path }: ServiceRequest,
  nowMs: number,
): [string, string] | undefined {
  if (checksumAddress(address) !== address) return ['INVALID_ADDRESS', 'The address has a wrong checksum'];
  // Behind a proxy the server's own address may differ, so only the path distinguishes requests.
  if (!URL.canParse(url) || !url.endsWith(path))
    return ['URI_MISMATCH', 'The URI is that of another request'];
  if (issuedMs - nowMs > AHEAD_MS_MAX) return ['NOT_YET_VALID', 'The message is dated in the future'];
  if (nowMs - issuedMs > AGE_MS_MAX || nowMs > expiresMs) return ['EXPIRED', 'The message has expired'];
  if (expiresMs - issuedMs > AGE_MS_MAX) return ['INVALID_EXPIRATION', 'The message is valid for too long'];
  if (signerOf(text, signature) !== address)
    return ['INVALID_SIGNATURE', 'The signature is not of this address'];
  return undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The refusal for a wallet that has too little to buy anything; `undefined` if it has enough. */
export function tooPoor(leftMicroUsd: number): ServiceAnswer | undefined {
  if (leftMicroUsd >= BALANCE_MICRO_USD_MIN) return undefined;
  return json(402, {
    error: 'Payment required',
    code: 'PAYMENT_REQUIRED',
    currentBalanceUsd: leftMicroUsd / MICRO_USD_PER_USD,
    minimumBalanceUsd: BALANCE_MICRO_USD_MIN / MICRO_USD_PER_USD,
    ...TOP_UP,
  });
}

/** `GET /x402/balance/{wallet}`. Only a wallet that is linked to an account has DIEM. */
function walletBalance({ DIEM, USD }: CurrencyAmounts): ServiceAnswer {
  const diem = DIEM > 0 ? { diemBalanceUsd: DIEM / MICRO_USD_PER_USD } : {};
  const canConsume = DIEM + USD >= BALANCE_MICRO_USD_MIN;
  return json(200, { data: { balanceUsd: USD / MICRO_USD_PER_USD, canConsume, ...diem, ...TOP_UP } });
}

const ROUTE = /^\/x402\/(balance|transactions)\/(0x[0-9a-fA-F]{40})$/;

/** Whether a wallet may use this route: jobs, and its own data. */
export function takesWallet(path: string): boolean {
  return /^\/audio\/(queue|retrieve|complete)$/.test(path) || path.startsWith('/x402/');
}

/** The response of a wallet's own routes; `undefined` for another path. */
export function walletAnswer(
  {
    path,
    query,
    address,
  }: { readonly path: string; readonly query: URLSearchParams; readonly address: string },
  left: CurrencyAmounts,
  charges: readonly Charge[],
): ServiceAnswer | undefined {
  const [, route, owner] = ROUTE.exec(path) ?? [];
  if (route === undefined || owner === undefined) return undefined;
  if (checksumAddress(owner) !== address) return refuse(403, 'This wallet is not yours');
  return route === 'balance' ? walletBalance(left) : walletTransactions(charges, query);
}

/** `GET /x402/transactions/{wallet}`, newest first, without what was paid in DIEM. */
function walletTransactions(charges: readonly Charge[], query: URLSearchParams): ServiceAnswer {
  const limit = Math.min(100, wholeNumber(query.get('limit'), 50));
  const offset = wholeNumber(query.get('offset'), 0);
  const newestFirst = charges.filter(({ currency }) => currency !== 'DIEM').reverse();
  const transactions = newestFirst
    .slice(offset, offset + limit)
    .map(({ atMs, queueId, model, microUsd }) => ({
      id: `${queueId}:${microUsd < 0 ? 'refund' : 'charge'}`,
      amount: -microUsd / MICRO_USD_PER_USD,
      type: microUsd < 0 ? 'REFUND' : 'CHARGE',
      createdAt: new Date(atMs).toISOString(),
      requestId: queueId,
      modelId: model,
    }));
  const hasMore = offset + limit < newestFirst.length;
  return json(200, { data: { transactions, pagination: { limit, offset, hasMore } } });
}

function wholeNumber(text: string | null, otherwise: number): number {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : otherwise;
}
