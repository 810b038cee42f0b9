import type { Transport, TransportAnswer, TransportRequest } from '../core/ports.js';
import { exchange, type GoodAnswer, readJson, unusable } from './answer.js';
import { AUDIO_HEAD_BYTES, isAudioHead, isBinary } from './audio-magic.js';
import type { CallResult, Retrieved } from './client.js';
import { audioType } from './media-type.js';
import { present } from './read-json.js';
import { type RetrievedJson, readRetrieved } from './wire.js';

/** A finished job may, rarely, come as base64 in the JSON. */
const INLINE_BYTES_MAX = 16 * 1024 * 1024;

type Deadlines = Pick<TransportRequest, 'deadlineMs' | 'headersDeadlineMs'>;

/**
 * Reads the response to `POST /audio/retrieve`.
 *
 * @param deadlines of the download, if the audio is on another host
 */
export async function readRetrieval(
  transport: Transport,
  good: GoodAnswer,
  deadlines: Deadlines,
): Promise<CallResult<Retrieved>> {
  const { audio, other } = await lookForAudio(good);
  if (audio !== undefined) return { ok: true, value: audio, rate: good.rate };
  const parsed = await readJson(other, INLINE_BYTES_MAX, readRetrieved);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind === 'elsewhere') return fetchElsewhere(transport, good, parsed.value.url, deadlines);
  return { ok: true, value: fromJson(parsed.value), rate: good.rate };
}

type Audio = Retrieved & { kind: 'audio' };

/**
 * The audio, according to the first bytes or, unless they begin an object, the content type; else what has to be
 * parsed. Proxies and stores put wrong types and encodings on audio, and audio's types on JSON. What can be neither JSON
 * nor a page is taken for audio of an unknown kind, which fails the check and is kept: it may be what was paid for.
 */
async function lookForAudio(
  good: GoodAnswer,
): Promise<{ audio: Audio; other?: never } | { audio?: never; other: GoodAnswer }> {
  const { mediaType, compression } = good;
  const { head, body } = await peek(good.answer.body);
  const answer: TransportAnswer = { ...good.answer, body };
  const stated = audioType(mediaType);
  if (isAudioHead(head)) return { audio: asAudio(answer, stated ?? (mediaType || UNKNOWN_TYPE)) };
  const isStated = stated !== undefined || (mediaType === '' && head.byteLength > 0);
  if (compression === undefined && (isStated ? !beginsObject(head) : isBinary(head)))
    return { audio: asAudio(answer, stated ?? (mediaType || UNKNOWN_TYPE)) };
  return { other: { ...good, answer } };
}

const UNKNOWN_TYPE = 'application/octet-stream';

/** Also after a byte-order mark or white space. */
function beginsObject(head: Uint8Array): boolean {
  return Buffer.from(head).toString().trimStart().startsWith('{');
}

/** The first bytes of a body, and the whole body including them. An error is thrown when the body is read. */
async function peek(
  body: AsyncIterable<Uint8Array>,
): Promise<{ head: Uint8Array; body: AsyncIterable<Uint8Array> }> {
  const rest = body[Symbol.asyncIterator]();
  const begun: Promise<IteratorResult<Uint8Array>>[] = [];
  let head: Uint8Array = new Uint8Array();
  while (head.byteLength < AUDIO_HEAD_BYTES) {
    const next = rest.next();
    begun.push(next);
    const piece = await next.then(
      (result) => (result.done === true ? undefined : result.value),
      () => undefined,
    );
    if (piece === undefined) break;
    head = head.byteLength === 0 ? piece : Buffer.concat([head, piece]);
  }
  return { head, body: resumed(begun, rest) };
}

async function* resumed(
  begun: readonly Promise<IteratorResult<Uint8Array>>[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (const next of begun) {
    const piece = await next;
    if (piece.done === true) return;
    yield piece.value;
  }
  for (let piece = await rest.next(); piece.done !== true; piece = await rest.next()) yield piece.value;
}

function asAudio(answer: TransportAnswer, mediaType: string): Audio {
  const contentLength = lengthOf(answer.headers['content-length']);
  return { kind: 'audio', mediaType, answer, ...present({ contentLength }) };
}

function lengthOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

function fromJson(json: Exclude<RetrievedJson, { kind: 'elsewhere' }>): Retrieved {
  if (json.kind !== 'inline') return json;
  const { bytes, mediaType } = json;
  const answer = { body: once(bytes), framed: true, discard: () => {} };
  return { kind: 'audio', mediaType, contentLength: bytes.byteLength, answer };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Downloads audio from another host, which never gets the key. That host's responses are not the API's: its 404 does not
 * mean that the job is gone, and its rate headers mean nothing.
 */
async function fetchElsewhere(
  transport: Transport,
  good: GoodAnswer,
  url: string,
  deadlines: Deadlines,
): Promise<CallResult<Retrieved>> {
  const there = await exchange(
    transport,
    { method: 'GET', path: '', elsewhere: url, ...deadlines },
    good.redact,
  );
  const { audio, other } = there.ok ? await lookForAudio(there) : {};
  if (audio !== undefined) return { ok: true, value: audio, rate: good.rate };
  other?.answer.discard();
  const why = there.ok ? `it is ${there.mediaType}` : there.message;
  return unusable(
    good,
    'url-result',
    `the audio is at ${new URL(url).host}, but could not be downloaded: ${why}`,
  );
}
