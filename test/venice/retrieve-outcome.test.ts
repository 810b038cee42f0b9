import { describe, expect, it } from 'vitest';
import type { CallFailure } from '../../src/venice/client.js';
import { classifyComplete } from '../../src/venice/complete-outcome.js';
import { classifyRetrieve, refundBasis } from '../../src/venice/retrieve-outcome.js';
import { readError } from '../../src/venice/wire-errors.js';

/** An error response as read from its body. */
function answered(status: number, body: object, rate: CallFailure['rate'] = {}): CallFailure {
  const error = readError(body, status);
  if (error === undefined) throw new Error('not an error of the API');
  return { ok: false, kind: 'refused', status, sent: true, ...error, rate };
}

const noAnswer: CallFailure = {
  ok: false,
  kind: 'no_answer',
  sent: true,
  code: 'ECONNRESET',
  message: 'reset',
  rate: {},
};
const page: CallFailure = { ...noAnswer, kind: 'unusable', status: 400, code: 'html' };

const UNKNOWN_ID = { error: 'Request ID is invalid.' };
const FIELD_MISSING = { error: 'Invalid request', details: { queue_id: { _errors: ['Field is required'] } } };

describe('what a response to a retrieve means', () => {
  it.each([
    [400, { error: 'The provider rejected this request' }, 'failed'],
    [400, { error: { message: 'Generation failed', type: 'invalid_request_error', code: null } }, 'failed'],
    [400, { error: 'Generation failed', details: 'The provider rejected the lyrics' }, 'failed'],
    [400, UNKNOWN_ID, 'unknown_id'],
    [400, { error: 'Invalid queue_id' }, 'unknown_id'],
    [400, { error: 'Media could not be found. Request may be invalid, expired, or deleted.' }, 'unknown_id'],
    [400, FIELD_MISSING, 'ask_again'],
    [
      400,
      { error: 'Invalid', issues: [{ path: ['queue_id'], message: 'Request ID is invalid.' }] },
      'ask_again',
    ],
    [400, { error: "'Content-Type' must be application/json" }, 'ask_again'],
    [400, { error: 'Invalid JSON in the request body' }, 'ask_again'],
    [400, { error: 'Specified model is not available' }, 'ask_again'],
    [404, { error: 'Specified model not found' }, 'ask_again'],
    [404, { error: 'The model x was retired, use y' }, 'ask_again'],
    [404, { error: 'The audio of this model was not found' }, 'unknown_id'],
    [404, { error: 'Not found' }, 'unknown_id'],
    [401, { error: 'Authentication failed' }, 'refused'],
    [402, { error: 'Insufficient balance' }, 'refused'],
    [403, { error: 'This key may not use this model' }, 'refused'],
    [404, { error: 'Media could not be found.' }, 'unknown_id'],
    [410, { error: 'Gone' }, 'ask_again'],
    [422, { error: 'Content policy', suggested_prompt: 'Softer' }, 'failed'],
    [429, { error: 'Rate limit exceeded' }, 'ask_again'],
    [500, { error: 'Inference processing failed' }, 'maybe_failed'],
    [500, { error: 'Inference processing failed', credits_refunded: true }, 'failed'],
    [502, { error: 'Bad gateway' }, 'ask_again'],
    [503, { error: 'The model is at capacity. Please try again later.' }, 'maybe_failed'],
    [503, { error: 'Failed', credits_refunded: true }, 'failed'],
    [504, { error: 'Gateway timeout' }, 'ask_again'],
  ])('for %i %j is: %s', (status, body, kind) => {
    expect(classifyRetrieve(answered(status, body)).kind).toBe(kind);
  });

  it('is unknown if no response of the API came', () => {
    expect(classifyRetrieve(noAnswer).kind).toBe('ask_again');
    expect(classifyRetrieve(page).kind).toBe('ask_again');
  });

  it('is also read from a JSON status', () => {
    const failed = { kind: 'failed', code: 'GENERATION_FAILED', message: 'no' } as const;
    expect(classifyRetrieve({ ok: true, value: failed, rate: {} })).toMatchObject({ kind: 'failed' });
  });

  it('is a bad key for 401, and only a closed model for 403', () => {
    expect(classifyRetrieve(answered(401, { error: 'Authentication failed' }))).toMatchObject({
      about: 'key',
    });
    expect(classifyRetrieve(answered(401, { error: 'This model is for Pro users' }))).toMatchObject({
      about: 'model',
    });
    expect(classifyRetrieve(answered(403, { error: 'Forbidden' }))).toMatchObject({ about: 'model' });
  });

  it.each([
    { error: 'Insufficient USD or Diem balance' },
    { error: 'API key USD spend limit exceeded', code: 'API_KEY_USD_SPEND_LIMIT_EXCEEDED' },
    { code: 'PAYMENT_REQUIRED', currentBalanceUsd: 0.05, minimumBalanceUsd: 0.1 },
    { x402Version: 2, accepts: [], authOptions: [] },
  ])('is too low a balance for 402 %j', (body) => {
    expect(classifyRetrieve(answered(402, body))).toMatchObject({ kind: 'refused', about: 'balance' });
    expect(classifyComplete(answered(402, body))).toMatchObject({ kind: 'refused', about: 'balance' });
  });
});

