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
import { SIGN_IN_HEADER, signInHeader, WALLET_REQUESTS_MAX } from './sign-in.js';

/** A clock that is off by less is taken to be right. */
const CLOCK_OFFSET_MS_MIN = 5_000;
const NONCE_BYTES = 8;

export interface WalletTransportOptions {
  readonly wallet: Wallet;
  /** Base URL of the API, without a slash at its end: each signature names the whole address. */
  readonly baseUrl: string;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A transport that signs each request for the wallet where the API wants it, with a fresh nonce, and keeps at most five
 * of them in flight. One is in flight until its body has ended.
 */
export function signedTransport(inner: Transport, options: WalletTransportOptions): Transport {
  const { wallet, baseUrl, clock, random } = options;
  const limit = pLimit(WALLET_REQUESTS_MAX);
  /** By how much the service's clock is ahead, ms: it refuses what is issued half a minute ahead of it. */
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
  return (request) => {
    if (request.elsewhere !== undefined || !isSigned(request.path)) return learning(request);
    return new Promise((resolve) => {
      void limit(() => untilOver(learning(sign(request)), resolve));
    });
  };
}

/** The routes that take a wallet. The catalogue and quotes are open; billing and API keys are for accounts. */
function isSigned(path: string): boolean {
  return /^\/(audio\/(queue|retrieve|complete)|x402\/)/.test(path);
}

/** Hands the answer on as soon as it is there. @returns when its body has ended, in whatever way */
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

/** `undefined` where the answer does not say. */
function offsetOf(answer: TransportAnswer | TransportNoAnswer, nowMs: number): number | undefined {
  const dateMs = answer.kind === 'answer' ? Date.parse(answer.headers.date ?? '') : Number.NaN;
  if (Number.isNaN(dateMs)) return undefined;
  return Math.abs(dateMs - nowMs) >= CLOCK_OFFSET_MS_MIN ? dateMs - nowMs : 0;
}
