import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallFailure, CallResult, Queued } from '../../src/venice/client.js';
import { classifySubmit } from '../../src/venice/submit-outcome.js';

const failure = (more: Partial<CallFailure>): CallFailure => ({
  ok: false,
  kind: 'refused',
  sent: true,
  code: 'CODE',
  message: 'message',
  rate: {},
  ...more,
});

const REFUSALS = {
  400: 'reject',
  401: 'stop',
  402: 'stop',
  403: 'close_model',
  404: 'reject',
  410: 'reject',
  413: 'reject',
  415: 'reject',
  422: 'reject',
  429: 'wait',
  503: 'wait',
} as const;

describe('the outcome of a submit', () => {
  it('is accepted with a usable id', () => {
    const queued = { queueId: 'q', model: 'm' };
    expect(classifySubmit({ ok: true, value: queued, rate: {} })).toEqual({ kind: 'accepted', queued });
  });

  it('is not sent only if certainly nothing left this machine', () => {
    expect(classifySubmit(failure({ kind: 'no_answer', sent: false, code: 'ECONNREFUSED' }))).toEqual({
      kind: 'not_sent',
      code: 'ECONNREFUSED',
      message: 'message',
    });
    expect(classifySubmit(failure({ kind: 'no_answer', sent: true, code: 'ECONNRESET' }))).toEqual({
      kind: 'in_doubt',
      code: 'ECONNRESET',
      message: 'message',
    });
  });

  it.each(Object.entries(REFUSALS))("is refused with %s in the API's format: %s", (status, next) => {
    const rate = { limit: 60, retryAfterSeconds: 5 };
    expect(
      classifySubmit(failure({ status: Number(status), suggestedPrompt: 'Softer', rate })),
    ).toMatchObject({
      kind: 'refused',
      next,
      status: Number(status),
      code: 'CODE',
      message: 'message',
      suggestedPrompt: 'Softer',
      rate,
    });
  });

  it.each(Object.keys(REFUSALS).filter((status) => status !== '429'))(
    'is in doubt with %s in any other format',
    (status) => {
      expect(classifySubmit(failure({ kind: 'unusable', status: Number(status), code: 'html' }))).toEqual({
        kind: 'in_doubt',
        status: Number(status),
        code: 'html',
        message: 'message',
      });
    },
  );

  it.each([200, 201, 204, 301, 307, 402.5, 405, 408, 418, 499, 500, 501, 502, 504, 520, 599])(
    'is in doubt with %s',
    (status) => {
      expect(classifySubmit(failure({ status })).kind).toBe('in_doubt');
      expect(classifySubmit(failure({ kind: 'unusable', status })).kind).toBe('in_doubt');
    },
  );

  it('is a wait after a 429 in any other format: a CDN that limits requests passed nothing on', () => {
    expect(classifySubmit(failure({ kind: 'unusable', status: 429, code: 'html' }))).toMatchObject({
      kind: 'refused',
      next: 'wait',
      status: 429,
    });
  });

  it('is never called safe if it was sent, unless the API refused it with a listed status', () => {
    const anyFailure = fc.record({
      kind: fc.constantFrom('no_answer', 'refused', 'unusable'),
      sent: fc.boolean(),
      status: fc.option(fc.oneof(fc.integer({ min: 100, max: 599 }), fc.constantFrom(400, 429, 503)), {
        nil: undefined,
      }),
      code: fc.string(),
    });
    fc.assert(
      fc.property(anyFailure, ({ kind, sent, status, code }) => {
        const given = failure({
          kind,
          sent,
          code,
          ...(status === undefined ? {} : { status }),
        } as CallFailure);
        const outcome = classifySubmit(given as CallResult<Queued>);
        const listed =
          (kind === 'refused' && status !== undefined && status in REFUSALS) ||
          (kind === 'unusable' && status === 429);
        const unsent = kind === 'no_answer' && !sent;
        expect(outcome.kind).toBe(unsent ? 'not_sent' : listed ? 'refused' : 'in_doubt');
      }),
    );
  });

  it.each([
    [401, 'This model is only available to Pro users', 'close_model'],
    [401, 'Authentication failed', 'stop'],
    [403, 'This API key may not use this model', 'close_model'],
    [404, 'Specified model not found', 'reject'],
    [410, 'This model has been retired', 'reject'],
  ])('for %s "%s" means that the run goes on with: %s', (status, message, next) => {
    expect(classifySubmit(failure({ status, message, code: `http-${status}` }))).toMatchObject({
      kind: 'refused',
      next,
    });
  });

  it('recognises an overloaded model by its Retry-After alone, so that the lockfile does not take it for the request limit', () => {
    const busy = failure({
      status: 429,
      message: 'Please wait',
      code: 'http-429',
      rate: { retryAfterSeconds: 30 },
    });
    expect(classifySubmit(busy)).toMatchObject({
      next: 'wait',
      meaning: 'overloaded',
      code: 'MODEL_OVERLOADED',
    });
    const blocked = failure({
      status: 429,
      message: 'Please wait',
      code: 'http-429',
      rate: { errorsRemaining: 0 },
    });
    expect(classifySubmit(blocked)).toMatchObject({ next: 'wait', code: 'KEY_BLOCKED' });
    const limit = failure({
      status: 429,
      message: 'Please wait',
      code: 'http-429',
      rate: { errorsRemaining: 12 },
    });
    expect(classifySubmit(limit)).toMatchObject({ next: 'wait', code: 'http-429' });
  });

  it.each([
    [503, 'The model is currently offline', 'offline'],
    [503, 'The model is at capacity. Please try again later.', 'other'],
    [429, 'The model is overloaded. Please try again later.', 'overloaded'],
    [429, 'Rate limit exceeded', 'other'],
    [429, 'Rate limit exceeded: at most 40 concurrent requests', 'other'],
    [429, 'Too many failed requests. Please try again later.', 'blocked'],
    [429, 'Too many concurrent requests for this wallet', 'wallet_busy'],
  ])('reads %s "%s" without a code as: %s', (status, message, meaning) => {
    expect(classifySubmit(failure({ status, message, code: `http-${status}` }))).toMatchObject({ meaning });
  });
});