describe('what a response to a clean-up means', () => {
  it.each([
    [400, UNKNOWN_ID, 'unknown_id'],
    [400, FIELD_MISSING, 'ask_again'],
    [400, { error: 'Something else' }, 'ask_again'],
    [401, { error: 'Authentication failed' }, 'refused'],
    [403, { error: 'Forbidden' }, 'refused'],
    [404, { error: 'Not found' }, 'unknown_id'],
    [410, { error: 'Gone' }, 'unknown_id'],
    [429, { error: 'Rate limit exceeded' }, 'ask_again'],
    [500, { error: 'Failed' }, 'ask_again'],
    [503, { error: 'At capacity' }, 'ask_again'],
  ])('for %i %j is: %s', (status, body, kind) => {
    expect(classifyComplete(answered(status, body)).kind).toBe(kind);
  });

  it('is deleted or not as the response says', () => {
    expect(classifyComplete({ ok: true, value: true, rate: {} })).toEqual({ kind: 'deleted' });
    expect(classifyComplete({ ok: true, value: false, rate: {} })).toEqual({ kind: 'not_deleted' });
    expect(classifyComplete(noAnswer).kind).toBe('ask_again');
  });
});

describe('the refund of a failed job', () => {
  const noon = Date.parse('2026-10-02T12:00:00Z');
  const evening = Date.parse('2026-10-02T23:59:59Z');
  const midnight = Date.parse('2026-10-03T00:00:00Z');
  const failure = { status: 500, code: 'http-500', message: 'no' };
  const at = (nowMs: number, serviceMs = nowMs) => ({ nowMs, serviceMs });

  it('is as the response says, on any day', () => {
    expect(refundBasis({ ...failure, creditsRefunded: true }, noon, at(midnight))).toBe('told');
    expect(refundBasis({ ...failure, creditsRefunded: false }, noon, at(noon))).toBeUndefined();
  });

  it('is as documented on the UTC day of the charge, and not later: it may have been paid in DIEM', () => {
    expect(refundBasis(failure, noon, at(evening))).toBe('documented');
    expect(refundBasis(failure, evening, at(midnight))).toBeUndefined();
  });

  it('is unknown if no vendor document describes the response', () => {
    expect(refundBasis({ code: 'X', message: 'no' }, noon, at(noon))).toBeUndefined();
    expect(refundBasis(failure, Number.NaN, at(noon))).toBeUndefined();
  });

  it("goes by the day of the service's clock, however wrong this machine's is", () => {
    const hourMs = 3_600_000;
    // Ahead: both times are on the next day here, but at the service midnight lies between them.
    expect(refundBasis(failure, midnight, at(midnight + hourMs, midnight))).toBeUndefined();
    // Behind: both are on the same day at the service.
    expect(refundBasis(failure, evening, at(midnight, midnight + hourMs))).toBe('documented');
  });

  it('is unknown if the job was submitted in the future: the clock has been set back since', () => {
    expect(refundBasis(failure, noon + 1, at(noon))).toBeUndefined();
  });
});
