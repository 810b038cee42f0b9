import { describe, expect, it } from 'vitest';
import { serialiseLock } from '../../src/lock/format.js';
import { attemptLine, headerLine } from '../../src/lock/line.js';
import { readLock } from '../../src/lock/read.js';
import { adoptRescues, writeRescue } from '../../src/lock/rescue.js';
import { openLock } from '../../src/lock/store.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, header, id, random } from './build.js';

const path = '/album/album.lock.jsonl';
const intent = attempt();
const queued = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
const album = `${serialiseLock(header, [])}${attemptLine(intent)}\n`;
const directories = ['/album', '/home', '/tmp'];

/** A disk with the lockfile and empty folders. */
async function disk(): Promise<MemoryDisk> {
  const made = createMemoryDisk({ [path]: album });
  for (const directory of directories) await made.files.makeDirectory(directory);
  return made;
}

async function adopt(on: MemoryDisk): Promise<number> {
  const opened = await openLock(on.files, path, {
    endpoint: header.endpoint,
    command,
    lineage: () => id('new'),
    random,
  });
  if (!opened.ok) throw new Error(opened.problem.kind);
  const adopted = await adoptRescues(on.files, [...directories, '/nowhere'], opened.store);
  await opened.store.abandon();
  return adopted;
}

const rescues = (on: MemoryDisk) => Object.keys(on.texts()).filter((name) => name.includes('rescue'));

describe('a rescue', () => {
  it('goes to the first folder that takes it, and is durable there', async () => {
    const on = await disk();
    on.intercept(({ path: at }) => (at.startsWith('/album') ? 'ENOSPC' : undefined));
    const saved = await writeRescue(on.files, directories, header, queued);
    expect(saved).toMatch(/^\/home\/venice-batch-rescue-01234567-[0-9a-f]{8}\.jsonl$/);
    for (let seed = 0; seed < 10; seed += 1) expect(rescues(on.crash(seed))).toEqual([saved]);
  });

  it.each(['open', 'write', 'sync', 'close', 'syncDirectory'])(
    'is not said to be there when %s fails everywhere, and leaves nothing behind',
    async (operation) => {
      const on = await disk();
      on.intercept(({ name }) => (name === operation ? 'EIO' : undefined));
      expect(await writeRescue(on.files, directories, header, queued)).toBeUndefined();
      expect(rescues(on)).toEqual([]);
    },
  );

  it('never replaces an earlier one', async () => {
    const on = await disk();
    const first = await writeRescue(on.files, ['/tmp'], header, queued);
    const second = await writeRescue(on.files, ['/tmp'], header, { ...queued, rev: 3, state: 'failed' });
    expect(second).not.toBe(first);
    expect(new Set(rescues(on))).toEqual(new Set([first, second]));
  });

  it('comes home with the next run, and is removed when it is durable there', async () => {
    const on = await disk();
    await writeRescue(on.files, ['/tmp'], header, queued);
    expect(await adopt(on)).toBe(1);
    expect(rescues(on)).toEqual([]);
    for (let seed = 0; seed < 10; seed += 1) {
      const read = await readLock(on.crash(seed).files, path);
      expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
    }
    expect(await adopt(on)).toBe(0);
  });

  it('comes home also where a run said meanwhile that the attempt is in doubt', async () => {
    const on = await disk();
    const doubt = attempt({ rev: 2, state: 'in_doubt' });
    on.put(path, `${album}${attemptLine(doubt)}\n`);
    await writeRescue(on.files, ['/tmp'], header, queued);
    expect(await adopt(on)).toBe(1);
    const read = await readLock(on.files, path);
    expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
  });

  it('is never lost: it is in the rescue file or in the lockfile after a crash at any operation', async () => {
    const start = await disk();
    await writeRescue(start.files, ['/tmp'], header, queued);
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

  it('stays where the lockfile still cannot be written', async () => {
    const on = await disk();
    const saved = await writeRescue(on.files, ['/tmp'], header, queued);
    on.intercept(({ name }) => (name === 'write' ? 'ENOSPC' : undefined));
    await expect(adopt(on)).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(rescues(on)).toEqual([saved]);
  });

  it('of another lockfile, or damaged, is left alone', async () => {
    const on = await disk();
    const sameName = { ...header, lineage: `01234567${id('x').slice(8)}` };
    await writeRescue(on.files, ['/tmp'], sameName, queued);
    await writeRescue(on.files, ['/home'], { ...header, endpoint: 'https://example.com' }, queued);
    on.put('/album/venice-batch-rescue-01234567-0.jsonl', `${headerLine(header)}\nx\n`);
    expect(await adopt(on)).toBe(0);
    expect(rescues(on).length).toBe(3);
  });

  it('brings nothing that is known already', async () => {
    const on = await disk();
    await writeRescue(on.files, ['/tmp'], header, intent);
    expect(await adopt(on)).toBe(0);
    expect(rescues(on)).toEqual([]);
  });
});
