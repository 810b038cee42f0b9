import { createHash } from 'node:crypto';
import { type Currency, MICRO_USD_PER_USD } from '../core/money.js';
import { available, currencyFor } from './billing.js';
import { drawTimes, expectedRunMs, stateOf } from './jobs.js';
import type { Job, Queued } from './ledger.js';
import { mediaAnswer } from './media.js';
import { priceMicroUsd } from './pricing.js';
import { hasWord, suggestPrompt } from './prompt-words.js';
import { checkCapabilities, checkCharacters, checkDuration, secondsOf } from './request-rules.js';
import { failureAnswer, withFacts } from './retrieve-answers.js';
import type { SandboxModel } from './sandbox-model.js';
import { type Account, invalid, json, refuse, type ServiceAnswer } from './service-response.js';
import type { State } from './service-state.js';

/** A request whose body matches its schema. */
export interface AudioCall {
  readonly account: Account;
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
}

const NOT_FROM_TEXT = 'This model changes the voice of a recording: it is not available on this route';
const UNKNOWN_ID = 'Request ID is invalid.';
const NOT_FOUND = 'Media could not be found. Request may be invalid, expired, or deleted.';
const CAPACITY_REFUSALS = 2;
const SLOW_FACTOR = 5;
const SECONDS_UNTOLD = 30;
const CHARACTERS_PER_SECOND = 15;

export function quote(state: State, { body, nowMs }: AudioCall): ServiceAnswer {
  const model = state.model(body.model, nowMs);
  if (model === undefined) return invalid([{ path: 'model', message: 'Specified model not found' }]);
  if (model.spec.voice_changer === true) return notFromText(state);
  const characters = body.character_count as number | undefined;
  const issues = [...checkDuration(model, body.duration_seconds), ...checkCharacters(model, characters)];
  if (issues.length > 0) return invalid(issues);
  const price = priceMicroUsd(model, {
    ...priced(secondsOf(body.duration_seconds), characters),
    factor: state.priceFactor(nowMs),
  });
  if (price === undefined) return invalid([{ path: 'character_count', message: 'Field is required' }]);
  return json(200, { quote: price / MICRO_USD_PER_USD });
}

function notFromText(state: State): ServiceAnswer {
  return state.happens('voiceChanger404')
    ? refuse(404, 'Specified model not found')
    : refuse(400, NOT_FROM_TEXT);
}

function priced(durationSeconds: number | undefined, characters: number | undefined) {
  return {
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(characters === undefined ? {} : { characters }),
  };
}

export function queue(state: State, call: AudioCall): ServiceAnswer {
  const { account, key, body, nowMs } = call;
  const model = state.model(body.model, nowMs) ?? rerouted(state, call);
  if (model === undefined) return unknownModel(state, call);
  if (!state.keyring.mayUse(key, model.id)) return refuse(403, 'This API key may not use this model');
  if (model.pro === true && state.keyring.lacks(key, 'pro')) {
    return refuse(401, 'This model is only available to Pro users');
  }
  const refusal = refused(state, model, call);
  if (refusal !== undefined) return refusal;
  const prompt = String(body.prompt);
  const price = priceMicroUsd(model, {
    ...priced(secondsOf(body.duration_seconds), prompt.length),
    factor: state.priceFactor(nowMs),
  });
  if (price === undefined) return refuse(500, 'The model has no price');
  const overLimit = overKeyLimit(state, call, price);
  if (overLimit !== undefined) return overLimit;
  const currency = currencyFor(available(state.ledger, account, state.currencies, nowMs), price);
  if (currency === undefined) {
    return refuse(402, 'Insufficient USD or Diem balance to complete request', {
      code: 'INSUFFICIENT_BALANCE',
    });
  }
  const job = accept(state, model, call, { price, currency });
  state.effect(job);
  if (state.happens('errorAfterQueueing')) return refuse(500, 'Inference processing failed');
  const answer = json(200, { model: model.id, queue_id: job.id, status: 'QUEUED' });
  const lost = (hasWord(prompt, 'lost-answer') && job.take === 1) || state.happens('lostAnswer');
  return lost ? { ...answer, cut: true } : answer;
}

