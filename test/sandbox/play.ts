import { VARIANTS_DEFAULT, type Variants } from '../../src/sandbox/faults.js';
import { createService, type Service, type ServiceOptions } from '../../src/sandbox/service.js';
import type { AudioBody, ServiceAnswer } from '../../src/sandbox/service-response.js';

/** When the sandbox's time begins in these tests. */
export const START_MS = Date.UTC(2027, 0, 15, 12);

/** A reproducible uniform source in [0, 1). */
export function chance(seed = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body as JSON; `undefined` for anything else. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what should be there
  readonly json: any;
  readonly raw: ServiceAnswer;
}

export interface Play {
  readonly service: Service;
  nowMs: number;
  get(path: string, key?: string): Answered;
  post(path: string, body: unknown, key?: string): Answered;
  /** Submits and returns the queue id. Throws if refused. */
  queued(body?: object, key?: string): string;
  /** Advances to when the job is ready. */
  untilReady(queueId: string): void;
}

/** Where the API can answer in two ways, always the first one. */
const ONE_WAY = Object.fromEntries(Object.keys(VARIANTS_DEFAULT).map((key) => [key, 0])) as Partial<Variants>;

/** A service without limits and random faults, as of August 2026 unless asked otherwise. */
export function play(options: Partial<ServiceOptions> = {}): Play {
  const service = createService({
    random: chance(),
    limits: { kind: 'none' },
    as: '2026-08',
    ...options,
    faults: { cleanUpFails: 0, ...options.faults },
    variants: { ...ONE_WAY, ...options.variants },
  });
  const ask = (method: string, path: string, key: string | undefined, body?: string) => {
    const auth = key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    return answered(
      service.handle({ method, path, headers: { ...auth, ...type }, body: body ?? '' }, self.nowMs),
    );
  };
  const self: Play = {
    service,
    nowMs: START_MS,
    get: (path, key = 'sandbox') => ask('GET', path, key),
    post: (path, body, key = 'sandbox') => ask('POST', path, key, JSON.stringify(body)),
    queued(body = SONG, key) {
      const answer = self.post('/audio/queue', body, key);
      if (answer.status !== 200) throw new Error(`refused: ${answer.raw.body}`);
      return answer.json.queue_id;
    },
    untilReady(queueId) {
      const job = service.jobs.get(queueId)!;
      self.nowMs = Math.max(self.nowMs, job.atMs + job.runMs);
    },
  };
  return self;
}

export function answered(raw: ServiceAnswer): Answered {
  const isJson = raw.headers['content-type']?.startsWith('application/json') === true;
  return {
    status: raw.status,
    headers: raw.headers,
    json: isJson ? JSON.parse(raw.body as string) : undefined,
    raw,
  };
}

export function bytesOf(body: string | AudioBody): Buffer {
  return typeof body === 'string' ? Buffer.from(body) : Buffer.concat([...body.chunks()]);
}

/** Costs $0.69. */
export const SONG = { model: 'elevenlabs-music', prompt: 'A short happy song', duration_seconds: 3 } as const;
/** Costs $0.03. */
export const LYRICAL = {
  model: 'ace-step-15',
  prompt: 'A dreamy synth-pop song',
  duration_seconds: 60,
} as const;

/** The errors for one field of a `DetailedError`; `''` means the body as a whole. */
export function complaints(answer: Answered, field: string): string[] {
  const { details } = answer.json;
  return field === '' ? details._errors : (details[field]?._errors ?? []);
}
