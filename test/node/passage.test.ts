import type { Dispatcher } from 'undici';
import { describe, expect, it } from 'vitest';
import { type Passage, watch } from '../../src/node/passage.js';

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

function start(passage: Passage, handler: Dispatcher.DispatchHandler = {}) {
  const on = controller();
  watch(handler, passage).onRequestStart?.(on, {});
  return on;
}

describe('the way of a request onto the wire', () => {
  it('is noted at its start', () => {
    const passage = { sent: false, over: false };
    expect(start(passage).aborted).toBe(false);
    expect(passage.sent).toBe(true);
  });

  it('is barred to a request that was given up', () => {
    const passage = { sent: false, over: true };
    expect(start(passage).reasons).toMatchObject([{ code: 'DEADLINE' }]);
    expect(passage.sent).toBe(false);
  });

  it('is barred to a second sending, which stays counted as sent', () => {
    const passage = { sent: false, over: false };
    const on = controller();
    const watched = watch({}, passage);
    watched.onRequestStart?.(on, {});
    watched.onRequestStart?.(on, {});
    expect(on.reasons).toMatchObject([{ code: 'RESEND' }]);
    expect(passage.sent).toBe(true);
  });

  it('does not count where the handler itself aborts at the start', () => {
    const passage = { sent: false, over: false };
    start(passage, { onRequestStart: (on) => on.abort(new Error('aborted')) });
    expect(passage.sent).toBe(false);
  });
});
