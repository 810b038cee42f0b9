import type { AudioBody, ServiceAnswer } from '../../src/sandbox/exchange.js';
import { createService, type Service, type ServiceOptions } from '../../src/sandbox/service.js';

/** 2026-11-23T00:00:00Z: a time at which every model of the catalogue is listed. */
export const NOON_MS = Date.UTC(2026, 10, 23);
export const KEY = 'sandbox';

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
export function seeded(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A service in which nothing is left to chance but the generation times. */
export function service(options: Partial<ServiceOptions> = {}): Service {
  return createService({
    random: seeded(),
    limits: { kind: 'none' },
    ...options,
    faults: { cleanUpFails: 0, ...options.faults },
  });
}

export interface Asked {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what should be there
  readonly json: any;
  readonly audio?: AudioBody;
  readonly cut: boolean;
}

function asked(answer: ServiceAnswer): Asked {
  const { status, headers, body, cut } = answer;
  const text = typeof body === 'string' ? body : '';
  const isJson = headers['content-type']?.startsWith('application/json') === true;
  return {
    status,
    headers,
    json: isJson ? JSON.parse(text) : undefined,
    ...(typeof body === 'string' ? {} : { audio: body }),
    cut: cut === true,
  };
}

export function headersFor(key?: string): Record<string, string> {
  return {
    'content-type': 'application/json',
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
}

export function post(at: Service, path: string, body: unknown, nowMs = NOON_MS, key: string | null = KEY) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = headersFor(key ?? undefined);
  return asked(at.handle({ method: 'POST', path, headers, body: text }, nowMs));
}

export function get(at: Service, path: string, nowMs = NOON_MS, key: string | null = KEY) {
  const headers = headersFor(key ?? undefined);
  return asked(at.handle({ method: 'GET', path, headers, body: '' }, nowMs));
}

/** A request that ACE-Step takes. */
export const SONG = { model: 'ace-step-15', prompt: 'Slow piano in C minor, 70 BPM', duration_seconds: 60 };

/** Submits, and expects to be queued. */
export function queued(
  at: Service,
  body: object = SONG,
  nowMs = NOON_MS,
  key = KEY,
): { id: string; model: string } {
  const answer = post(at, '/audio/queue', body, nowMs, key);
  if (answer.status !== 200) throw new Error(`not queued: ${answer.status} ${JSON.stringify(answer.json)}`);
  return { id: answer.json.queue_id, model: answer.json.model };
}

export function retrieve(at: Service, job: { id: string; model: string }, nowMs: number, more: object = {}) {
  return post(at, '/audio/retrieve', { model: job.model, queue_id: job.id, ...more }, nowMs);
}

export function complete(at: Service, job: { id: string; model: string }, nowMs: number) {
  return post(at, '/audio/complete', { model: job.model, queue_id: job.id }, nowMs);
}

/** When the job's media is there. */
export function readyMs(at: Service, id: string): number {
  const job = at.jobs.get(id);
  if (job === undefined) throw new Error(`no job ${id}`);
  return job.atMs + job.runMs;
}

export function bytesOf(audio: AudioBody | undefined): Buffer {
  if (audio === undefined) throw new Error('no audio');
  return Buffer.concat([...audio.chunks()]);
}
