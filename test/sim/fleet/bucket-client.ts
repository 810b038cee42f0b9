import type { TransportAnswer } from '../../../src/core/ports.js';
import { StoreFault } from '../../../src/shared-log/object-store.js';
import type { S3Call, S3Client } from '../../../src/shared-log/s3-client.js';
import { sha256 } from '../media.js';
import { drawRates, type Rng } from '../random.js';
import type { Timeline } from '../timeline.js';
import type { Incarnation } from '../world.js';
import type { Bucket } from './bucket.js';
import { createOpenSlots } from './open-slots.js';

/** How often each fault between a machine and the bucket occurs, per request. */
const BUCKET_FAULTS = [
  /** The request is lost. */
  'lostBefore',
  /** The request takes effect, and the response is lost. */
  'lostAfter',
  /** No response, but the request arrives minutes later, when everybody has moved on. */
  'late',
  /** 500 or 503, with or without the effect. */
  'error5xx',
  /** 409: another request for the key is in progress. With or without the effect. */
  'conflict',
  /** A proxy's page instead of the response. */
  'proxyPage',
  /** The body of an object breaks off. */
  'bodyCut',
  /** Seconds instead of milliseconds. */
  'slow',
  /** Nothing gets through for minutes. */
  'outage',
  /** Nothing can be written for minutes: the credentials are read-only or expired. */
  'denied',
] as const;

export type BucketRates = Record<(typeof BUCKET_FAULTS)[number], number>;

export interface BucketLine {
  /** Called when a process begins a write that is forbidden. */
  readonly blame: (message: string) => void;
  /** Called with each object of the log that a process has read or written. */
  readonly knows: (incarnation: Incarnation, key: string) => void;
  /** Called with the keys that a process gets in a list. */
  readonly lists: (incarnation: Incarnation, keys: readonly string[]) => void;
  /** Called after a list of the log was made. */
  listed: () => void;
  readonly bucket: Bucket;
  readonly timeline: Timeline;
  readonly rng: Rng;
  /** Whether the credentials of this process do not allow the request. */
  refuses: (incarnation: Incarnation, call: S3Call, bytes: Uint8Array) => boolean;
  rates: BucketRates;
  outageUntilMs: number;
  deniedUntilMs: number;
}

export function drawBucketRates(rng: Rng): BucketRates {
  const often = drawRates(rng, BUCKET_FAULTS, { share: 0.3, low: 0.005, high: 0.3 });
  // These last long, so they are rare.
  return { ...often, outage: often.outage / 20, denied: often.denied / 20 };
}

export function noBucketFaults(): BucketRates {
  return Object.fromEntries(BUCKET_FAULTS.map((name) => [name, 0])) as BucketRates;
}

/** The requests of one process, as the S3 API has them. Everything above is the program's own. */
export function createBucketClient(line: BucketLine, incarnation: Incarnation): S3Client {
  const slots = createOpenSlots();
  return async (call) => {
    const { method, key = '' } = call;
    const bytes = await bytesOf(call.body);
    const wrong = method === 'PUT' ? slots.putting(key, bytes) : undefined;
    if (wrong !== undefined) line.blame(`${incarnation.name}: ${wrong}`);
    const outcome = await incarnation.process.call<TransportAnswer | undefined>((settle) =>
      exchange(line, incarnation, call, bytes, settle),
    );
    slots.reported(method, key, bytes, outcome?.status);
    if (outcome?.status === 200 && method !== 'HEAD') line.knows(incarnation, key);
    if (outcome === undefined) throw new StoreFault('unreachable', 'simulated: no answer');
    return outcome;
  };
}

/** A body that fails counts as a failed request. */
async function bytesOf(body: S3Call['body']): Promise<Uint8Array> {
  if (body === undefined || body instanceof Uint8Array) return body ?? EMPTY;
  const pieces: Uint8Array[] = [];
  try {
    for await (const piece of body) pieces.push(piece);
  } catch {
    throw new StoreFault('unreachable', 'simulated: the body broke off');
  }
  return new Uint8Array(Buffer.concat(pieces));
}

const EMPTY = new Uint8Array(0);
const LATE_MS_MAX = 1_200_000;
const TROUBLE_MS_MAX = 600_000;

/** The outcome of a request. */
type Fate =
  | { readonly kind: 'done'; readonly answered: boolean }
  /** No response; the effect may come much later. */
  | { readonly kind: 'unanswered'; readonly doneAfterMs?: number }
  /** A response that is not about the effect, which may happen all the same. */
  | { readonly kind: 'answered'; readonly answer: TransportAnswer; readonly done: boolean };

