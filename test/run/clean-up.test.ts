import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BatchError, EXIT } from '../../src/core/errors.js';
import type { RunEvent } from '../../src/core/events.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { createKeySignature, type KeySignature } from '../../src/lockfile/key-signature.js';
import type { Sharing } from '../../src/lockfile/lock-store.js';
import { execute, type RunInput, type RunOutcome } from '../../src/run/execute.js';
import { openOutput } from '../../src/storage/output.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command } from '../lockfile/build.js';
import { lockOn } from '../lockfile/lock-on.js';
import { fakeClock, START_MS } from '../report/fakes.js';

const ROOT = '/album';
const AUDIO = 'all that was paid for';
const PLACE = 'out/one.mp3';
const bytes = Buffer.from(AUDIO);
const at = { intent: new Date(START_MS).toISOString(), queued: new Date(START_MS).toISOString() };
const keySignature = createKeySignature('0'.repeat(32), 'key');
const made = attempt({
  state: 'stored',
  stem: 'out/one',
  queue_id: 'job',
  at,
  file: {
    path: PLACE,
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    media_type: 'audio/mpeg',
  },
});

const stored: Attempt = { ...made, key: keySignature.of(made) };

interface Scene {
  readonly disk: MemoryDisk;
  readonly keep?: boolean;
  readonly before?: (request: 'retrieve' | 'complete') => void;
  readonly attempt?: Attempt;
  readonly seal?: KeySignature;
  readonly sharing?: Partial<Sharing>;
}

/** A run with one clean-up to do. */
async function cleanUp({
  disk,
  keep = false,
  before,
  attempt: first = stored,
  seal = keySignature,
  sharing,
}: Scene) {
  const clock = fakeClock();
  const store = await lockOn(disk, [first]);
  const requests: string[] = [];
  const events: RunEvent[] = [];
  const body = async function* () {
    yield bytes;
  };
  const client = {
    retrieve: async () => {
      before?.('retrieve');
      requests.push('retrieve');
      const answer = { body: body(), framed: true, discard: () => {} };
      const value = { kind: 'audio', mediaType: 'audio/mpeg', contentLength: bytes.length, answer };
      return { ok: true, value, rate: {} };
    },
    complete: async () => {
      before?.('complete');
      requests.push('complete');
      return { ok: true, value: true, rate: {} };
    },
  };
  let outcome: RunOutcome | undefined;
  const ended = execute({
    ports: {
      clock,
      files: disk.files,
      random: { bytes: (count: number) => new Uint8Array(count) },
      inspectMedia: async () => ({ kind: 'whole', mediaType: 'audio/mpeg' }),
    },
    client,
    output: await openOutput(disk.files, ROOT),
    store: sharing === undefined ? store : { ...store, sharing: { ...SHARING, ...sharing } },
    purchases: [],
    takes: [],
    approvedMicroUsd: 0,
    keySignature: seal,
    settings: { outputRoot: ROOT, keep, rescueDirectories: [], command },
    stop: new AbortController().signal,
    emit: (event: RunEvent) => events.push(event),
  } as unknown as RunInput).then((result) => {
    outcome = result;
  });
  for (let second = 0; second < 900 && outcome === undefined; second++) await clock.advance(1_000);
  await ended;
  const codes = events.flatMap((event) => (event.type === 'notice' ? [event.code] : []));
  return { requests, codes, outcome, attempt: store.attempts.get(first.attempt) };
}

const SHARING: Sharing = {
  address: 's3://bucket/album',
  run: '0'.repeat(32),
  holderOf: () => ({ kind: 'here' }),
  keptBy: () => undefined,
  unseen: () => [],
  runs: () => 1,
  has: () => true,
  refresh: async () => {},
  beat: async () => {},
  prove: async () => {},
};

describe('the remote copy with a shared log', () => {
  const unreachable = new BatchError('state-unreachable', 'not reachable', { exitCode: EXIT.unavailable });

  it('is deleted once the log has the record', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    const { requests } = await cleanUp({ disk, sharing: {} });
    expect(requests).toEqual(['complete']);
  });

  it('stays until the log is written, because other machines could not find the file', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    const refresh = () => Promise.reject(unreachable);
    const { requests, codes, attempt } = await cleanUp({ disk, sharing: { has: () => false, refresh } });
    expect([requests, attempt?.state]).toEqual([[], 'stored']);
    expect(codes).toContain('retrying');
  });

  it('is deleted once the log has been written', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    let reported = false;
    const refresh = async () => {
      reported = true;
    };
    const { requests, attempt } = await cleanUp({ disk, sharing: { has: () => reported, refresh } });
    expect([requests, attempt?.state]).toEqual([['complete'], 'done']);
  });
});

