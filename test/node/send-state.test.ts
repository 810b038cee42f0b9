import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { type SendState, watch } from '../../src/node/send-state.js';

function controller() {
  const reasons: unknown[] = [];
  return {
    reasons,
    get aborted() {
      return reasons.length > 0;
    },
    paused: false,
    reason: null,
    abort: (reason: Error) => {
      reasons.push(reason);
    },
    pause: () => {},
    resume: () => {},
  };
}

function start(sendState: SendState, handler: Dispatcher.DispatchHandler = {}) {
  const on = controller();
  watch(handler, sendState).onRequestStart?.(on, {});
  return on;
}

describe('sending a request', () => {
  it('is recorded at its start', () => {
    const sendState = { sent: false, over: false };
    expect(start(sendState).aborted).toBe(false);
    expect(sendState.sent).toBe(true);
  });

  it('is prevented for an abandoned request', () => {
    const sendState = { sent: false, over: true };
    expect(start(sendState).reasons).toMatchObject([{ code: 'DEADLINE' }]);
    expect(sendState.sent).toBe(false);
  });

  it('is prevented a second time, and the request still counts as sent', () => {
    const sendState = { sent: false, over: false };
    const on = controller();
    const watched = watch({}, sendState);
    watched.onRequestStart?.(on, {});
    watched.onRequestStart?.(on, {});
    expect(on.reasons).toMatchObject([{ code: 'RESEND' }]);
    expect(sendState.sent).toBe(true);
  });

  it('does not count if the handler aborts at the start', () => {
    const sendState = { sent: false, over: false };
    start(sendState, { onRequestStart: (on) => on.abort(new Error('aborted')) });
    expect(sendState.sent).toBe(false);
  });
});
