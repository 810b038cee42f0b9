import { faultCode } from '../core/errors.js';
import type { Clock, Transport, TransportAnswer, TransportFault, TransportRequest } from '../core/ports.js';
import type { Service } from './service.js';
import type { AudioBody, ServiceAnswer, ServiceRequest } from './service-response.js';

export interface SandboxTransportOptions {
  readonly service: Service;
  readonly clock: Clock;
  /** Absent: requests are sent without one. */
  readonly apiKey?: string;
}

/** Latency of a request and its response. */
const LATENCY_MS = 3;
/** Chunks after which other work gets a turn. */
const CHUNKS_PER_TURN = 8;

/** The simulated service without a network: same responses, same faults, in this process. Never throws. */
export function createSandboxTransport({ service, clock, apiKey }: SandboxTransportOptions): Transport {
  const headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` };
  return async (request) => {
    const endsMs = clock.nowMs() + request.deadlineMs;
    await clock.sleep(Math.min(LATENCY_MS, request.deadlineMs));
    const answer = handled(service, asService(request, headers), clock.nowMs());
    if (answer instanceof Error) return noAnswer(faultCode(answer) || 'sandbox', answer.message);
    await clock.sleep(Math.max(0, Math.min(LATENCY_MS, endsMs - clock.nowMs())));
    const over = answer.over ?? (() => {});
    if (answer.cut === true) return noAnswer('ECONNRESET', 'the connection was reset', over);
    if (clock.nowMs() >= endsMs)
      return noAnswer('UND_ERR_HEADERS_TIMEOUT', 'no answer within the deadline', over);
    return asTransport(answer, clock, endsMs, over);
  };
}

/** An exception comes from the ledger's disk: the effect did not happen, and the client cannot know. */
function handled(service: Service, request: ServiceRequest, nowMs: number): ServiceAnswer | Error {
  try {
    return service.handle(request, nowMs);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function noAnswer(code: string, message: string, over?: () => void) {
  over?.();
  return { kind: 'no_answer', sent: true, code, message } as const;
}

function asService(
  { method, path, body, headers: more }: TransportRequest,
  own: Readonly<Record<string, string>>,
) {
  const headers = { ...own, ...more };
  const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' };
  return { method, path, headers: typed, body: body ?? '' };
}

function asTransport(answer: ServiceAnswer, clock: Clock, endsMs: number, over: () => void): TransportAnswer {
  const body = typeof answer.body === 'string' ? textBody(answer.body) : answer.body;
  let discarded = false;
  return {
    kind: 'answer',
    status: answer.status,
    headers: { ...answer.headers, 'content-length': String(body.bytes) },
    framed: true,
    body: thenOver(
      read(body, () => discarded, clock, endsMs),
      over,
    ),
    discard: () => {
      discarded = true;
      over();
    },
  };
}

async function* thenOver(body: AsyncIterable<Uint8Array>, over: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } finally {
    over();
  }
}

function textBody(text: string): AudioBody {
  const bytes = Buffer.from(text);
  return { bytes: bytes.byteLength, chunks: () => [bytes] };
}

async function* read(body: AudioBody, isDiscarded: () => boolean, clock: Clock, endsMs: number) {
  let left = body.bytes;
  let turn = 0;
  for (const chunk of body.chunks()) {
    if (isDiscarded()) throw fault('UND_ERR_ABORTED', 'the answer was discarded');
    if (clock.nowMs() > endsMs) throw fault('UND_ERR_BODY_TIMEOUT', 'the body took longer than the deadline');
    left -= chunk.byteLength;
    yield chunk;
    turn += 1;
    if (turn % CHUNKS_PER_TURN === 0) await clock.sleep(1);
  }
  if (left !== 0) throw fault('ECONNRESET', 'the connection was reset within the body');
}

function fault(code: string, message: string): TransportFault {
  return Object.assign(new Error(message), { code });
}
