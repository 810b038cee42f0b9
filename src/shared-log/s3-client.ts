import type { Clock, TransportAnswer, Web } from '../core/ports.js';
import { StoreFault } from './object-store.js';
import type { S3Settings } from './s3-settings.js';
import { sha256, signS3 } from './s3-sign.js';

export interface S3Call {
  readonly method: 'GET' | 'HEAD' | 'PUT';
  /** Below the prefix; absent: the bucket itself. */
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Signed. Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Of a streamed body. */
  readonly bodySha256?: string;
  readonly deadlineMs: number;
}

/** One signed request. Throws a `StoreFault` (`unreachable`) if there is no response. */
export type S3Client = (call: S3Call) => Promise<TransportAnswer>;

export function createS3Client(web: Web, clock: Clock, settings: S3Settings): S3Client {
  const { base, bucketUrl, region, credentials } = settings;
  return async ({ method, key, query = {}, headers = {}, body, bodySha256, deadlineMs }) => {
    const url = key === undefined ? new URL(bucketUrl) : new URL(key, base);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const hash = bodySha256 ?? sha256(body instanceof Uint8Array ? body : '');
    const signed = signS3({ method, url, headers, bodySha256: hash }, credentials, region, clock.nowMs());
    const { host: _, ...sent } = signed;
    const request = { method, url: url.href, headers: sent, deadlineMs, ...(body && { body }) };
    const answer = await web.request(request);
    if (answer.kind === 'answer') return answer;
    throw new StoreFault('unreachable', `${answer.message} (${answer.code})`);
  };
}