/** The model that takes a retired one's jobs. */
function rerouted(state: State, { body, nowMs }: AudioCall): SandboxModel | undefined {
  const replacement = state.replacement(body.model, nowMs);
  return replacement !== undefined && state.happens('rerouted') ? replacement : undefined;
}

function unknownModel(state: State, { body, nowMs }: AudioCall): ServiceAnswer {
  if (state.description.strictAccess && state.isRetired(body.model, nowMs))
    return state.happens('retired404')
      ? refuse(404, 'This model has been retired. See the list of models for its successor')
      : refuse(410, 'This model has been retired');
  const message = 'Specified model not found';
  return state.happens('unknownModel400')
    ? invalid([{ path: 'model', message }])
    : refuse(404, message, { code: 'MODEL_NOT_FOUND' });
}

function overKeyLimit(state: State, { account, key }: AudioCall, price: number): ServiceAnswer | undefined {
  const code = state.keyring.overLimit(key, state.ledger.spentMicroUsd(account) + price);
  if (code === undefined) return undefined;
  const currency = code.includes('DIEM') ? 'DIEM' : 'USD';
  return refuse(402, `API key ${currency} spend limit exceeded`, { code });
}

function refused(state: State, model: SandboxModel, { account, body }: AudioCall): ServiceAnswer | undefined {
  if (model.spec.voice_changer === true) return notFromText(state);
  if (model.spec.offline === true)
    return refuse(503, 'The model is currently offline', { code: 'MODEL_OFFLINE' });
  const issues = checkCapabilities(model, body, state.description.textDefaults);
  if (issues.length > 0) return invalid(issues);
  const prompt = String(body.prompt);
  const suggested = suggestPrompt(prompt);
  if (suggested !== undefined || suggestPrompt(String(body.lyrics_prompt ?? '')) !== undefined) {
    return refuse(
      422,
      'Your prompt violates the content policy of Venice.ai or the model provider',
      suggested === undefined ? {} : { suggested_prompt: suggested },
    );
  }
  const full =
    hasWord(prompt, 'capacity') && state.timesSeen(`${account} ${model.id} ${prompt}`) <= CAPACITY_REFUSALS;
  if (full || state.happens('atCapacity')) {
    return refuse(503, 'The model is at capacity. Please try again later.', { code: 'MODEL_AT_CAPACITY' });
  }
  if (state.happens('overloaded')) {
    return overloaded(state);
  }
  return undefined;
}

const OVERLOADED_SECONDS = 30;

function overloaded({ description }: State): ServiceAnswer {
  const headers = description.strictAccess ? { 'retry-after': String(OVERLOADED_SECONDS) } : {};
  const error = 'The model is overloaded. Please try again later.';
  return json(429, { error, code: 'MODEL_OVERLOADED' }, headers);
}

function accept(
  state: State,
  model: SandboxModel,
  { account, body, nowMs }: AudioCall,
  { price, currency }: { readonly price: number; readonly currency: Currency },
): Queued {
  const prompt = String(body.prompt);
  const request = digest(account, body);
  const durationSeconds = secondsOf(body.duration_seconds) ?? untoldSeconds(model, prompt, body.speed);
  const settled =
    model.reservedSeconds === undefined
      ? undefined
      : priceMicroUsd(model, { durationSeconds, factor: state.priceFactor(nowMs) });
  const slow = hasWord(prompt, 'slow') ? SLOW_FACTOR : 1;
  return {
    type: 'queued',
    id: state.uuid(),
    atMs: nowMs,
    account,
    model: model.id,
    priceMicroUsd: price,
    ...(settled === undefined || settled >= price ? {} : { settledMicroUsd: settled }),
    ...(currency === 'USD' ? {} : { currency }),
    ...drawTimes(model.runMsMedian * slow, state.speed, state.random),
    end: fate(state, prompt),
    prompt,
    request,
    take: state.ledger.takes(request) + 1,
    kind: model.kind,
    format: model.spec.default_format,
    durationSeconds,
    ...(body.loop === true ? { loop: true as const } : {}),
  };
}

