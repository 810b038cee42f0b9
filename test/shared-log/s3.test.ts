import { describe, expect, it } from 'vitest';
import type { Web } from '../../src/core/ports.js';
import { createWeb } from '../../src/node/web.js';
import { openObjectStore } from '../../src/shared-log/open-object-store.js';
import { readS3List } from '../../src/shared-log/s3-answer.js';
import { ruleFor } from '../../src/shared-log/s3-lifecycle.js';
import { s3Settings } from '../../src/shared-log/s3-settings.js';
import { sha256, signS3 } from '../../src/shared-log/s3-sign.js';
import type { StateAddress } from '../../src/shared-log/state-address.js';
import { parseStateAddress } from '../../src/shared-log/state-address.js';
import { NO_REPLY, type Reply, reply, webThat } from '../fakes/web.js';
import { attempt } from '../lockfile/build.js';
import { startMemoryS3 } from '../tools/memory-s3.js';
import { openAs } from './machine.js';
import { worldOf } from './places.js';

const KEYS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI' };

function storeOver(web: Web, address = 's3://bucket/albums/one', environment: Record<string, string> = KEYS) {
  return openObjectStore(parseStateAddress(address), { ...worldOf('/', environment), web: () => web });
}

const error = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`;
const bytes = new TextEncoder().encode('one\n');

describe('a signature', () => {
  it('matches the example in the documentation of AWS', () => {
    const headers = signS3(
      {
        method: 'GET',
        url: new URL('https://examplebucket.s3.amazonaws.com/test.txt'),
        headers: { range: 'bytes=0-9' },
        bodySha256: sha256(''),
      },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
      'us-east-1',
      Date.UTC(2013, 4, 24),
    );
    expect(headers.authorization).toContain(
      'SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    );
  });
});

describe('a conditional write', () => {
  it('signs the condition and the body', async () => {
    let sent: Record<string, string> = {};
    const store = storeOver(
      webThat(({ headers, url, method }) => {
        sent = { ...headers, url, method };
        return reply(200);
      }),
      's3://bucket/albums/one',
      { ...KEYS, AWS_SESSION_TOKEN: 'token' },
    );
    expect(await store.putIfAbsent('log/00000000.jsonl', bytes)).toEqual({ kind: 'created' });
    expect(sent).toMatchObject({
      method: 'PUT',
      url: 'https://bucket.s3.us-east-1.amazonaws.com/albums/one/log/00000000.jsonl',
      'if-none-match': '*',
      'x-amz-content-sha256': sha256(bytes),
      'x-amz-security-token': 'token',
    });
    expect(sent.authorization).toMatch(
      /SignedHeaders=content-type;host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-security-token,/,
    );
  });

  it.each<[string, Reply, string]>([
    ['200', reply(200), 'created'],
    ['412', reply(412, error('PreconditionFailed')), 'exists'],
    ['409', reply(409, error('ConditionalRequestConflict')), 'unknown'],
    ['500', reply(500, error('InternalError')), 'unknown'],
    ['503', reply(503, error('SlowDown')), 'unknown'],
    ['429', reply(429), 'unknown'],
    ['no answer', NO_REPLY, 'unknown'],
    ['a 403 that is not from S3', reply(403, '<html>'), 'unknown'],
    ['403', reply(403, error('AccessDenied')), 'denied'],
    ['a wrong key', reply(403, error('SignatureDoesNotMatch')), 'denied'],
    ['an expired token', reply(400, error('ExpiredToken')), 'expired'],
    ['a missing bucket', reply(404, error('NoSuchBucket')), 'missing'],
    ['an unknown header', reply(501, error('NotImplemented')), 'unsupported'],
    ['a refused argument', reply(400, error('InvalidArgument')), 'unsupported'],
  ])('that gets %s', async (_, answer, meaning) => {
    const store = storeOver(webThat(() => answer));
    const result = await store.putIfAbsent('log/00000000.jsonl', bytes).catch((fault) => fault);
    expect(result.kind).toBe(meaning);
  });
});

describe('a read', () => {
  it.each<[string, Reply, string]>([
    ['404', reply(404, error('NoSuchKey')), 'absent'],
    ['a delete marker', reply(404, error('NoSuchKey'), { 'x-amz-delete-marker': 'true' }), 'deleted'],
    ['a 404 of something else', reply(404, '<html>'), 'unsupported'],
    ['a missing bucket', reply(404, error('NoSuchBucket')), 'missing'],
    ['403', reply(403, error('AccessDenied')), 'denied'],
    ['503', reply(503), 'unreachable'],
    ['no answer', NO_REPLY, 'unreachable'],
    ['a redirect', reply(301, error('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-west-1' }), 'missing'],
  ])('that gets %s', async (_, answer, meaning) => {
    const store = storeOver(webThat(() => answer));
    const result = await store.get('log/00000000.jsonl').catch((fault) => fault);
    expect(result?.kind ?? 'absent').toBe(meaning);
  });

  it.each([403, 404])('says that a %s is not from S3 if its body is not', async (status) => {
    const store = storeOver(webThat(() => reply(status, '<html>Sign in</html>')));
    await expect(store.get('log/x')).rejects.toThrow(`HTTP ${status}, not from S3`);
  });

  it.each([
    ['InvalidObjectState', 'a life-cycle rule archived the object'],
    ['RequestTimeTooSkewed', 'the clock of this machine'],
    ['SignatureDoesNotMatch', 'a proxy changed the request'],
    ['InvalidRequest</Code><Message>Content-MD5 required with Object Lock parameters', 'a default retention'],
  ])('names a likely cause of %s', async (code, cause) => {
    const answer = reply(403, error(code));
    await expect(storeOver(webThat(() => answer)).get('log/x')).rejects.toThrow(cause);
  });

  it('reports the region that the bucket is in', async () => {
    const answer = reply(301, error('PermanentRedirect'), { 'x-amz-bucket-region': 'eu-west-1' });
    await expect(storeOver(webThat(() => answer)).get('log/x')).rejects.toThrow('add region=eu-west-1');
  });
});

describe('a list', () => {
  it('is read page by page, and unescaped', async () => {
    const urls: string[] = [];
    const page = (key: string, next?: string) =>
      `<ListBucketResult><IsTruncated>${next !== undefined}</IsTruncated><Contents><Key>a&amp;b/${key}</Key></Contents>` +
      `${next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`}</ListBucketResult>`;
    const web = webThat(({ url }) => {
      urls.push(new URL(url).search);
      return reply(200, urls.length === 1 ? page('log/1', 'x&#x2F;=') : page('log/2'));
    });
    const settings = { ...worldOf('/', KEYS), web: () => web };
    const address: StateAddress = { kind: 's3', bucket: 'bucket', prefix: 'a&b' };
    expect(await openObjectStore(address, settings).list('log/')).toEqual(['log/1', 'log/2']);
    expect(urls).toEqual([
      '?list-type=2&prefix=a%26b%2Flog%2F',
      '?list-type=2&prefix=a%26b%2Flog%2F&continuation-token=x%2F%3D',
    ]);
  });
});

