import type { Files } from '../core/ports.js';
import { type AudioStore, audioKey } from './audio-store.js';
import { downloadTo, onlyIf, requireSame, type Sum, sumOf } from './hashed.js';
import { StoreFault } from './object-store.js';
import { readS3Error } from './s3-answer.js';
import type { S3Client } from './s3-client.js';
import { ONLY_IF_ABSENT, putAnswer } from './s3-store.js';
import { type StoreAccess, withRetries } from './store-retries.js';

/** For one upload or download: an hour of audio over a slow line. */
const AUDIO_MS = 15 * 60_000;
const DEADLINE_MS = 30_000;

type Trying = Omit<StoreAccess, 'store'>;

/** Audio below a prefix of a bucket. The hash is signed, so that the store accepts only these bytes. */
export function createS3Audio(
  client: S3Client,
  files: Files,
  trying: Trying,
  place: { readonly address: string; close(): Promise<void> },
): AudioStore {
  const sizeNow = (sha256: string) => withRetries(trying, () => sizeOf(client, sha256));
  const sumNow = (sha256: string) => withRetries(trying, () => sumOf(contents(client, sha256)));
  return {
    address: place.address,
    put: async (path, sha256, bytes) => {
      const answer = await withRetries(
        trying,
        () => upload(client, files, path, { sha256, bytes }),
        'writes',
      );
      if (answer === 'changed') return 'changed';
      if (answer === 'created') check(await sizeNow(sha256), bytes, sha256);
      else {
        const found = await sumNow(sha256);
        requireSame(found.sha256, sha256);
        check(found.bytes, bytes, sha256);
      }
      return 'stored';
    },
    download: async (sha256, bytes, to) => {
      if ((await to.files.facts(to.path)) !== undefined) return 'exists';
      if ((await sizeNow(sha256)) === undefined) return 'absent';
      const { random } = trying;
      return withRetries(trying, () => downloadTo(to, { sha256, bytes }, random, contents(client, sha256)));
    },
    has: async (sha256) => (await sizeNow(sha256)) !== undefined,
    holds: async (sha256) =>
      (await sizeNow(sha256)) !== undefined && (await sumNow(sha256)).sha256 === sha256,
    close: () => place.close(),
  };
}

/** In bytes; `undefined` if it is not there. */
async function sizeOf(client: S3Client, sha256: string): Promise<number | undefined> {
  const call = { key: audioKey(sha256), deadlineMs: DEADLINE_MS };
  const head = await client({ ...call, method: 'HEAD' });
  // Without a body a 404 could be anyone's, and a file that seems absent may be bought again; nor does it say why a
  // request was refused.
  const answer = head.status >= 400 && head.status < 500 ? await client({ ...call, method: 'GET' }) : head;
  if (answer.status === 200) {
    answer.discard();
    return Number(answer.headers['content-length']);
  }
  const { code, fault } = await readS3Error(answer);
  if (code === 'NoSuchKey') return undefined;
  throw fault;
}

async function upload(
  client: S3Client,
  files: Files,
  path: string,
  expected: Sum,
): Promise<'created' | 'exists' | 'changed'> {
  let changed = false;
  const body = onlyIf(expected, files.stream(path), () => {
    changed = true;
  });
  const headers = {
    ...ONLY_IF_ABSENT,
    'content-type': 'application/octet-stream',
    'content-length': String(expected.bytes),
  };
  const call = { method: 'PUT' as const, key: audioKey(expected.sha256), headers, deadlineMs: AUDIO_MS };
  const answer = await putAnswer(() => client({ ...call, body, bodySha256: expected.sha256 }));
  if (changed) return 'changed';
  if (answer.kind !== 'unknown') return answer.kind;
  // It may be there anyway, and need not be sent again.
  if ((await sizeOf(client, expected.sha256)) !== undefined) return 'exists';
  throw answer.why;
}

async function* contents(client: S3Client, sha256: string): AsyncIterable<Uint8Array> {
  const answer = await client({ method: 'GET', key: audioKey(sha256), deadlineMs: AUDIO_MS });
  if (answer.status !== 200) throw (await readS3Error(answer)).fault;
  try {
    yield* answer.body;
  } catch (error) {
    throw new StoreFault('unreachable', `the audio was cut off (${String(error)})`);
  } finally {
    answer.discard();
  }
}

function check(found: number | undefined, bytes: number, sha256: string): void {
  if (found !== bytes)
    throw new StoreFault('altered', `the audio ${sha256} has ${found ?? 'no'} bytes instead of ${bytes}`);
}
