import type {
  Transport,
  TransportAnswer,
  TransportNoAnswer,
  TransportRequest,
} from '../../src/core/ports.js';
import type { SimProcess } from './process.js';
import type { Rng } from './random.js';
import type { Server, ServerAnswer } from './server.js';
import type { Timeline } from './timeline.js';

/** How often each fault between client and service occurs, per request. */
export interface NetworkRates {
  /** No connection: nothing is sent. */
  readonly noConnection: number;
  /** The request is lost, or the connection is reset before it arrives. */
  readonly requestLost: number;
  /** The service does what was asked, but the answer never arrives. */
  readonly answerLost: number;
  /** A proxy answers instead of the service: HTML, a redirect, 502. The service sees nothing. */
  readonly proxyAnswers: number;
  /** The same after the service did what was asked. */
  readonly proxySpoils: number;
  /** JSON of the service arrives cut, or with other types in it. */
  readonly garbled: number;
  /** The body breaks off. */
  readonly bodyCut: number;
  /** The body stalls until the deadline. */
  readonly bodyStalls: number;
  /** Seconds instead of milliseconds. */
  readonly slow: number;
  /** The response begins after its header deadline, if it has one, but before the overall one. */
  readonly lateHeaders: number;
}

export interface NetworkWorld {
  readonly timeline: Timeline;
  readonly rng: Rng;
  readonly server: Server;
  rates: NetworkRates;
  /** Other rates for submits. */
  submitRates?: Partial<NetworkRates> | undefined;
  /** Share of responses whose end is not marked. */
  readonly unframed: number;
  /** The id in the response to a submit instead of its own. */
  readonly replays?: () => string | undefined;
  /** Whether a cut body ends without an error, although its length was declared. */
  readonly cutsSilently?: () => boolean;
}

/** One process's connection to the service. */
export interface Line {
  readonly world: NetworkWorld;
  readonly process: SimProcess;
  readonly apiKey: string;
  /** Called when the request is sent, before anything can go wrong with it. */
  readonly onSend: (request: TransportRequest) => void;
  /** Called when the service has handled it. */
  readonly onHandled: (request: TransportRequest, answer: ServerAnswer) => void;
  /** Called when the process has read the service's own response to its end. */
  readonly onRead: (request: TransportRequest, answer: ServerAnswer) => void;
}

type Outcome = TransportAnswer | TransportNoAnswer;

export function createTransport(line: Line): Transport {
  return (request) =>
    line.process.call<Outcome>((settle) => {
      line.onSend(request);
      exchange(line, request, settle);
    });
}

function exchange(line: Line, request: TransportRequest, settle: (outcome: Outcome) => void): void {
  const { world, apiKey, process: simProcess } = line;
  const { timeline, rng, server } = world;
  const rates = request.path === '/audio/queue' ? { ...world.rates, ...world.submitRates } : world.rates;
  const startMs = timeline.nowMs();
  const deadlineAtMs = startMs + request.deadlineMs;
  const headersDeadlineMs = Math.min(request.headersDeadlineMs ?? request.deadlineMs, request.deadlineMs);
  const sent = !rng.chance(rates.noConnection);
  const end = settleInTime(timeline, headersDeadlineMs, sent, settle);
  const fail = (code: string) => end(noAnswer(sent, code));
  /** Unless it is reset, nothing is heard until the deadline. */
  const lose = () => {
    if (rng.chance(0.5)) timeline.after(latencyMs(world), () => fail('ECONNRESET'));
  };

  if (!sent) {
    const code = rng.pick(['ECONNREFUSED', 'ENOTFOUND', 'UND_ERR_CONNECT_TIMEOUT']);
    timeline.after(latencyMs(world), () => fail(code));
    return;
  }
  // A kept-alive connection that the service has just closed.
  const stale = request.freshConnection !== true && rng.chance(rates.requestLost);
  if (stale || rng.chance(rates.requestLost)) {
    lose();
    return;
  }
  if (rng.chance(rates.proxyAnswers)) {
    const answer = proxyPage(rng);
    timeline.after(latencyMs(world), () => end(answerOf(world, simProcess, answer, deadlineAtMs)));
    return;
  }
  timeline.after(latencyMs(world), () => {
    const handled = server.handle(
      { method: request.method, path: request.elsewhere ?? request.path, body: request.body, apiKey },
      timeline.nowMs(),
    );
    line.onHandled(request, handled);
    const answer = replay(world, request, spoil(world, request.path, handled));
    const onRead = () => {
      if (answer === handled) line.onRead(request, answer);
    };
    const backMs = rng.chance(rates.lateHeaders)
      ? startMs + rng.between(request.headersDeadlineMs ?? 0, request.deadlineMs) - timeline.nowMs()
      : latencyMs(world);
    if (rng.chance(rates.answerLost)) lose();
    else timeline.after(backMs, () => end(answerOf(world, simProcess, answer, deadlineAtMs, onRead)));
  });
}

