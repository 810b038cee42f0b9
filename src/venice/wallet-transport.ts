import pLimit from 'p-limit';
import type {
  Clock,
  Random,
  Transport,
  TransportAnswer,
  TransportNoAnswer,
  TransportRequest,
  Wallet,
} from '../core/ports.js';
import { SIGN_IN_HEADER, signInHeader, WALLET_REQUESTS_MAX } from './wallet-signature.js';

/** A smaller clock difference is ignored. */
const CLOCK_OFFSET_MS_MIN = 5_000;
const NONCE_BYTES = 8;

export interface WalletTransportOptions {
  readonly wallet: Wallet;
  /** Base URL of the API, without a trailing slash: each signature contains the full address. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A transport that signs each request for the wallet where the API requires it, with a fresh nonce, and keeps at most
 * five of them in flight. A request is in flight until its body has ended.
 */
export function signedTransport(inner: Transport, options: WalletTransportOptions): Transport {
  const { wallet, baseUrl, clock, random } = options;
  const limit = pLimit(WALLET_REQUESTS_MAX);
  /** How far the service's clock is ahead, in ms. It refuses requests issued half a minute ahead of it. */
  let aheadMs = 0;
  const learning: Transport = async (request) => {
    const answer = await inner(request);
    if (request.elsewhere === undefined) aheadMs = offsetOf(answer, clock.nowMs()) ?? aheadMs;
    return answer;
  };
  const sign = (request: TransportRequest): TransportRequest => {
    const signed = signInHeader(wallet, {
      url: baseUrl + request.path,
      nonce: Buffer.from(random.bytes(NONCE_BYTES)).toString('hex'),
      issuedAtMs: clock.nowMs() + aheadMs,
    });
    return { ...request, headers: { ...request.headers, [SIGN_IN_HEADER]: signed } };
  };
  /** A 401 precedes any charge, and its date may have just shown that the clock of this machine is wrong. */
  const sendSigned = async (request: TransportRequest) => {
    const signedMs = aheadMs;
    const answer = await learning(sign(request));
    const isRefused = answer.kind === 'answer' && answer.status === 401;
    if (!isRefused || Math.abs(aheadMs - signedMs) < CLOCK_OFFSET_MS_MIN) return answer;
    answer.discard();
    return learning(sign(request));
  };
  return (request) => {
    if (request.elsewhere !== undefined || !isSigned(request.path)) return learning(request);
    return new Promise((resolve) => {
      void limit(() => untilOver(sendSigned(request), resolve));
    });
  };
}

/** The routes that accept a wallet. The catalogue and quotes are public; billing and API keys are for accounts. */
function isSigned(path: string): boolean {
  return /^\/(audio\/(queue|retrieve|complete)|x402\/)/.test(path);
}

/** Passes the response on as soon as it is there. @returns when its body has ended in any way */
async function untilOver(
  asked: Promise<TransportAnswer | TransportNoAnswer>,
  resolve: (answer: TransportAnswer | TransportNoAnswer) => void,
): Promise<void> {
  const answer = await asked;
  if (answer.kind === 'no_answer') return resolve(answer);
  await new Promise<void>((over) => {
    const discard = () => {
      answer.discard();
      over();
    };
    resolve({ ...answer, body: watched(answer.body, over), discard });
  });
}

async function* watched(body: AsyncIterable<Uint8Array>, over: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    over();
  }
}

/** `undefined` if the response does not say. */
function offsetOf(answer: TransportAnswer | TransportNoAnswer, nowMs: number): number | undefined {
  const dateMs = answer.kind === 'answer' ? Date.parse(answer.headers.date ?? '') : Number.NaN;
  if (Number.isNaN(dateMs)) return undefined;
  return Math.abs(dateMs - nowMs) >= CLOCK_OFFSET_MS_MIN ? dateMs - nowMs : 0;
}
