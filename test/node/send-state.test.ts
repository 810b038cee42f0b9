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

describe('the way of a request onto the wire', () => {
  it('is noted at its start', () => {
    const sendState = { sent: false, over: false };
    expect(start(sendState).aborted).toBe(false);
    expect(sendState.sent).toBe(true);
  });

  it('is barred to a request that was given up', () => {
    const sendState = { sent: false, over: true };
    expect(start(sendState).reasons).toMatchObject([{ code: 'DEADLINE' }]);
    expect(sendState.sent).toBe(false);
  });

  it('is barred to a second sending, which stays counted as sent', () => {
    const sendState = { sent: false, over: false };
    const on = controller();
    const watched = watch({}, sendState);
    watched.onRequestStart?.(on, {});
    watched.onRequestStart?.(on, {});
    expect(on.reasons).toMatchObject([{ code: 'RESEND' }]);
    expect(sendState.sent).toBe(true);
  });

  it('does not count where the handler itself aborts at the start', () => {
    const sendState = { sent: false, over: false };
    start(sendState, { onRequestStart: (on) => on.abort(new Error('aborted')) });
    expect(sendState.sent).toBe(false);
  });
});
