import { catalogue, listPriceUsd } from './catalogue.js';
import { LIMITED_ROUTES, type LimitedRoute, type RequestLimits } from './limits.js';
import type { SimMediaType } from './media.js';
import { makeMedia, sha256 } from './media.js';
import type { Rng } from './random.js';

/**
 * The service as a state machine. It outlives its clients, and only it knows what was charged. Written from the API's
 * documentation, separately from the sandbox that users get, as an oracle must not share bugs with the code it judges.
 * It has rules about money and lifetimes only, none about content.
 */
export interface Server {
  handle(request: ServerRequest, nowMs: number): ServerAnswer;
  /** Every job ever charged, by queue id. */
  readonly jobs: Map<string, ServerJob>;
  rates: ServerRates;
  /** Above 1: everything costs more than in the catalogue. */
  priceFactor: number;
  /** The remaining balance of each account, micro-dollars. */
  readonly balances: Map<string, number>;
  /** Replaces the times of a running job, as JSON text. */
  oddNumber: () => string | undefined;
  /** How long finished audio is kept at most, ms. */
  keepsMs: number;
  /** How much longer than usual a job takes, ms. */
  extraMs: () => number;
  /** Permanent request limits. */
  /** All audio has the same type and size: only its bytes tell which is which. */
  alike: boolean;
  limits?: RequestLimits;
  /** Until then it recognises no id. */
  forgetsUntilMs: number;
  /** Ends active windows of refusals. */
  calm(): void;
}

export interface ServerRequest {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly apiKey: string;
}

export interface ServerAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface ServerJob {
  readonly queueId: string;
  readonly account: string;
  readonly model: string;
  /** Identifies the track and its version. */
  readonly prompt: string;
  readonly priceMicroUsd: number;
  readonly queuedMs: number;
  readonly readyMs: number;
  readonly expiresMs: number;
  readonly fails: boolean;
  /** How retrieve reports the failure: with this status, or as a JSON status. */
  readonly verdict: 'json' | 400 | 422 | 500 | 503;
  /** The balance that paid for it. */
  readonly currency: 'USD' | 'DIEM';
  /** Whether the charge was refunded; decided when the failure is first reported. */
  refunded?: boolean;
  reportedFailedMs?: number;
  /** Until when its retrieve answers 500 or 503, temporarily. */
  troubledUntilMs: number;
  readonly refunds: boolean;
  readonly audio: Uint8Array;
  readonly sha256: string;
  readonly mediaType: SimMediaType;
  /** SHA-256 of every complete body sent as this job's audio. */
  readonly served: Set<string>;
  deletedMs?: number;
  /** Asked to clean up while it ran, which cancels it. */
  cancelled: boolean;
  strays: number;
}

/** How often, per request, the service misbehaves in documented or observed ways. */
export interface ServerRates {
  readonly jobFails: number;
  readonly shortLife: number;
  readonly slowJob: number;
  readonly rejects: number;
  readonly overloaded: number;
  readonly limitWindow: number;
  readonly authWindow: number;
  readonly stray404: number;
  readonly completeFalse: number;
  readonly corruptAudio: number;
  /** Audio as base64 in JSON, or at an address on another host. */
  readonly otherForms: number;
  readonly priceChange: number;
  /** Retrieves of a good job that start to answer 500 or 503 for less than a minute. */
  readonly passing5xx: number;
  /** A quote of nothing or nearly nothing; the charge stays the same. */
  readonly underQuotes: number;
}

/**
 * Which of its descriptions the service follows: 0 for August 2026, 1 for October; in between, sometimes one and
 * sometimes the other.
 */
export interface Ways {
  readonly rng: Rng;
  readonly today: number;
}