describe('a malicious answer of a store', () => {
  it.each([
    ['objects without a key', '<Contents>'.repeat(200_000), []],
    ['keys that never end', '<Contents><Key>'.repeat(200_000), []],
    [
      'a character that does not exist',
      '<Contents><Key>log/&#x110000;&#99999999999;</Key></Contents>',
      ['log/&#x110000;&#99999999999;'],
    ],
  ])('is read once: a list of %s', (_, body, keys) => {
    expect(readS3List(`<ListBucketResult>${body}`)).toEqual({ keys });
  });

  it('is read once: a list of rules that never end', () => {
    expect(ruleFor('<Rule><Prefix>'.repeat(70_000), 'albums/one/')).toBeUndefined();
  });

  it('is not read forever: a list without an end', async () => {
    const text =
      '<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>x</NextContinuationToken>';
    let asked = 0;
    const web = webThat(() => {
      asked += 1;
      return reply(200, text);
    });
    await expect(storeOver(web).list('log/')).rejects.toMatchObject({ kind: 'unsupported' });
    expect(asked).toBe(1_000);
  });
});

describe("the bucket's address", () => {
  const at = (address: string, environment: Record<string, string> = {}) => {
    const parsed = parseStateAddress(address) as StateAddress & { kind: 's3' };
    const { base, region } = s3Settings(parsed, { ...KEYS, ...environment });
    return [base.href, region];
  };

  it.each<[string, Record<string, string>, string, string]>([
    ['s3://bucket', {}, 'https://bucket.s3.us-east-1.amazonaws.com/', 'us-east-1'],
    [
      's3://bucket/p',
      { AWS_REGION: 'eu-west-1' },
      'https://bucket.s3.eu-west-1.amazonaws.com/p/',
      'eu-west-1',
    ],
    ['s3://my.bucket/p', {}, 'https://s3.us-east-1.amazonaws.com/my.bucket/p/', 'us-east-1'],
    [
      's3://bucket/p?region=eu-central-1',
      { AWS_REGION: 'x' },
      'https://bucket.s3.eu-central-1.amazonaws.com/p/',
      'eu-central-1',
    ],
    [
      's3://bucket/p',
      { AWS_ENDPOINT_URL_S3: 'http://minio:9000' },
      'http://minio:9000/bucket/p/',
      'us-east-1',
    ],
    [
      's3://bucket/p?endpoint=https://acc.r2.cloudflarestorage.com',
      {},
      'https://acc.r2.cloudflarestorage.com/bucket/p/',
      'auto',
    ],
    [
      's3://bucket/p?endpoint=fly.storage.tigris.dev&region=auto',
      {},
      'https://fly.storage.tigris.dev/bucket/p/',
      'auto',
    ],
  ])('%s', (address, environment, url, region) => {
    expect(at(address, environment)).toEqual([url, region]);
  });

  it('is not used without credentials', () => {
    expect(() => at('s3://bucket', { AWS_SECRET_ACCESS_KEY: '' })).toThrow(
      'AWS_SECRET_ACCESS_KEY is not set',
    );
  });
});