describe('the remote copy', () => {
  it('is deleted if the file is as recorded', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    const { requests, codes, attempt } = await cleanUp({ disk });
    expect([requests, codes, attempt?.state]).toEqual([['complete'], [], 'done']);
  });

  it('of a merged lockfile is deleted only if the file is as recorded', async () => {
    const theirs = { ...made, key: createKeySignature('1'.repeat(32), 'key').of(made) };
    const merged = createKeySignature('0'.repeat(32), 'key', ['0'.repeat(32), '1'.repeat(32)]);
    const disk = () => createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    const [ours, apart] = [
      await cleanUp({ disk: disk(), attempt: theirs, seal: merged }),
      await cleanUp({ disk: disk(), attempt: theirs }),
    ];
    expect([ours.requests, ours.codes, ours.attempt?.state]).toEqual([['complete'], [], 'done']);
    expect(apart.requests).not.toContain('complete');
    expect(apart.codes).toEqual(['remote-copy-left']);
  });

  it.each([
    ['was removed', {}],
    ['was cut', { [`${ROOT}/${PLACE}`]: 'all that' }],
    ['was changed, as long as before', { [`${ROOT}/${PLACE}`]: AUDIO.toUpperCase() }],
  ])('is downloaded again first if the file %s', async (_, files) => {
    const disk = createMemoryDisk({ [`${ROOT}/album.yaml`]: '', ...files });
    const { requests, codes, attempt, outcome } = await cleanUp({ disk });
    expect(requests).toEqual(['retrieve', 'complete']);
    expect(codes).toContain('file-gone');
    expect(attempt?.state).toBe('done');
    expect(disk.texts()[`${ROOT}/${attempt?.file?.path}`]).toBe(AUDIO);
    expect(outcome?.madeCount).toBe(1);
  });

  it('is kept, and the run ends, if the file keeps disappearing', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/album.yaml`]: '' });
    disk.intercept(({ name, path }) => {
      if (name === 'facts' && path.endsWith('.mp3')) disk.put(path, 'something else');
      return undefined;
    });
    const { requests, attempt } = await cleanUp({ disk });
    expect(requests).not.toContain('complete');
    expect(attempt?.state).toBe('queued');
  });

  it('is not deleted if the file is changed while it is synced', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    let times = 1;
    disk.intercept(({ name, path }) => {
      if (name === 'syncDirectory' && path === `${ROOT}/out` && times-- > 0)
        disk.put(`${ROOT}/${PLACE}`, 'edited');
      return undefined;
    });
    const { requests, attempt } = await cleanUp({ disk });
    expect([requests, attempt?.state]).toEqual([['retrieve', 'complete'], 'done']);
    expect(disk.texts()[`${ROOT}/${attempt?.file?.path}`]).toBe(AUDIO);
  });

  it('is not deleted if the file disappears while it is synced', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    let times = 1;
    disk.intercept(({ name, path }) => {
      if (name === 'open' && path === `${ROOT}/${PLACE}` && times-- > 0) disk.drop(path);
      return undefined;
    });
    const { requests, attempt } = await cleanUp({ disk });
    expect([requests, attempt?.state]).toEqual([['retrieve', 'complete'], 'done']);
    expect(disk.texts()[`${ROOT}/${attempt?.file?.path}`]).toBe(AUDIO);
  });

  it('is deleted only once a file of an earlier run would survive a power loss', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    let synced = false;
    disk.intercept(({ name, path }) => {
      if (name === 'syncDirectory' && path === `${ROOT}/out`) synced = true;
      return undefined;
    });
    const before = () => expect(synced).toBe(true);
    const { requests } = await cleanUp({ disk, before });
    expect(requests).toEqual(['complete']);
  });

  it('is kept while the file cannot be read', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/${PLACE}`]: AUDIO });
    let faults = 2;
    disk.intercept(({ name }) => (name === 'stream' && faults-- > 0 ? 'EIO' : undefined));
    const { requests, codes, attempt } = await cleanUp({ disk });
    expect([requests, codes, attempt?.state]).toEqual([['complete'], ['retrying'], 'done']);
  });

  it('is deleted if the file is at either end of an unfinished move', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/moved/one.mp3`]: AUDIO });
    const { requests } = await cleanUp({ disk, attempt: { ...stored, move_to: 'moved/one.mp3' } });
    expect(requests).toEqual(['complete']);
  });

  it('is downloaded with --keep too if the file is gone', async () => {
    const disk = createMemoryDisk({ [`${ROOT}/album.yaml`]: '' });
    const { requests, attempt } = await cleanUp({ disk, keep: true });
    expect([requests, attempt?.state]).toEqual([['retrieve'], 'done']);
  });
});