function digest(account: Account, body: AudioCall['body']): string {
  const sorted = Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([account, sorted]))
    .digest('hex');
}

function fate(state: State, prompt: string): Queued['end'] {
  const isHttp = state.description.failures === 'http';
  if (hasWord(prompt, 'fail')) return isHttp ? 'failed-400' : 'failed';
  if (hasWord(prompt, 'refund')) return 'refunded';
  if (hasWord(prompt, 'crash')) return 'failed-500';
  if (hasWord(prompt, 'expired')) return 'lost';
  if (hasWord(prompt, 'damaged')) return 'damaged';
  if (!state.happens('jobFails')) return 'ready';
  const ends = isHttp ? HTTP_FAILURES : JSON_FAILURES;
  return ends[Math.floor(state.random() * ends.length)]!;
}

const HTTP_FAILURES = ['failed-400', 'failed-422', 'failed-500', 'failed-503'] as const;
const JSON_FAILURES = ['failed', 'refunded'] as const;

function untoldSeconds(
  { kind, spec, reservedSeconds }: SandboxModel,
  prompt: string,
  speed: unknown,
): number {
  if (spec.default_duration !== undefined) return spec.default_duration;
  if (kind !== 'speech') return SECONDS_UNTOLD;
  const seconds = Math.max(1, prompt.length / CHARACTERS_PER_SECOND / Number(speed ?? 1));
  return Math.min(reservedSeconds ?? seconds, seconds);
}

/** The job that a request names. Jobs of another user or another model do not exist for it. */
function find(state: State, { account, body }: AudioCall): Job | undefined {
  const job = state.ledger.jobs.get(String(body.queue_id));
  return job?.account === account && job.model === body.model ? job : undefined;
}

function unknownId(state: State): ServiceAnswer {
  const { unknownIdStatus } = state.description;
  return refuse(unknownIdStatus, unknownIdStatus === 400 ? UNKNOWN_ID : NOT_FOUND);
}

export function retrieve(state: State, call: AudioCall): ServiceAnswer {
  const job = find(state, call);
  if (job === undefined) return unknownId(state);
  const { nowMs } = call;
  switch (stateOf(job, nowMs)) {
    case 'gone':
      return refuse(404, NOT_FOUND);
    case 'queued':
      if (state.description.reportsQueued) return json(200, { status: 'QUEUED' });
      return running(state, job, nowMs);
    case 'running':
      return running(state, job, nowMs);
    case 'failed':
      return failureAnswer(state, job);
    default:
      if (call.body.delete_media_on_completion === true) {
        state.effect({ type: 'deleted', id: job.id, atMs: nowMs });
      }
      return withFacts(mediaAnswer(state, job), job, state.model(job.model, nowMs));
  }
}

function running(state: State, job: Job, nowMs: number): ServiceAnswer {
  const stated = state.happens('untimed') ? {} : times(state, job, nowMs);
  return json(200, { status: 'PROCESSING', ...stated });
}

function times(state: State, job: Job, nowMs: number) {
  return {
    average_execution_time: expectedRunMs(state.medianMs(job.model), state.speed),
    execution_duration: nowMs - job.atMs,
  };
}

/** Deletes a finished job's media; cancels one that is still running, without a refund. */
export function complete(state: State, call: AudioCall): ServiceAnswer {
  const job = find(state, call);
  if (job === undefined) return unknownId(state);
  if (stateOf(job, call.nowMs) === 'gone') {
    // For media that were already deleted, the service's response varies.
    const again = job.deletedAtMs !== undefined && state.happens('cleanUpAgain');
    return again ? json(200, { success: true }) : unknownId(state);
  }
  if (state.happens('cleanUpFails')) return json(200, { success: false });
  state.effect({ type: 'deleted', id: job.id, atMs: call.nowMs });
  return json(200, { success: true });
}