describe('a bucket that keeps versions', () => {
  it('shows that the newest entries were deleted: nothing is written in their place', async () => {
    const server = await startMemoryS3();
    const open = (run: string) =>
      openAs(run, storeOver(createWeb({}, String), `s3://bucket/p?endpoint=${server.endpoint}`));
    try {
      const log = await open('one');
      await log.append(attempt());
      await log.close();
      server.deleteVersioned('/bucket/p/log/00000001.jsonl');
      const two = await open('two');
      const altered = {
        code: 'state-altered',
        exitCode: 9,
        message: expect.stringContaining('entry 1 is missing'),
      };
      expect(two.fault()).toMatchObject(altered);
      for (const state of ['intent', 'queued'] as const)
        await expect(two.append(attempt({ state, queue_id: 'q' }))).rejects.toMatchObject(altered);
      await expect(two.beat()).rejects.toMatchObject(altered);
      await two.close();
      expect([...server.objects.keys()].filter((key) => key.includes('/log/'))).toEqual([
        '/bucket/p/log/00000000.jsonl',
      ]);
    } finally {
      await server.stop();
    }
  });
});

describe('a server that ignores the condition', () => {
  it('is refused by the probe, before anything is claimed', async () => {
    const server = await startMemoryS3({ careless: true });
    try {
      const store = storeOver(createWeb({}, String), `s3://bucket/p?endpoint=${server.endpoint}`);
      const log = await openAs('run', store);
      await expect(log.append(attempt())).rejects.toMatchObject({ code: 'state-unsafe', exitCode: 9 });
      expect(await store.list('log/')).toEqual(['log/00000000.jsonl']);
      await log.close();
    } finally {
      await server.stop();
    }
  });
});

describe('a lifecycle rule', () => {
  const rule = (body: string, status = 'Enabled') =>
    `<LifecycleConfiguration><Rule><ID>old things</ID><Status>${status}</Status>${body}</Rule></LifecycleConfiguration>`;
  const days = '<Expiration><Days>30</Days></Expiration>';

  it.each<[string, string, string | undefined]>([
    ['of the whole bucket', rule(`<Filter/>${days}`), 'old things'],
    ['of a parent folder', rule(`<Filter><Prefix>albums/</Prefix></Filter>${days}`), 'old things'],
    ['of a folder below', rule(`<Prefix>albums/one/audio/</Prefix>${days}`), 'old things'],
    ['of another folder', rule(`<Filter><Prefix>logs/</Prefix></Filter>${days}`), undefined],
    ['that is switched off', rule(`<Filter/>${days}`, 'Disabled'), undefined],
    [
      'of old versions only',
      rule('<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration>'),
      undefined,
    ],
    [
      'of delete markers only',
      rule('<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>'),
      undefined,
    ],
    [
      'of delete markers, and one that moves objects to a cheaper class',
      rule(
        '<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>' +
          '<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>',
      ),
      undefined,
    ],
    [
      'that archives objects, which can then not be read',
      rule(
        '<Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>' +
          '<Transition><Days>90</Days><StorageClass>DEEP_ARCHIVE</StorageClass></Transition>',
      ),
      'old things',
    ],
    ['of old probes', rule(`<Filter><Prefix>albums/one/probe/</Prefix></Filter>${days}`), undefined],
    ['with a date', rule('<Expiration><Date>2027-01-01T00:00:00Z</Date></Expiration>'), 'old things'],
    ['that is not a valid rule', '<html>', undefined],
  ])('%s', (_, text, expected) => {
    expect(ruleFor(text, 'albums/one/')).toBe(expected);
  });

  it.each([
    ['<ID>Löschen (30 d) &amp; /tmp, "alt"</ID>', 'Löschen (30 d) & /tmp, "alt"'],
    [`<ID>\n  ${'x'.repeat(255)}\n</ID>`, 'x'.repeat(255)],
    ['<ID/>', ''],
    ['', ''],
  ])('with the id %s', (id, expected) => {
    expect(ruleFor(rule(`<Filter/>${days}`).replace('<ID>old things</ID>', id), 'albums/one/')).toBe(
      expected,
    );
  });

  it('whose prefix is escaped', () => {
    expect(ruleFor(rule(`<Prefix>a&amp;b/log</Prefix>${days}`), 'a&b/')).toBe('old things');
  });
});