const PASSING_MS_MAX = 50_000;
const DAY_MS = 86_400_000;
const MEDIA_HOST = 'https://media.example/';
export function createServer(
  rng: Rng,
  pricesRng: Rng,
  rates: ServerRates,
  balances: Map<string, number>,
  ways: Ways,
): Server {
  const jobs = new Map<string, ServerJob>();
  let limitedUntilMs = 0;
  let lockedOutUntilMs = 0;

  const isToday = () => ways.rng.chance(ways.today);
  const unknownId = () => (isToday() ? refusal(400, 'Request ID is invalid.') : refusal(404, 'Not found'));
  /** Today most error bodies have no code. */
  const coded = (status: number, error: string, code: string) =>
    isToday() ? refusal(status, error) : refusal(status, error, code);

  const windows = (nowMs: number): ServerAnswer | undefined => {
    if (rng.chance(server.rates.limitWindow)) limitedUntilMs = nowMs + rng.between(500, 60_000);
    if (rng.chance(server.rates.authWindow)) lockedOutUntilMs = nowMs + rng.between(500, 60_000);
    if (nowMs < lockedOutUntilMs) return refusal(rng.pick([401, 403]), 'Authentication failed');
    if (nowMs < limitedUntilMs) {
      const headers = rng.chance(0.7)
        ? { 'x-ratelimit-reset-requests': String(Math.ceil(limitedUntilMs / 1000)) }
        : {};
      return refusal(429, 'Rate limit exceeded', undefined, headers);
    }
    return undefined;
  };

  const queue = (body: Record<string, unknown>, account: string, nowMs: number): ServerAnswer => {
    if (rng.chance(server.rates.overloaded))
      return rng.chance(0.5)
        ? coded(503, 'The model is at capacity', 'MODEL_AT_CAPACITY')
        : coded(429, 'The model is overloaded', 'MODEL_OVERLOADED');
    if (rng.chance(server.rates.rejects))
      return rng.chance(0.5)
        ? coded(422, 'Content policy', 'CONTENT_POLICY')
        : isToday()
          ? refusal(410, 'This model has been retired')
          : refusal(400, 'Invalid request');
    const priceMicroUsd = priceOf(body, server.priceFactor);
    if (priceMicroUsd === undefined || typeof body.prompt !== 'string')
      return refusal(400, 'Invalid request');
    const balance = balances.get(account) ?? 0;
    if (priceMicroUsd > balance) return coded(402, 'Insufficient balance', 'INSUFFICIENT_BALANCE');
    balances.set(account, balance - priceMicroUsd);
    const drawn = createJob(
      rng,
      server.rates,
      String(body.model),
      body.prompt,
      account,
      priceMicroUsd,
      nowMs,
    );
    const made = server.alike ? asOthers(drawn) : drawn;
    const verdict = isToday() ? ways.rng.pick([400, 422, 500, 503] as const) : 'json';
    const extraMs = server.extraMs();
    const readyMs = made.readyMs + extraMs;
    const expiresMs = Math.min(made.expiresMs + extraMs, readyMs + server.keepsMs);
    const job: ServerJob = {
      ...made,
      readyMs,
      expiresMs,
      verdict,
      currency: ways.rng.pick(['USD', 'DIEM'] as const),
    };
    jobs.set(job.queueId, job);
    return json({ model: job.model, queue_id: job.queueId, status: 'QUEUED' });
  };

  /** The requested job, or the 404. */
  const find = (body: Record<string, unknown>, account: string, nowMs: number): ServerJob | undefined => {
    if (nowMs < server.forgetsUntilMs) return undefined;
    const job = jobs.get(String(body.queue_id));
    if (job === undefined || job.account !== account || job.model !== body.model) return undefined;
    if (job.deletedMs !== undefined || nowMs >= job.expiresMs) return undefined;
    // Never three of them, as that many mean that a job is gone.
    if (job.strays < 2 && rng.chance(server.rates.stray404)) {
      job.strays += 1;
      return undefined;
    }
    return job;
  };

  const retrieve = (body: Record<string, unknown>, account: string, nowMs: number): ServerAnswer => {
    const job = find(body, account, nowMs);
    if (job === undefined) return unknownId();
    if (isInTrouble(job, nowMs)) return refusal(ways.rng.pick([500, 503]), 'Inference processing failed');
    if (nowMs < job.readyMs) return withOdd(server.oddNumber(), processing(rng, job, nowMs));
    if (job.fails) return verdictOf(job, nowMs);
    const audio = rng.chance(server.rates.corruptAudio) ? corrupt(rng, job.audio) : job.audio;
    job.served.add(audio === job.audio ? job.sha256 : sha256(audio)).add(job.sha256);
    if (body.delete_media_on_completion === true) job.deletedMs = nowMs;
    if (rng.chance(server.rates.otherForms))
      return rng.chance(0.5)
        ? json({
            status: 'COMPLETED',
            audio: Buffer.from(audio).toString('base64'),
            content_type: job.mediaType,
          })
        : json({ status: 'COMPLETED', url: `${MEDIA_HOST}${job.queueId}` });
    return {
      status: 200,
      headers: { 'content-type': rng.chance(0.2) ? `${job.mediaType}; charset=binary` : job.mediaType },
      body: audio,
    };
  };

  const isInTrouble = (job: ServerJob, nowMs: number): boolean => {
    if (
      !job.fails &&
      ways.rng.chance(server.rates.passing5xx) &&
      job.troubledUntilMs === Number.NEGATIVE_INFINITY
    )
      job.troubledUntilMs = nowMs + ways.rng.between(100, PASSING_MS_MAX);
    return nowMs < job.troubledUntilMs;
  };

  /** The other host: it knows no accounts, and keeps files just as long. */
  const media = (queueId: string, nowMs: number): ServerAnswer => {
    const job = jobs.get(queueId);
    if (job === undefined || job.deletedMs !== undefined || nowMs >= job.expiresMs || rng.chance(0.2))
      return {
        status: 404,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from('{"error":"Not found"}'),
      };
    return { status: 200, headers: { 'content-type': job.mediaType }, body: job.audio };
  };

  const complete = (body: Record<string, unknown>, account: string, nowMs: number): ServerAnswer => {
    const job = find(body, account, nowMs);
    if (job === undefined) return unknownId();
    if (rng.chance(server.rates.completeFalse)) return json({ success: false });
    job.cancelled ||= nowMs < job.readyMs;
    job.deletedMs = nowMs;
    return json({ success: true });
  };

  const answers = { queue, retrieve, complete };
  const admit = (route: LimitedRoute, body: Record<string, unknown>, account: string, nowMs: number) => {
    const verdict = server.limits?.take({ account, route, model: String(body.model) }, nowMs);
    if (verdict === undefined) return answers[route](body, account, nowMs);
    if (!verdict.allowed) return refusal(429, 'Rate limit exceeded', undefined, verdict.headers);
    const answer = answers[route](body, account, nowMs);
    return { ...answer, headers: { ...answer.headers, ...verdict.headers } };
  };

  const server: Server = {
    jobs,
    rates,
    priceFactor: 1,
    balances,
    oddNumber: () => undefined,
    keepsMs: Number.POSITIVE_INFINITY,
    extraMs: () => 0,
    alike: false,
    forgetsUntilMs: Number.NEGATIVE_INFINITY,
    calm: () => {
      limitedUntilMs = 0;
      lockedOutUntilMs = 0;
    },
    handle: (request, nowMs) => {
      if (rng.chance(server.rates.priceChange)) server.priceFactor = rng.pick([0.5, 1, 1.2, 2]);
      const route = `${request.method} ${request.path.split('?')[0]}`;
      const body = parseBody(request.body);
      if (request.path.startsWith(MEDIA_HOST)) return media(request.path.slice(MEDIA_HOST.length), nowMs);
      if (route === 'GET /models') return json(catalogue());
      if (route === 'POST /audio/quote' && pricesRng.chance(server.rates.underQuotes))
        return json({ quote: pricesRng.pick([0, 0.0001]) });
      if (route === 'POST /audio/quote') return quote(body, server.priceFactor);
      if (!balances.has(request.apiKey)) return refusal(401, 'Authentication failed');
      const refused = windows(nowMs);
      if (refused !== undefined) return refused;
      const limited = LIMITED_ROUTES.find((name) => route === `POST /audio/${name}`);
      if (limited !== undefined) return admit(limited, body, request.apiKey, nowMs);
      switch (route) {
        case 'GET /billing/balance':
          return balanceAnswer(balances.get(request.apiKey) ?? 0);
        case 'GET /api_keys/rate_limits':
          return json({ data: { rateLimits: [] } });
        default:
          return refusal(404, 'No such route');
      }
    },
  };
  return server;
}

