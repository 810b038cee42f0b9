import type { TransportAnswer } from '../core/ports.js';
import { OBJECT_BYTES_MAX, type ObjectStore, type PutAnswer, StoreFault } from './object-store.js';
import { bodyOf, readS3Error, readS3List } from './s3-answer.js';
import type { S3Client } from './s3-client.js';
import { expiringRule } from './s3-lifecycle.js';

const DEADLINE_MS = 30_000;
const LIST_BYTES_MAX = 8 * 1024 * 1024;
/** Of a thousand keys each. */
const PAGES_MAX = 1_000;

/** Only if the key does not exist. Signed, so that a request is refused if a proxy removed the header. */
export const ONLY_IF_ABSENT = { 'if-none-match': '*' };

/** Objects below a prefix of a bucket, over the S3 API. */
export function createS3Store(
  client: S3Client,
  place: { readonly address: string; readonly prefix: string; close(): Promise<void> },
): ObjectStore {
  return {
    address: place.address,
    putIfAbsent: async (key, bytes) => {
      const headers = { ...ONLY_IF_ABSENT, 'content-type': 'application/jsonl' };
      return putAnswer(() => client({ method: 'PUT', key, headers, body: bytes, deadlineMs: DEADLINE_MS }));
    },
    get: async (key) => {
      const answer = await client({ method: 'GET', key, deadlineMs: DEADLINE_MS });
      if (answer.status === 200) return bodyOf(answer, OBJECT_BYTES_MAX);
      const { code, fault } = await readS3Error(answer);
      // Any other 404 says nothing about the object.
      if (code !== 'NoSuchKey') throw fault;
      if (answer.headers['x-amz-delete-marker'] !== 'true') return undefined;
      throw new StoreFault('deleted', `${key} was deleted, and the bucket keeps its older versions`);
    },
    list: (prefix) => list(client, place.prefix, prefix),
    expiry: async () => {
      const rule = await expiringRule(client, place.prefix);
      if (rule === undefined) return undefined;
      const named = rule === '' ? 'a life-cycle rule' : `the life-cycle rule "${rule}"`;
      return `${named} of the bucket deletes or archives objects below this address`;
    },
    close: () => place.close(),
  };
}

/** Result of a conditional write. */
export async function putAnswer(put: () => Promise<TransportAnswer>): Promise<PutAnswer> {
  let answer: TransportAnswer;
  try {
    answer = await put();
  } catch (fault) {
    if (fault instanceof StoreFault) return { kind: 'unknown', why: fault };
    throw fault;
  }
  if (answer.status === 200 || answer.status === 201 || answer.status === 204) {
    answer.discard();
    return { kind: 'created' };
  }
  const { status, code, fault } = await readS3Error(answer);
  if (status === 412) return { kind: 'exists' };
  // Only an error from S3 itself proves that nothing was written.
  if (code === '' || fault.kind === 'unreachable') return { kind: 'unknown', why: fault };
  throw fault;
}

async function list(client: S3Client, base: string, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let next: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const query = {
      'list-type': '2',
      prefix: base + prefix,
      ...(next !== undefined && { 'continuation-token': next }),
    };
    const answer = await client({ method: 'GET', query, deadlineMs: DEADLINE_MS });
    if (answer.status !== 200) throw (await readS3Error(answer)).fault;
    const page = readS3List(new TextDecoder().decode(await bodyOf(answer, LIST_BYTES_MAX)));
    keys.push(...page.keys.map((key) => key.slice(base.length)));
    if (page.next === undefined) return keys.sort();
    next = page.next;
  }
  throw new StoreFault('unsupported', `a list of objects has more than ${PAGES_MAX} pages`);
}
