import type { Dispatcher } from 'undici';
import type { TransportFault } from '../core/ports.js';

/** How far a request has come. */
export interface SendState {
  /** From when its first byte may have been written. */
  sent: boolean;
  /** Given up: must not be written any more. */
  over: boolean;
}

const INFORMATIONAL_MAX = 32;

/**
 * Notes when the request goes on the wire: `onRequestStart` is called in the same tick, just before the first byte is
 * written, and for no request that had no connection. It is also the last chance to stop one, which is used for a
 * request given up meanwhile and for one that would be sent a second time.
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
        return controller.abort(fault('INFORMATIONAL', 'too many informational answers'));
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
