import { describe, expect, it } from 'vitest';
import type { Files } from '../../src/core/ports.js';
import { attemptLine, headerLine } from '../../src/lockfile/line.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { openLock } from '../../src/lockfile/open-lock.js';
import { readLock } from '../../src/lockfile/read.js';
import { type Adopted, adoptRescues, type Rescue, writeRescue } from '../../src/lockfile/rescue.js';
import { rescueKey, signed } from '../../src/lockfile/rescue-key.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, header, id, random } from './build.js';

const path = '/album/album.lock.jsonl';
const intent = attempt();
const queued = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
const album = `${serialiseLock(header, [])}${attemptLine(intent)}\n`;
const directories = ['/home/rescue', '/tmp/venice-batch-1000'];
const TMP = directories[1]!;
const keyFile = '/home/rescue.key';

/** A disk with the lockfile and empty folders. */
async function disk(): Promise<MemoryDisk> {
  const made = createMemoryDisk({ [path]: album });
  for (const directory of directories) await made.files.makeDirectory(directory);
  await rescueFor(made);
  return made;
}

/** @param only the folders to write to; all if left out */
async function rescueFor(on: MemoryDisk, only: readonly string[] = directories): Promise<Rescue> {
  return { places: { keyFile, directories: only }, key: await rescueKey(on.files, random, keyFile) };
}

async function adopt(on: MemoryDisk): Promise<number> {
  return (await adoptAll(on)).count;
}

async function adoptAll(on: MemoryDisk): Promise<Adopted> {
  const opened = await openLock(on.files, path, {
    endpoint: header.endpoint,
    command,
    lineage: () => id('new'),
    random,
  });
  if (!opened.ok) throw new Error(opened.problem.kind);
  const adopted = await adoptRescues(
    on.files,
    await rescueFor(on, [...directories, '/nowhere']),
    ['/album', '/tmp', '/nowhere'],
    opened.store,
  );
  await opened.store.abandon();
  return adopted;
}

const rescues = (on: MemoryDisk) =>
  Object.keys(on.texts()).filter((name) => name.includes('venice-batch-rescue-'));

