import { createHash } from 'node:crypto';
import { MICRO_USD_PER_USD } from '../money.js';
import { availableMicroUsd } from './billing.js';
import { type Account, invalid, json, refuse, type ServiceAnswer } from './exchange.js';
import { drawTimes, expectedRunMs, stateOf } from './jobs.js';
import type { Job, Queued } from './ledger.js';
import { hasWord, suggestPrompt } from './magic.js';
import { mediaAnswer } from './media.js';
import type { SandboxModel } from './model.js';
import { priceMicroUsd } from './pricing.js';
import { checkCapabilities, checkDuration, secondsOf } from './request-rules.js';
import type { State } from './state.js';

/** A request whose body fits its schema. */
export interface AudioCall {
  readonly account: Account;
  readonly body: Readonly<Record<string, unknown>>;
  readonly nowMs: number;
}

const NOT_FOUND = 'Media could not be found. Request may be invalid, expired, or deleted.';
const CAPACITY_REFUSALS = 2;
const SLOW_FACTOR = 5;
const SECONDS_UNTOLD = 30;
const CHARACTERS_PER_SECOND = 15;

export function quote(state: State, { body, nowMs }: AudioCall): ServiceAnswer {
  const model = state.model(body.model, nowMs);
  if (model === undefined) return invalid([{ path: 'model', message: 'Specified model not found' }]);
  const issues = checkDuration(model, body.duration_seconds);
  if (issues.length > 0) return invalid(issues);
  const characters = body.character_count as number | undefined;
  const price = priceMicroUsd(model, {
    ...priced(secondsOf(body.duration_seconds), characters),
    factor: state.priceFactor(nowMs),
  });
  if (price === undefined) return invalid([{ path: 'character_count', message: 'Field is required' }]);
  return json(200, { quote: price / MICRO_USD_PER_USD });
}

function priced(durationSeconds: number | undefined, characters: number | undefined) {
  return {
    ...(durationSeconds === undefined ? {} : { durationSeconds }),
    ...(characters === undefined ? {} : { characters }),
  };
}

export function queue(state: State, call: AudioCall): ServiceAnswer {
  const { account, body, nowMs } = call;
  const model = state.model(body.model, nowMs);
  if (model === undefined) return unknownModel(state);
  if (model.pro === true && state.keyring.lacks(account, 'pro')) {
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
  const unpaid = unaffordable(state, account, price, nowMs);
  if (unpaid !== undefined) return unpaid;
  const job = accept(state, model, call, price);
  state.effect(job);
  if (state.happens('errorAfterQueueing')) return refuse(500, 'Inference processing failed');
  const answer = json(200, { model: model.id, queue_id: job.id, status: 'QUEUED' });
  const lost = (hasWord(prompt, 'lost-answer') && job.take === 1) || state.happens('lostAnswer');
  return lost ? { ...answer, cut: true } : answer;
}

function unknownModel(state: State): ServiceAnswer {
  const message = 'Specified model not found';
  return state.happens('unknownModel400')
    ? invalid([{ path: 'model', message }])
    : refuse(404, message, { code: 'MODEL_NOT_FOUND' });
}

function unaffordable(
  state: State,
  account: Account,
  price: number,
  nowMs: number,
): ServiceAnswer | undefined {
  const overLimit = state.keyring.overLimit(account, state.ledger.spentMicroUsd(account) + price);
  if (overLimit !== undefined)
    return refuse(402, 'The spend limit of this API key is reached', { code: overLimit });
  if (price <= availableMicroUsd(state.ledger, account, state.balanceMicroUsd, nowMs)) return undefined;
  return refuse(402, 'Insufficient USD or Diem balance to complete request', {
    code: 'INSUFFICIENT_BALANCE',
  });
}

function refused(state: State, model: SandboxModel, { account, body }: AudioCall): ServiceAnswer | undefined {
  if (model.spec.offline === true)
    return refuse(503, 'The model is currently offline', { code: 'MODEL_OFFLINE' });
  const issues = checkCapabilities(model, body);
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
    return refuse(429, 'The model is overloaded. Please try again later.', { code: 'MODEL_OVERLOADED' });
  }
  return undefined;
}

