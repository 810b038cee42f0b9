import type { Dispatcher } from 'undici';
import { faultCode } from '../core/errors.js';
import type { TransportAnswer, TransportNoAnswer } from '../core/ports.js';
import { withShownAddresses } from '../core/shown-address.js';
import { type AnswerBody, createBody, type Flow } from './answer-body.js';
import { type Deadline, startDeadline } from './deadline.js';
import { fault, type SendState, watch } from './send-state.js';

const MESSAGE_LENGTH_MAX = 500;

export interface ExchangeOptions {
  /** Of the whole exchange, including the body. */
  readonly deadlineMs: number;
  /** Until the headers of the response arrive. */
  readonly headersDeadlineMs?: number | undefined;
  /** Given what to call when a piece of the request was sent: the headers then have the whole time again. */
  sends?(moved: () => void): void;
  /** Between bytes of a body that is being read. */
  readonly idleDeadlineMs: number;
  /** Called when the connection is no longer needed, possibly more than once. */
  release(): void;
  /** Removes secrets from a message. */
  clean(text: string): string;
}

/**
 * One request over a dispatcher. Handles undici's events directly: its own `request` converts headers to bytes and
 * back, and the body to a stream, which together cost more than the exchange.
 */
export function exchange(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  options: ExchangeOptions,
): Promise<TransportAnswer | TransportNoAnswer> {
  const sendState: SendState = { sent: false, over: false };
  let connection: Dispatcher.DispatchController | undefined;
  let body: AnswerBody | undefined;
  let onData = () => {};
  return new Promise((resolve) => {
    const over = (error?: unknown) => {
      sendState.over = true;
      alarms.off();
      options.release();
      if (error === undefined) body?.end();
      else {
        const { code, message } = described(error, options.clean);
        body?.end(fault(code, message));
        resolve({ kind: 'no_answer', sent: sendState.sent, code, message });
      }
    };
    const stop = (reason: Error) => {
      // At once, because undici reacts to it only once connected.
      over(reason);
      connection?.abort(reason);
    };
    const alarms = setAlarms(options, (code, message) => stop(fault(code, message)));
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => {
        connection = controller;
      },
      onResponseStart: (controller, status, headers) => {
        if (status < 200) return;
        const idle = alarms.begun();
        onData = idle.restart;
        const tap = {
          pause: () => {
            idle.hold();
            controller.pause();
          },
          resume: () => {
            idle.restart();
            controller.resume();
          },
          stop: () => stop(fault('UND_ERR_ABORTED', 'the response was discarded')),
        };
        const plain = plainHeaders(headers);
        body = createBody(tap, flowOf(plain));
        resolve(asAnswer(status, plain, body));
      },
      onResponseData: (_controller, piece) => {
        onData();
        body?.add(piece);
      },
      onResponseEnd: () => over(),
      onResponseError: (_controller, error) => over(error),
    };
    dispatcher.dispatch(request, watch(handler, sendState));
  });
}

/** Fires when the headers, the next bytes of the body, or the whole response are late. */
function setAlarms(
  { deadlineMs, headersDeadlineMs, idleDeadlineMs, sends }: ExchangeOptions,
  late: (code: string, message: string) => void,
) {
  const whole = startDeadline(deadlineMs, () =>
    late('DEADLINE', `no complete response within ${deadlineMs} ms`),
  );
  const headers =
    headersDeadlineMs === undefined || headersDeadlineMs >= deadlineMs
      ? undefined
      : startDeadline(headersDeadlineMs, () =>
          late('DEADLINE', `no response began within ${headersDeadlineMs} ms`),
        );
  sends?.(() => headers?.restart());
  let idle: Deadline | undefined;
  return {
    /** The headers have arrived. Returns the deadline for the next bytes. */
    begun: (): Deadline => {
      headers?.off();
      idle = startDeadline(idleDeadlineMs, () =>
        late('DEADLINE', `the response was cut off: nothing came for ${idleDeadlineMs} ms`),
      );
      return idle;
    },
    off: () => {
      whole.off();
      headers?.off();
      idle?.off();
    },
  };
}

type Headers = Readonly<Record<string, string>>;

function plainHeaders(received: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers: Record<string, string> = {};
  for (const name of Object.keys(received)) {
    const value = received[name];
    headers[name] = typeof value === 'string' ? value : (value ?? []).join(', ');
  }
  return headers;
}

/** Larger than almost any audio. */
const AHEAD_BYTES_MAX = 32 * 1024 * 1024;

/**
 * undici 7 throws an uncatchable error if a connection that will not be reused ends while its response is paused
 * (nodejs/undici#5360, fixed in 8). So a response that may end with its connection is never paused, and no response is
 * paused once it is complete.
 */
function flowOf(headers: Headers): Flow {
  const length = headers['content-length'];
  const ends = /\bclose\b/i.test(headers.connection ?? '') || (length === undefined && !isChunked(headers));
  return {
    ...(ends ? { unreadBytesMax: AHEAD_BYTES_MAX } : {}),
    ...(length === undefined ? {} : { totalBytes: Number(length) }),
  };
}

function isChunked(headers: Headers): boolean {
  return /\bchunked\s*$/i.test(headers['transfer-encoding'] ?? '');
}

function asAnswer(status: number, headers: Headers, body: AnswerBody): TransportAnswer {
  return {
    kind: 'answer',
    status,
    headers,
    body: body.read(),
    framed: isChunked(headers) || headers['content-length'] !== undefined || status === 204,
    discard: () => body.discard(),
  };
}

/** When all of several addresses fail, the first error is reported. */
function described(error: unknown, clean: (text: string) => string): { code: string; message: string } {
  const first = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const text = first instanceof Error ? first.message : String(first);
  // OpenSSL adds its thread, library and source file.
  const reason = /error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):/.exec(text)?.[1];
  const message = reason === undefined ? text : `TLS handshake failed: ${reason}`;
  return {
    code: faultCode(error) || faultCode(first) || (first instanceof Error ? first.name : 'unknown'),
    message: withShownAddresses(clean(message)).slice(0, MESSAGE_LENGTH_MAX),
  };
}