export function createJob(
  rng: Rng,
  rates: ServerRates,
  model: string,
  prompt: string,
  account: string,
  priceMicroUsd: number,
  nowMs: number,
): ServerJob {
  const readyMs =
    nowMs + (rng.chance(rates.slowJob) ? rng.between(30_000, 1_200_000) : rng.between(200, 15_000));
  const mediaType = rng.pick(['audio/mpeg', 'audio/wav', 'audio/flac'] as const);
  const audio = makeMedia(mediaType, rng.bytes(rng.between(20, 90)));
  return {
    queueId: uuid(rng),
    account,
    model,
    prompt,
    priceMicroUsd,
    queuedMs: nowMs,
    readyMs,
    expiresMs: readyMs + (rng.chance(rates.shortLife) ? rng.between(1_000, 600_000) : 14 * 86_400_000),
    fails: rng.chance(rates.jobFails),
    verdict: 'json',
    currency: 'USD',
    troubledUntilMs: Number.NEGATIVE_INFINITY,
    refunds: rng.chance(0.5),
    audio,
    sha256: sha256(audio),
    mediaType,
    served: new Set(),
    cancelled: false,
    strays: 0,
  };
}

const NOISE_BYTES_ALIKE = 20;

function asOthers(job: ServerJob): ServerJob {
  const audio = makeMedia('audio/wav', job.audio.slice(-NOISE_BYTES_ALIKE));
  return { ...job, audio, sha256: sha256(audio), mediaType: 'audio/wav' };
}

