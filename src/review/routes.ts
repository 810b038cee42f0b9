import type { PickRequest, ReviewData } from './data.js';
import { type PageAssets, servedHtml } from './html.js';
import { readRange } from './range.js';

export interface PageRequest {
  readonly method: string;
  /** Below the token, with its leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Reads the body; `undefined` if it is longer than `bytesMax`. */
  body(bytesMax: number): Promise<string | undefined>;
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** A stored file that may be sent. */
export interface ServedFile {
  readonly bytes: number;
  readonly mediaType: string;
  stream(firstByte: number): AsyncIterable<Uint8Array>;
}

/** The page's content, and what it can change. */
export interface PageWorld {
  readonly assets: PageAssets;
  /** The newest data, with a tag that changes whenever the data does; or why there is none. */
  data(): Promise<
    | { readonly ok: true; readonly data: ReviewData; readonly tag: string }
    | { readonly ok: false; readonly problem: string }
  >;
  /** `undefined` if the lockfile does not name it, or it is not here. */
  audio(sha256: string): Promise<ServedFile | undefined>;
  /** Heights of the waveform, 0 to 255; `undefined` if there is none. */
  peaks(sha256: string): Promise<Uint8Array | undefined>;
  /** Resolves to the reason for a refusal, or to `undefined` when it is saved. */
  pick(request: PickRequest): Promise<string | undefined>;
}

const PICK_BYTES_MAX = 64 * 1024;

/** Answers a request below the page's own address. The sender has been admitted already. */
export async function answer(request: PageRequest, world: PageWorld): Promise<PageAnswer> {
  const { method, path } = request;
  if (method === 'POST') return path === '/pick' ? pick(request, world) : notFound();
  const [, kind, sha256 = ''] = /^\/(audio|peaks)\/([0-9a-f]{64})$/.exec(path) ?? [];
  if (kind === 'audio') return audio(request, await world.audio(sha256));
  if (kind === 'peaks') return peaks(await world.peaks(sha256));
  switch (path) {
    case '/':
      return text(200, 'text/html', servedHtml());
    case '/page.js':
      return text(200, 'text/javascript', world.assets.script);
    case '/page.css':
      return text(200, 'text/css', world.assets.style);
    case '/data.json':
      return data(request, world);
    default:
      return notFound();
  }
}

async function data({ headers }: PageRequest, world: PageWorld): Promise<PageAnswer> {
  const newest = await world.data();
  if (!newest.ok) return text(503, 'text/plain', newest.problem);
  const { data, tag } = newest;
  const etag = `"${tag}"`;
  if (headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
  const response = text(200, 'application/json', JSON.stringify(data));
  return { ...response, headers: { ...response.headers, etag } };
}

async function audio({ headers }: PageRequest, file: ServedFile | undefined): Promise<PageAnswer> {
  if (file === undefined) return notFound();
  const range = readRange(typeof headers.range === 'string' ? headers.range : undefined, file.bytes);
  const about = {
    'content-type': shownType(file.mediaType),
    'accept-ranges': 'bytes',
    'cache-control': 'no-cache',
  };
  if (range.kind === 'outside')
    return { status: 416, headers: { ...about, 'content-range': `bytes */${file.bytes}` }, body: '' };
  const [first, last] = range.kind === 'part' ? [range.first, range.last] : [0, file.bytes - 1];
  const part = { 'content-length': String(last - first + 1) };
  const body = upTo(file.stream(first), last - first + 1);
  if (range.kind === 'whole') return { status: 200, headers: { ...about, ...part }, body };
  const where = { 'content-range': `bytes ${first}-${last}/${file.bytes}` };
  return { status: 206, headers: { ...about, ...part, ...where }, body };
}

/** A lockfile may say that a file is a page, which would run as a part of this one. */
function shownType(mediaType: string): string {
  return /^(?:audio|video)\//.test(mediaType) ? mediaType : 'application/octet-stream';
}

async function* upTo(pieces: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const piece of pieces) {
    yield piece.subarray(0, left);
    left -= piece.byteLength;
    if (left <= 0) return;
  }
}

function peaks(heights: Uint8Array | undefined): PageAnswer {
  if (heights === undefined) return notFound();
  return { status: 200, headers: { 'content-type': 'application/octet-stream', ...FOREVER }, body: heights };
}

/** Addressed by the hash of its file, so it never changes. */
const FOREVER = { 'cache-control': 'private, max-age=31536000, immutable' };

async function pick(request: PageRequest, world: PageWorld): Promise<PageAnswer> {
  const isJson = /^application\/json\b/.test(String(request.headers['content-type'] ?? ''));
  const body = isJson ? await request.body(PICK_BYTES_MAX) : undefined;
  const wanted = body === undefined ? undefined : readPick(body);
  if (wanted === undefined) return text(400, 'text/plain', 'This is not a pick.');
  const refused = await world.pick(wanted);
  return refused === undefined ? { status: 204, headers: {}, body: '' } : text(409, 'text/plain', refused);
}

function readPick(body: string): PickRequest | undefined {
  let value: Partial<Record<keyof PickRequest, unknown>> | null;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { track, sha256, note } = value ?? {};
  if (typeof track !== 'string' || (sha256 !== null && !isSha256(sha256))) return undefined;
  if (note !== undefined && typeof note !== 'string') return undefined;
  return { track, sha256, ...(note === undefined ? {} : { note }) };
}

function isSha256(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
}

function notFound(): PageAnswer {
  return text(404, 'text/plain', 'Not found.');
}

function text(status: number, type: string, body: string): PageAnswer {
  return { status, headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' }, body };
}