function accept(
  state: State,
  model: SandboxModel,
  { account, body, nowMs }: AudioCall,
  price: number,
): Queued {
  const prompt = String(body.prompt);
  const request = digest(account, body);
  const slow = hasWord(prompt, 'slow') ? SLOW_FACTOR : 1;
  return {
    type: 'queued',
    id: state.uuid(),
    atMs: nowMs,
    account,
    model: model.id,
    priceMicroUsd: price,
    ...drawTimes(model.runMsMedian * slow, state.speed, state.random),
    end: fate(state, prompt),
    prompt,
    request,
    take: state.ledger.takes(request) + 1,
    kind: model.kind,
    format: model.spec.default_format,
    durationSeconds: secondsOf(body.duration_seconds) ?? untoldSeconds(model, prompt, body.speed),
  };
}

function digest(account: Account, body: AudioCall['body']): string {
  const sorted = Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([account, sorted]))
    .digest('hex');
}

function fate(state: State, prompt: string): Queued['end'] {
  if (hasWord(prompt, 'fail')) return 'failed';
  if (hasWord(prompt, 'refund')) return 'refunded';
  if (hasWord(prompt, 'expired')) return 'lost';
  if (hasWord(prompt, 'damaged')) return 'damaged';
  if (!state.happens('jobFails')) return 'ready';
  return state.random() < 0.5 ? 'failed' : 'refunded';
}

function untoldSeconds({ kind, spec }: SandboxModel, prompt: string, speed: unknown): number {
  if (spec.default_duration !== undefined) return spec.default_duration;
  if (kind !== 'speech') return SECONDS_UNTOLD;
  return Math.max(1, prompt.length / CHARACTERS_PER_SECOND / Number(speed ?? 1));
}

/** The job that a request names: another account's, or one of another model, does not exist. */
function find(state: State, { account, body, nowMs }: AudioCall): Job | undefined {
  const job = state.ledger.jobs.get(String(body.queue_id));
  if (job?.account !== account || job.model !== body.model) return undefined;
  return stateOf(job, nowMs) === 'gone' ? undefined : job;
}

export function retrieve(state: State, call: AudioCall): ServiceAnswer {
  const job = find(state, call);
  if (job === undefined) return refuse(404, NOT_FOUND);
  const { nowMs } = call;
  switch (stateOf(job, nowMs)) {
    case 'queued':
      return json(200, { status: 'QUEUED' });
    case 'running':
      return json(200, {
        status: 'PROCESSING',
        ...(state.happens('untimed') ? {} : times(state, job, nowMs)),
      });
    case 'failed':
      return json(200, {
        status: 'FAILED',
        error: 'The provider could not generate the audio',
        error_code: 'GENERATION_FAILED',
        // Whoever asked for a refund on purpose is told of it.
        ...(!hasWord(job.prompt, 'refund') && state.happens('refundUntold')
          ? {}
          : { credits_refunded: job.end === 'refunded' }),
      });
    default:
      if (call.body.delete_media_on_completion === true) {
        state.effect({ type: 'deleted', id: job.id, atMs: nowMs });
      }
      return mediaAnswer(state, job);
  }
}

function times(state: State, job: Job, nowMs: number) {
  return {
    average_execution_time: expectedRunMs(state.medianMs(job.model), state.speed),
    execution_duration: nowMs - job.atMs,
  };
}

/** Deletes a finished job's media; cancels one that still runs, which gives nothing back. */
export function complete(state: State, call: AudioCall): ServiceAnswer {
  const job = find(state, call);
  if (job === undefined) return cleanUpAgain(state, call);
  if (state.happens('cleanUpFails')) return json(200, { success: false });
  state.effect({ type: 'deleted', id: job.id, atMs: call.nowMs });
  return json(200, { success: true });
}

/** Of what is cleaned up already the service says now this, now that. */
function cleanUpAgain(state: State, { account, body }: AudioCall): ServiceAnswer {
  const job = state.ledger.jobs.get(String(body.queue_id));
  const known = job?.account === account && job.model === body.model && job.deletedAtMs !== undefined;
  return known && state.happens('cleanUpAgain') ? json(200, { success: true }) : refuse(404, NOT_FOUND);
}