/** The same on each poll. Today a failed job's charge is refunded, except in DIEM from an earlier UTC day. */
function verdictOf(job: ServerJob, nowMs: number): ServerAnswer {
  if (job.verdict === 'json') {
    job.refunded = job.refunds;
    const reported = job.refunds ? { credits_refunded: true } : {};
    return json({ status: 'FAILED', error: 'it failed', error_code: 'GENERATION_FAILED', ...reported });
  }
  const sameDay = Math.floor(nowMs / DAY_MS) === Math.floor(job.queuedMs / DAY_MS);
  job.reportedFailedMs ??= nowMs;
  job.refunded ??= job.currency === 'USD' || sameDay;
  return refusal(job.verdict, 'The provider could not generate the audio');
}

function uuid(rng: Rng): string {
  const hex = Buffer.from(rng.bytes(16)).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

function processing(rng: Rng, job: ServerJob, nowMs: number): ServerAnswer {
  if (rng.chance(0.1)) return json({ status: rng.pick(['QUEUED', 'PROCESSING']) });
  return json({
    status: 'PROCESSING',
    average_execution_time: Math.round((job.readyMs - job.queuedMs) * (0.5 + rng.next())),
    execution_duration: nowMs - job.queuedMs,
  });
}

function withOdd(odd: string | undefined, answer: ServerAnswer): ServerAnswer {
  if (odd === undefined) return answer;
  const text = `{"status":"PROCESSING","average_execution_time":${odd},"execution_duration":${odd}}`;
  return { ...answer, body: Buffer.from(text) };
}

/** One byte changed, the end missing, a page instead, or nothing at all. */
function corrupt(rng: Rng, audio: Uint8Array): Uint8Array {
  switch (rng.pick(['flip', 'short', 'html', 'empty'] as const)) {
    case 'flip': {
      const flipped = audio.slice();
      const at = rng.below(flipped.length);
      flipped[at] = flipped[at]! ^ 0x20;
      return flipped;
    }
    case 'short':
      return audio.slice(0, rng.below(audio.length));
    case 'html':
      return Buffer.from('<!doctype html><title>Service</title>');
    case 'empty':
      return new Uint8Array(0);
  }
}

function priceOf(body: Record<string, unknown>, factor: number): number | undefined {
  const usd = listPriceUsd(body);
  return usd === undefined ? undefined : Math.round(usd * factor * 1e6);
}

function quote(body: Record<string, unknown>, factor: number): ServerAnswer {
  const microUsd = priceOf(body, factor);
  return microUsd === undefined ? refusal(400, 'Invalid request') : json({ quote: microUsd / 1e6 });
}

function balanceAnswer(microUsd: number): ServerAnswer {
  return json({
    canConsume: microUsd > 0,
    consumptionCurrency: 'USD',
    balances: { diem: 0, usd: microUsd / 1e6 },
    diemEpochAllocation: 0,
  });
}

function json(value: unknown): ServerAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(value)),
  };
}

function refusal(
  status: number,
  error: string,
  code?: string,
  headers: Record<string, string> = {},
): ServerAnswer {
  const body = { error, ...(code === undefined ? {} : { code }) };
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

function parseBody(body: string | undefined): Record<string, unknown> {
  return body === undefined ? {} : (JSON.parse(body) as Record<string, unknown>);
}
