import type { Dispatcher } from 'undici';
import type { TransportFault } from '../core/ports.js';

/** How far a request has got. */
export interface SendState {
  /** Set from the moment its first byte may have been written. */
  sent: boolean;
  /** Given up: it must no longer be written. */
  over: boolean;
}

const INFORMATIONAL_MAX = 32;

/**
 * Records when a request goes on the wire: `onRequestStart` is called in the same tick, just before the first byte is
 * written, and never for a request without a connection. It is also the last chance to stop a request, used for one
 * given up meanwhile and for one that would be sent twice.
 */
export function watch(handler: Dispatcher.DispatchHandler, sendState: SendState): Dispatcher.DispatchHandler {
  let informational = 0;
  return {
    onRequestStart: (controller, context) => {
      if (sendState.over) return controller.abort(fault('DEADLINE', 'given up before it was sent'));
      if (sendState.sent) return controller.abort(fault('RESEND', 'would have been sent a second time'));
      handler.onRequestStart?.(controller, context);
      sendState.sent = !controller.aborted;
    },
    onRequestUpgrade: (...upgrade) => handler.onRequestUpgrade?.(...upgrade),
    onResponseStart: (controller, status, headers, statusMessage) => {
      informational += status < 200 ? 1 : 0;
      if (informational > INFORMATIONAL_MAX) {
        return controller.abort(fault('INFORMATIONAL', 'too many informational responses'));
      }
      handler.onResponseStart?.(controller, status, headers, statusMessage);
    },
    onResponseData: (controller, chunk) => handler.onResponseData?.(controller, chunk),
    onResponseEnd: (controller, trailers) => handler.onResponseEnd?.(controller, trailers),
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  };
}

export function fault(code: string, message: string): TransportFault {
  return Object.assign(new Error(message), { code });
}