/** Settles with whatever comes first: an outcome, or the header deadline. */
function settleInTime(
  timeline: Timeline,
  headersDeadlineMs: number,
  sent: boolean,
  settle: (outcome: Outcome) => void,
): (outcome: Outcome) => void {
  let over = false;
  const end = (outcome: Outcome) => {
    if (over) return;
    over = true;
    stopAlarm();
    settle(outcome);
  };
  const stopAlarm = timeline.after(headersDeadlineMs, () => end(noAnswer(sent, 'DEADLINE')));
  return end;
}

function noAnswer(sent: boolean, code: string): TransportNoAnswer {
  return { kind: 'no_answer', sent, code, message: `simulated ${code}` };
}

function latencyMs(world: NetworkWorld): number {
  return world.rng.chance(world.rates.slow) ? world.rng.between(1_000, 40_000) : world.rng.between(5, 150);
}

function proxyPage(rng: Rng): ServerAnswer {
  return pageOf(rng.pick([200, 301, 307, 400, 403, 404, 429, 500, 502, 503, 504]));
}

/** Some proxies report a lost connection to the service in plain words. */
function pageOf(status: number): ServerAnswer {
  if (status === 503) {
    const body = Buffer.from('upstream connect error or disconnect/reset before headers');
    return { status, headers: { 'content-type': 'text/plain' }, body };
  }
  const headers: Record<string, string> = { 'content-type': 'text/html' };
  if (status === 301 || status === 307) headers.location = 'https://elsewhere.example/';
  return { status, headers, body: Buffer.from('<html><body>Gateway</body></html>') };
}

function spoil(world: NetworkWorld, path: string, answer: ServerAnswer): ServerAnswer {
  const { rng, rates } = world;
  if (rng.chance(rates.proxySpoils)) {
    const status = rng.pick([500, 502, 504]);
    const jsonError = {
      // On a retrieve, 500 is how the service reports a failed job: a proxy that repeats it would be believed.
      status: path === '/audio/retrieve' && status === 500 ? 502 : status,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from('{"error":"Unknown error"}'),
    };
    // Drawn although it is not used: the seeds of known worlds count on it.
    proxyPage(rng);
    // After the effect, only responses that say nothing about money: a refusal here would be a lie of the service.
    return rng.chance(0.5) ? jsonError : pageOf(rng.pick([200, 307, 403, 500, 502, 503, 504]));
  }
  if (answer.headers['content-type'] === 'application/json' && rng.chance(rates.garbled))
    return { ...answer, body: garble(rng, answer.body) };
  return answer;
}

function replay(world: NetworkWorld, request: TransportRequest, answer: ServerAnswer): ServerAnswer {
  if (request.path !== '/audio/queue' || answer.status !== 200) return answer;
  const queueId = world.replays?.();
  if (queueId === undefined) return answer;
  const { model } = JSON.parse(request.body ?? '{}') as { model: string };
  return { ...answer, body: Buffer.from(JSON.stringify({ model, queue_id: queueId, status: 'QUEUED' })) };
}