function fateOf(line: BucketLine, { method }: S3Call, nowMs: number): Fate {
  const { rng, rates } = line;
  const strikes = (name: keyof BucketRates) => rng.chance(rates[name]);
  const answered = (answer: TransportAnswer, done: boolean): Fate => ({ kind: 'answered', answer, done });
  if (strikes('outage')) line.outageUntilMs = nowMs + rng.between(1_000, TROUBLE_MS_MAX);
  if (strikes('denied')) line.deniedUntilMs = nowMs + rng.between(1_000, TROUBLE_MS_MAX);
  if (nowMs < line.outageUntilMs || strikes('lostBefore')) return { kind: 'unanswered' };
  if (nowMs < line.deniedUntilMs)
    return answered(rng.chance(0.5) ? failure(403, 'AccessDenied') : failure(400, 'ExpiredToken'), false);
  if (strikes('proxyPage')) return answered(page(rng.pick([403, 404, 502, 503, 504]), method), false);
  if (strikes('error5xx'))
    return answered(
      rng.chance(0.5) ? failure(500, 'InternalError') : failure(503, 'SlowDown'),
      rng.chance(0.5),
    );
  if (method === 'PUT' && strikes('conflict'))
    return answered(failure(409, 'ConditionalRequestConflict'), rng.chance(0.5));
  if (strikes('late')) return { kind: 'unanswered', doneAfterMs: rng.between(1, LATE_MS_MAX) };
  return { kind: 'done', answered: !strikes('lostAfter') };
}

function exchange(
  line: BucketLine,
  incarnation: Incarnation,
  call: S3Call,
  bytes: Uint8Array,
  settle: (answer: TransportAnswer | undefined) => void,
): void {
  const { timeline, rng, rates } = line;
  const latencyMs = () => (rng.chance(rates.slow) ? rng.between(1_000, 25_000) : rng.between(5, 120));
  const lose = () => timeline.after(rng.chance(0.5) ? latencyMs() : call.deadlineMs, () => settle(undefined));
  const doAfter = (delayMs: number, then: (answer: TransportAnswer) => void = () => {}) =>
    timeline.after(delayMs, () => perform(line, incarnation, call, bytes, then));
  if (line.refuses(incarnation, call, bytes)) {
    timeline.after(latencyMs(), () => settle(failure(403, 'AccessDenied')));
    return;
  }
  const fate = fateOf(line, call, timeline.nowMs());
  switch (fate.kind) {
    case 'unanswered':
      if (fate.doneAfterMs !== undefined) doAfter(fate.doneAfterMs);
      lose();
      break;
    case 'answered':
      if (fate.done) doAfter(latencyMs());
      timeline.after(latencyMs(), () => settle(fate.answer));
      break;
    case 'done':
      doAfter(latencyMs(), (answer) => {
        if (fate.answered) timeline.after(latencyMs(), () => settle(answer));
        else lose();
      });
  }
}

function perform(
  line: BucketLine,
  incarnation: Incarnation,
  call: S3Call,
  bytes: Uint8Array,
  then: (answer: TransportAnswer) => void,
): void {
  const { key, bodySha256 } = call;
  if (call.method !== 'PUT' || key === undefined) then(lookUp(line, incarnation, call));
  else if (bodySha256 !== undefined && sha256(bytes) !== bodySha256) then(failure(400, 'BadDigest'));
  else
    line.bucket.put(key, bytes, incarnation, (status) =>
      then(status === 200 ? made(200, EMPTY) : failure(412, 'PreconditionFailed')),
    );
}

function lookUp(
  { bucket, rng, rates, lists, listed }: BucketLine,
  incarnation: Incarnation,
  { method, key, query }: S3Call,
): TransportAnswer {
  if (key === undefined) {
    const keys = bucket.list(query?.prefix ?? '');
    lists(incarnation, keys);
    listed();
    return listAnswer(keys);
  }
  const found = bucket.objects.get(key);
  if (found === undefined) return method === 'HEAD' ? made(404, EMPTY) : failure(404, 'NoSuchKey');
  if (method === 'HEAD') return made(200, EMPTY, { 'content-length': String(found.length) });
  return made(
    200,
    found,
    { 'content-length': String(found.length) },
    rng.chance(rates.bodyCut) ? rng.below(found.length) : found.length,
  );
}

function made(
  status: number,
  body: Uint8Array,
  headers: Record<string, string> = {},
  length = body.length,
): TransportAnswer {
  return { kind: 'answer', status, headers, framed: true, body: pieces(body, length), discard: () => {} };
}

async function* pieces(body: Uint8Array, length: number): AsyncIterable<Uint8Array> {
  if (length > 0) yield body.subarray(0, length);
  if (length < body.length) throw Object.assign(new Error('simulated'), { code: 'UND_ERR_SOCKET' });
}

function failure(status: number, code: string): TransportAnswer {
  return made(status, Buffer.from(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`));
}

/** From a proxy. */
function page(status: number, method: S3Call['method']): TransportAnswer {
  return made(status, method === 'HEAD' ? EMPTY : Buffer.from('<html><body>Gateway</body></html>'));
}

function listAnswer(keys: readonly string[]): TransportAnswer {
  const contents = keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('');
  const text = `<ListBucketResult><IsTruncated>false</IsTruncated>${contents}</ListBucketResult>`;
  return made(200, Buffer.from(text));
}