describe('a rescue file', () => {
  it('goes to the first writable folder and is durable there', async () => {
    const on = await disk();
    on.intercept(({ path: at }) => (at.startsWith('/home/rescue/') ? 'ENOSPC' : undefined));
    const saved = await writeRescue(on.files, await rescueFor(on), header, queued);
    expect(saved).toMatch(/^\/tmp\/venice-batch-1000\/venice-batch-rescue-01234567-[0-9a-f]{8}\.jsonl$/);
    for (let seed = 0; seed < 10; seed += 1) expect(rescues(on.crash(seed))).toEqual([saved]);
  });

  it.each(['open', 'write', 'sync', 'close', 'syncDirectory'])(
    'is not reported as written when %s fails everywhere, and leaves nothing behind',
    async (operation) => {
      const on = await disk();
      on.intercept(({ name }) => (name === operation ? 'EIO' : undefined));
      expect(await writeRescue(on.files, await rescueFor(on), header, queued)).toBeUndefined();
      expect(rescues(on)).toEqual([]);
    },
  );

  it('never replaces an earlier one', async () => {
    const on = await disk();
    const first = await writeRescue(on.files, await rescueFor(on, [TMP]), header, queued);
    const second = await writeRescue(on.files, await rescueFor(on, [TMP]), header, {
      ...queued,
      rev: 3,
      state: 'failed',
    });
    expect(second).not.toBe(first);
    expect(new Set(rescues(on))).toEqual(new Set([first, second]));
  });

  it('is merged by the next run and removed when that is durable', async () => {
    const on = await disk();
    await writeRescue(on.files, await rescueFor(on, [TMP]), header, queued);
    expect(await adopt(on)).toBe(1);
    expect(rescues(on)).toEqual([]);
    for (let seed = 0; seed < 10; seed += 1) {
      const read = await readLock(on.crash(seed).files, path);
      expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
    }
    expect(await adopt(on)).toBe(0);
  });

  it('is merged even if a run has marked the attempt as in doubt meanwhile', async () => {
    const on = await disk();
    const doubt = attempt({ rev: 2, state: 'in_doubt' });
    on.put(path, `${album}${attemptLine(doubt)}\n`);
    await writeRescue(on.files, await rescueFor(on, [TMP]), header, queued);
    expect(await adopt(on)).toBe(1);
    const read = await readLock(on.files, path);
    expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
  });

  const file = { path: 'out/a.mp3', bytes: 3, sha256: '0'.repeat(64), media_type: 'audio/mpeg' };

  it.each([
    [
      'it names the file, which a newer record lacks',
      attempt({ rev: 8, state: 'failed', queue_id: 'q1' }),
      attempt({ rev: 3, state: 'stored', queue_id: 'q1', file }),
    ],
    [
      'it is at a later state of the same revision',
      attempt({ rev: 8, state: 'stored', queue_id: 'q1', file }),
      attempt({ rev: 8, state: 'done', queue_id: 'q1', file }),
    ],
  ])('is merged although it is not newer if %s', async (_, known, rescued) => {
    const on = await disk();
    on.put(path, `${album}${attemptLine(known)}\n`);
    await writeRescue(on.files, await rescueFor(on, [TMP]), header, rescued);
    expect(await adopt(on)).toBe(1);
    expect(rescues(on)).toEqual([]);
    const read = await readLock(on.files, path);
    expect(read.ok && read.attempts.get(known.attempt)).toEqual({ ...rescued, rev: 9 });
    expect(await adopt(on)).toBe(0);
  });

  it('is never lost by a crash at any operation', async () => {
    const start = await disk();
    await writeRescue(start.files, await rescueFor(start, [TMP]), header, queued);
    for (let at = 0; at < 40; at += 1) {
      const on = start.crash(0);
      on.intercept(({ index }) => (index === at ? 'halt' : undefined));
      await Promise.race([adopt(on), on.halted]);
      for (let seed = 0; seed < 10; seed += 1) {
        const left = on.crash(seed);
        await adopt(left);
        const read = await readLock(left.files, path);
        expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
      }
    }
  });

  it('stays if the lockfile still cannot be written', async () => {
    const on = await disk();
    const saved = await writeRescue(on.files, await rescueFor(on, [TMP]), header, queued);
    on.intercept(({ name }) => (name === 'write' ? 'ENOSPC' : undefined));
    await expect(adopt(on)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(rescues(on)).toEqual([saved]);
  });

  it('is ignored if it is damaged or belongs to another lockfile', async () => {
    const on = await disk();
    const sameName = { ...header, lineage: `01234567${id('x').slice(8)}` };
    await writeRescue(on.files, await rescueFor(on, [TMP]), sameName, queued);
    await writeRescue(on.files, await rescueFor(on), { ...header, endpoint: 'https://example.com' }, queued);
    on.put(`${TMP}/venice-batch-rescue-01234567-0.jsonl`, `${headerLine(header)}\nx\n`);
    expect(await adopt(on)).toBe(0);
    expect(rescues(on).length).toBe(3);
  });

  it('adds nothing that is known already', async () => {
    const on = await disk();
    await writeRescue(on.files, await rescueFor(on, [TMP]), header, intent);
    expect(await adopt(on)).toBe(0);
    expect(rescues(on)).toEqual([]);
  });
});

describe('a forged rescue file', () => {
  const stolen = attempt({
    rev: 2,
    state: 'done',
    queue_id: 'q1',
    file: { path: '.env', bytes: 1, sha256: 'a'.repeat(64), media_type: 'audio/wav' },
    move_to: 'out/zz.wav',
  });
  const name = 'venice-batch-rescue-01234567-aaaaaaaa.jsonl';
  const text = serialiseLock(header, [stolen]);

  it.each(['/album', '/tmp', TMP])('is ignored and reported in %s', async (directory) => {
    const on = await disk();
    on.put(`${directory}/${name}`, text);
    expect(await adoptAll(on)).toEqual({ count: 0, ignored: [`${directory}/${name}`] });
    expect(on.texts()[`${directory}/${name}`]).toBe(text);
  });

  it('may be signed by another key or changed after signing', async () => {
    const on = await disk();
    const path = `${TMP}/${name}`;
    on.put(path, signed(new Uint8Array(32).fill(1), text));
    expect(await adoptAll(on)).toEqual({ count: 0, ignored: [path] });
    const ours = signed((await rescueFor(on)).key!, text);
    on.put(path, ours.replace('out/zz.wav', 'out/aa.wav'));
    expect(await adoptAll(on)).toEqual({ count: 0, ignored: [path] });
    on.put(path, ours);
    expect((await adoptAll(on)).count).toBe(1);
  });

  it('may be in a folder that others can write to', async () => {
    const on = await disk();
    await writeRescue(on.files, await rescueFor(on, [TMP]), header, queued);
    const files: Files = {
      ...on.files,
      facts: async (path) => {
        const facts = await on.files.facts(path);
        return facts && path === TMP ? { ...facts, isPrivate: false } : facts;
      },
    };
    expect(await writeRescue(files, await rescueFor(on, [TMP]), header, queued)).toBeUndefined();
    const found = await adoptAll({ ...on, files });
    expect(found).toMatchObject({ count: 0, ignored: [expect.stringContaining(TMP)] });
  });
});

describe('the key of rescue files', () => {
  it('is created once and kept', async () => {
    const on = createMemoryDisk();
    const first = await rescueKey(on.files, random, keyFile);
    expect(first).toHaveLength(32);
    expect(await rescueKey(on.files, { bytes: (count) => new Uint8Array(count) }, keyFile)).toEqual(first);
    for (let seed = 0; seed < 10; seed += 1)
      expect(await rescueKey(on.crash(seed).files, random, keyFile)).toEqual(first);
  });

  it.each([
    ['folder', '/home'],
    ['file', keyFile],
  ])('is not used if others can read its %s', async (_, open) => {
    const on = await disk();
    const files: Files = {
      ...on.files,
      facts: async (path) => {
        const facts = await on.files.facts(path);
        return facts && path === open ? { ...facts, isPrivate: false } : facts;
      },
    };
    expect(await rescueKey(files, random, keyFile)).toBeUndefined();
  });

  it('is missing on a disk that cannot store it, and nothing is rescued then', async () => {
    const on = createMemoryDisk({ [path]: album });
    on.intercept(({ name }) => (name === 'open' ? 'EROFS' : undefined));
    const key = await rescueKey(on.files, random, keyFile);
    expect(key).toBeUndefined();
    expect(
      await writeRescue(on.files, { places: { keyFile, directories }, key }, header, queued),
    ).toBeUndefined();
  });
});