function garble(rng: Rng, body: Uint8Array): Uint8Array {
  const text = Buffer.from(body).toString();
  switch (rng.pick(['cut', 'list', 'null', 'types', 'empty'] as const)) {
    case 'cut':
      return Buffer.from(text.slice(0, rng.below(text.length)));
    case 'list':
      return Buffer.from(`[${text}]`);
    case 'null':
      return Buffer.from('null');
    case 'types':
      return Buffer.from(
        text.replace(/"(queue_id|quote|success|status|data|error)":/g, '"$1":[7],"was_$1":'),
      );
    case 'empty':
      return new Uint8Array(0);
  }
}

function answerOf(
  world: NetworkWorld,
  simProcess: SimProcess,
  answer: ServerAnswer,
  deadlineAtMs: number,
  onRead: () => void = () => {},
): TransportAnswer {
  const { rng } = world;
  const framed = !rng.chance(world.unframed);
  const headers = framed
    ? { ...answer.headers, 'content-length': String(answer.body.length) }
    : answer.headers;
  let discarded = false;
  return {
    kind: 'answer',
    status: answer.status,
    headers,
    framed,
    body: readBody({
      world,
      simProcess,
      body: answer.body,
      framed,
      isAudio: answer.headers['content-type']?.startsWith('audio/') === true,
      deadlineAtMs,
      discarded: () => discarded,
      onRead,
    }),
    discard: () => {
      discarded = true;
    },
  };
}

interface Body {
  readonly world: NetworkWorld;
  readonly simProcess: SimProcess;
  readonly body: Uint8Array;
  readonly framed: boolean;
  readonly isAudio: boolean;
  readonly deadlineAtMs: number;
  readonly discarded: () => boolean;
  readonly onRead: () => void;
}

async function* readBody(of: Body): AsyncIterable<Uint8Array> {
  const { simProcess, body, framed, deadlineAtMs, discarded } = of;
  const { rng, rates, timeline } = of.world;
  const silent = of.isAudio && framed && of.world.cutsSilently?.() === true;
  const isCut = rng.chance(rates.bodyCut) || silent;
  const cut = isCut && body.length > 0 ? drawCut(rng, body) : body.length;
  const stalls = rng.chance(rates.bodyStalls);
  const pieces = rng.between(1, 2);
  for (let piece = 0; piece < pieces; piece++) {
    const from = Math.floor((cut * piece) / pieces);
    const to = Math.floor((cut * (piece + 1)) / pieces);
    const waitMs = stalls && piece === pieces - 1 ? deadlineAtMs - timeline.nowMs() : rng.between(0, 20);
    await simProcess.act(waitMs, () => {
      if (discarded()) throw bodyFault('UND_ERR_ABORTED');
      if (timeline.nowMs() >= deadlineAtMs) throw bodyFault('UND_ERR_BODY_TIMEOUT');
    });
    if (to > from) yield body.subarray(from, to);
  }
  if (cut === body.length) of.onRead();
  else if (framed && !silent) throw bodyFault('UND_ERR_SOCKET');
}

/** Where each body was cut so far. */
const cuts = new WeakMap<Uint8Array, Set<number>>();

/**
 * Never twice at the same byte. In a real file of millions of bytes that does not happen; in a simulated one
 * of dozens it would, and such a body could not be told from a whole one whose end is not marked.
 */
function drawCut(rng: Rng, body: Uint8Array): number {
  const drawn = rng.below(body.length);
  const before = cuts.get(body) ?? new Set();
  let cut = drawn;
  while (before.has(cut) && before.size < body.length) cut = (cut + 1) % body.length;
  cuts.set(body, before.add(cut));
  return cut;
}

function bodyFault(code: string): Error & { code: string } {
  return Object.assign(new Error(`simulated ${code}`), { code });
}
