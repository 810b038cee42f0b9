import { describe, expect, it } from 'vitest';
import type { Files } from '../../src/core/ports.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptLine } from '../../src/lockfile/line.js';
import { lockError } from '../../src/lockfile/lock-error.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { openLock } from '../../src/lockfile/open-lock.js';
import { makePrivateFolder } from '../../src/lockfile/private-folder.js';
import { checkEndpoint, readLock, readLockAlone } from '../../src/lockfile/read.js';
import { repairFile } from '../../src/lockfile/repair-file.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, file, header, id, random } from './build.js';

const path = '/album/album.lock.jsonl';
const intent = attempt();
const queued = attempt({ rev: 2, state: 'queued', queue_id: 'q1' });
const done = attempt({ rev: 3, state: 'done', queue_id: 'q1', file });
const other = attempt({ attempt: id('b'), track: 'coda' });
const otherQueued = { ...other, rev: 2, state: 'queued', queue_id: 'q2' } as const;
/** The beginning of a new file. */
const head = serialiseLock(header, []);
const line = (one: Attempt) => `${attemptLine(one)}\n`;

async function open(files: Files): Promise<LockStore> {
  const opened = await openLock(files, path, {
    endpoint: header.endpoint,
    command,
    lineage: () => header.lineage,
    random,
  });
  if (!opened.ok) throw new Error(opened.problem.kind);
  return opened.store;
}

function textOf(disk: MemoryDisk): string | undefined {
  return disk.texts()[path];
}

/** Nothing is left over. Beside the lockfile there is a journal until the store is closed, and then a copy. */
function isTidy(disk: MemoryDisk): boolean {
  return Object.keys(disk.texts()).every(
    (found) => found === path || /\/\.gitignore$|\.journal$|\.copy$/.test(found),
  );
}

describe('a lockfile that is not there', () => {
  it('is not created by opening, reading and closing', async () => {
    const disk = createMemoryDisk();
    const store = await open(disk.files);
    await store.close();
    expect(await readLock(disk.files, path)).toMatchObject({ ok: true, bytes: 0 });
    expect(disk.texts()).toEqual({});
  });

  it('is created with the first record, including its folder', async () => {
    const disk = createMemoryDisk();
    const store = await open(disk.files);
    await store.record(intent);
    expect(textOf(disk)).toBe(head + line(intent));
    expect(isTidy(disk)).toBe(true);
  });

  it('does not replace one created meanwhile', async () => {
    const disk = createMemoryDisk();
    const store = await open(disk.files);
    const foreign = serialiseLock({ ...header, lineage: id('other') }, []);
    disk.put(path, foreign);
    await expect(store.record(intent)).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(store.record(intent)).rejects.toMatchObject({ code: 'EEXIST' });
    await store.close();
    expect(textOf(disk)).toBe(foreign);
  });
});

describe('a record', () => {
  it('is appended and visible once it is durable', async () => {
    const disk = createMemoryDisk({ [path]: head + line(intent) });
    const store = await open(disk.files);
    const recorded = store.record(queued);
    expect(store.attempts.get(intent.attempt)).toEqual(intent);
    await recorded;
    expect(store.attempts.get(intent.attempt)).toEqual(queued);
    expect(textOf(disk)).toBe(serialiseLock(header, [intent]) + line(queued));
  });

  it('shares its sync with all waiting records', async () => {
    const disk = createMemoryDisk({ [path]: head });
    const store = await open(disk.files);
    let syncs = 0;
    disk.intercept(({ name, path: at }) => {
      if (name === 'sync' && at === path) syncs += 1;
      return undefined;
    });
    const many = Array.from({ length: 500 }, (_, n) => attempt({ attempt: id(`${n}`), track: `t${n}` }));
    await Promise.all(many.map((one) => store.record(one)));
    expect(syncs).toBeLessThanOrEqual(2);
    expect(store.attempts.size).toBe(500);
  });

  it('that a merge would hide is refused as a bug', async () => {
    const disk = createMemoryDisk({ [path]: head + line(queued) });
    const store = await open(disk.files);
    await expect(store.record(queued)).rejects.toThrow('bug');
    await expect(store.record({ ...intent, rev: 9, state: 'rejected' })).rejects.toThrow('bug');
    await expect(store.record({ ...done, rev: 9, stem: '../x' })).rejects.toThrow('bug');
    expect(textOf(disk)).toBe(serialiseLock(header, [queued]));
  });

  it('is never appended to a torn line', async () => {
    const torn = head + line(intent) + line(queued).slice(0, 50);
    const disk = createMemoryDisk({ [path]: torn });
    const store = await open(disk.files);
    expect(textOf(disk)).toBe(serialiseLock(header, [intent]));
    await store.record(other);
    expect(textOf(disk)).toBe(serialiseLock(header, [intent]) + line(other));
  });

  it('keeps a complete last record without a line feed', async () => {
    const disk = createMemoryDisk({ [path]: (head + line(queued)).slice(0, -1) });
    const store = await open(disk.files);
    await store.record(other);
    expect(textOf(disk)).toBe(serialiseLock(header, [queued]) + line(other));
  });
});

describe('the lockfile of a killed run', () => {
  it('is rewritten when it is opened, so that missing syncs do not matter', async () => {
    const disk = createMemoryDisk({ [path]: head + line(queued) + line(intent) });
    let written = '';
    disk.intercept(({ name, path: at }) => {
      if (name === 'rename') written = at;
      return undefined;
    });
    await open(disk.files);
    expect(written).toMatch(/^\/album\/\.venice-batch\/album\.lock\.jsonl\.[0-9a-f]{32}\.tmp$/);
    expect(textOf(disk)).toBe(serialiseLock(header, [queued]));
  });

  it('is opened even if there is no room to rewrite it', async () => {
    const disk = createMemoryDisk({ [path]: head + line(intent) + line(queued) });
    disk.intercept(({ name }) => (name === 'write' ? 'ENOSPC' : undefined));
    expect((await open(disk.files)).attempts.get(queued.attempt)).toEqual(queued);
    expect(textOf(disk)).toBe(head + line(intent) + line(queued));
  });

  it('is durable once the lockfile is open, synced or not', async () => {
    const disk = createMemoryDisk();
    const killed = await open(disk.files);
    await killed.record(intent);
    const append = await disk.files.open(path, 'append');
    await append.write(new TextEncoder().encode(line(queued)));
    await open(disk.files);
    for (let seed = 0; seed < 20; seed += 1) expect(textOf(disk.crash(seed))).toBe(textOf(disk));
  });
});

describe('closing a lockfile', () => {
  it('leaves one sorted line for each attempt', async () => {
    const disk = createMemoryDisk({ [path]: head });
    const store = await open(disk.files);
    for (const one of [intent, other, queued, done]) await store.record(one);
    await store.close();
    expect(textOf(disk)).toBe(serialiseLock(header, [other, done]));
    expect(isTidy(disk)).toBe(true);
  });

  it('writes nothing if the file is up to date', async () => {
    const asItShouldBe = serialiseLock(header, [done]);
    const disk = createMemoryDisk({ [path]: asItShouldBe });
    disk.intercept(({ name }) =>
      ['write', 'rename', 'remove', 'link'].includes(name) ? 'EROFS' : undefined,
    );
    const store = await open(disk.files);
    await store.close();
    expect(textOf(disk)).toBe(asItShouldBe);
  });

  it('waits for records being written', async () => {
    const disk = createMemoryDisk({ [path]: head });
    const store = await open(disk.files);
    const recorded = store.record(intent);
    await store.close();
    await recorded;
    expect(textOf(disk)).toBe(serialiseLock(header, [intent]));
  });

  it('without rewriting leaves the lines as they are', async () => {
    const disk = createMemoryDisk({ [path]: head });
    const store = await open(disk.files);
    await store.record(intent);
    await store.record(queued);
    await store.abandon();
    expect(textOf(disk)).toBe(head + line(intent) + line(queued));
  });
});

describe('a lockfile that version control replaces during the run', () => {
  it('keeps the jobs of both', async () => {
    const disk = createMemoryDisk({ [path]: head + line(intent) });
    const store = await open(disk.files);
    await store.record(queued);
    disk.put(path, head + line(otherQueued));
    await store.record(done);
    expect(textOf(disk)).toBe(serialiseLock(header, [otherQueued, done]));
    expect(store.attempts.get(other.attempt)).toEqual(otherQueued);
  });

  it('keeps the jobs of both even if nothing is recorded afterwards', async () => {
    const disk = createMemoryDisk({ [path]: head + line(intent) });
    const store = await open(disk.files);
    await store.record(queued);
    disk.put(path, head + line(otherQueued));
    await store.close();
    expect(textOf(disk)).toBe(serialiseLock(header, [otherQueued, queued]));
  });

  it('is created again if it was removed', async () => {
    const disk = createMemoryDisk({ [path]: head + line(intent) });
    const store = await open(disk.files);
    await store.record(queued);
    await disk.files.remove(path);
    await store.record(done);
    expect(textOf(disk)).toBe(serialiseLock(header, [done]));
  });

  it.each([
    ['another lockfile', serialiseLock({ ...header, lineage: id('other') }, []), 'lockfile-replaced'],
    ['one with conflict markers', `${head}<<<<<<< HEAD\n`, 'lockfile-conflict-markers'],
  ])('is not overwritten if it is %s', async (_, foreign, code) => {
    const disk = createMemoryDisk({ [path]: head + line(intent) });
    const store = await open(disk.files);
    disk.put(path, foreign);
    await store.record(queued);
    expect(store.fault()).toMatchObject({ kind: 'displaced', error: { code } });
    await expect(store.close()).rejects.toMatchObject({ code });
    expect(textOf(disk)).toBe(foreign);
    await disk.files.remove(path);
    expect((await open(disk.files)).attempts.get(queued.attempt)).toEqual(queued);
  });
});

describe('a lockfile reached through a link', () => {
  const real = '/first/album.lock.jsonl';

  it.each([
    ['its folder leads to a copy', '/album', '/second'],
    ['a file took the place of the link', path, undefined],
  ])('stops buying, and ends with an error, if %s', async (_, link, target) => {
    const disk = createMemoryDisk({
      [real]: serialiseLock(header, [intent]),
      '/second/x': '',
      '/album/x': '',
    });
    if (link === path) disk.symlink(path, real);
    else disk.symlink(link, '/first');
    const store = await open(disk.files);
    await store.record(queued);
    expect(store.fault()).toBeUndefined();
    disk.symlink(link, target);
    await store.confirm();
    expect(store.fault()).toMatchObject({ kind: 'displaced', error: { code: 'lockfile-replaced' } });
    await store.record(other);
    await expect(store.close()).rejects.toMatchObject({ code: 'lockfile-replaced' });
    expect(disk.texts()[real]).toBe(serialiseLock(header, [queued, other]));
  });
});

describe('a lockfile whose name', () => {
  it('cannot be followed for a while is written all the same, and nothing is bought meanwhile', async () => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    disk.intercept(({ name, path: at }) => (name === 'real' && at === path ? 'EACCES' : undefined));
    await store.record(queued);
    expect(textOf(disk)).toContain(line(queued));
    expect(store.fault()).toMatchObject({ kind: 'displaced', error: { code: 'lockfile-replaced' } });
    disk.intercept(() => undefined);
    await store.confirm();
    expect(store.fault()).toBeUndefined();
  });

  it('is returned in another spelling once it exists is still the same', async () => {
    const disk = createMemoryDisk();
    const spelled = '/album/ALBUM.lock.jsonl';
    let other = false;
    const files: Files = {
      ...disk.files,
      real: async (at) => (other && at === path ? spelled : disk.files.real(at)),
    };
    const store = await open(files);
    other = true;
    await store.record(intent);
    await store.record(queued);
    expect(store.fault()).toBeUndefined();
    await store.close();
    expect(textOf(disk)).toBe(serialiseLock(header, [queued]));
  });
});

describe('a lockfile that is emptied during a run', () => {
  it('is restored with the next record, but only by the user if the run is killed first', async () => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    await store.record(queued);
    disk.put(path, '');
    const killed = disk.crash(1);
    await store.record(other);
    expect(await readLockAlone(disk.files, path)).toMatchObject({ ok: true });
    // It may have been newer than the journal.
    await expect(open(killed.files)).rejects.toThrow('not_a_lockfile');
    expect(await repairFile(killed.files, random, path)).toMatchObject({ ok: true, report: { attempts: 1 } });
    expect((await open(killed.files)).attempts.get(queued.attempt)).toEqual(queued);
  });
});

describe('a lockfile overwritten with something else', () => {
  it('is repaired from the journal', async () => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    await store.record(queued);
    disk.put(path, 'something else\n');
    await store.confirm();
    expect(store.fault()).toMatchObject({
      error: { code: 'lockfile-not-a-lockfile', hint: expect.stringContaining('lock repair') },
    });
    await store.abandon();
    const opened = await readLock(disk.files, path);
    expect(opened).toMatchObject({ ok: false, problems: [{ journal: expect.stringContaining('.journal') }] });
    const repaired = await repairFile(disk.files, random, path);
    expect(repaired).toMatchObject({
      ok: true,
      report: { attempts: 1, setAside: [{ text: 'something else' }] },
    });
    expect(textOf(disk)).toBe(serialiseLock(header, [queued]));
  });
});

describe('a line that is not UTF-8', () => {
  it('is set aside with its exact bytes', async () => {
    const disk = createMemoryDisk();
    const damaged = Uint8Array.of(0x7b, 0xff, 0xfe, 0x80);
    disk.put(path, Buffer.concat([Buffer.from(head + line(queued)), damaged]));
    const repaired = await repairFile(disk.files, random, path);
    expect(repaired).toMatchObject({ ok: true, asidePath: `${path}.rejected-lines` });
    const aside = await disk.files.read(`${path}.rejected-lines`, 100);
    expect([...aside]).toEqual([...damaged, 0x0a]);
  });
});

/** What others may do to a lockfile during a run. @returns the disk afterwards */
const MISFORTUNES: readonly (readonly [string, (disk: MemoryDisk, before: string) => Promise<void>])[] = [
  ['restored: the same bytes in another file', async (disk) => disk.put(path, textOf(disk) ?? '')],
  ['restored to how it was before', async (disk, before) => disk.put(path, before)],
  ['deleted', (disk) => disk.files.remove(path)],
  [
    'written over in place',
    async (disk, before) => {
      const handle = await disk.files.open(path, 'truncate');
      await handle.write(new TextEncoder().encode(before));
      await handle.sync();
      await handle.close();
    },
  ],
  [
    'changed in place, to as many bytes',
    async (disk, before) => {
      const bytes = new TextEncoder().encode(before.padEnd((textOf(disk) ?? '').length, '\n'));
      const handle = await disk.files.open(path, 'truncate');
      await handle.write(bytes);
      await handle.sync();
      await handle.close();
    },
  ],
];

describe.each(MISFORTUNES)('a lockfile that is %s during a run', (_, strike) => {
  async function struck() {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    const before = textOf(disk) ?? '';
    await store.record(queued);
    await strike(disk, before);
    return { disk, store };
  }

  it('is restored with the next record', async () => {
    const { disk, store } = await struck();
    await store.record(other);
    expect(await readLockAlone(disk.files, path)).toMatchObject({ ok: true });
    await expectKept(disk, { acknowledged: [queued, other], begun: [intent, queued, other] });
    expect(store.fault()).toBeUndefined();
  });

  it('is restored before a submit is sent', async () => {
    const { disk, store } = await struck();
    await store.confirm();
    const read = await readLockAlone(disk.files, path);
    expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
    for (let seed = 0; seed < 20; seed += 1) expect(textOf(disk.crash(seed))).toBe(textOf(disk));
  });

  it('is restored by the next run if this one is killed first', async () => {
    const { disk } = await struck();
    for (let seed = 0; seed < 20; seed += 1) {
      const after = disk.crash(seed);
      const store = await open(after.files);
      expect(store.attempts.get(queued.attempt)).toEqual(queued);
      await store.close();
      expect(textOf(after)).toBe(serialiseLock(header, [queued]));
      expect(Object.keys(after.texts()).filter((name) => name.endsWith('.journal'))).toEqual([]);
    }
  });

  it('is restored at the end', async () => {
    const { disk, store } = await struck();
    await store.close();
    expect(textOf(disk)).toBe(serialiseLock(header, [queued]));
  });
});

describe('a lockfile that is replaced as a record is written to it', () => {
  it.each(['replaced', 'deleted'])(
    'is written again, as an unlinked file is not enough (%s)',
    async (how) => {
      for (let at = 0; at < 20; at += 1) {
        const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
        const store = await open(disk.files);
        await store.record(queued);
        const [text, from] = [textOf(disk) ?? '', disk.operations()];
        const strike = () => (how === 'deleted' ? disk.drop(path) : disk.put(path, text));
        disk.intercept(({ index }) => {
          if (index === from + at) strike();
          return undefined;
        });
        await store.record(other);
        await store.confirm();
        disk.intercept(() => undefined);
        const read = await readLockAlone(disk.files, path);
        expect(read.ok && [...read.attempts.values()]).toEqual(expect.arrayContaining([queued, other]));
      }
    },
  );
});

describe('a lockfile put back to an older one between two runs', () => {
  const journal = '/album/.venice-batch/album.lock.jsonl.01234567.89abcdef.journal';
  async function bought(last: Attempt) {
    const before = serialiseLock(header, [intent]);
    const disk = createMemoryDisk({ [path]: before });
    const store = await open(disk.files);
    await store.record(last);
    await store.close();
    return { disk, before };
  }

  it.each<[string, Attempt]>([
    ['in flight', queued],
    ['finished', done],
  ])('is restored: a take %s', async (_, last) => {
    const { disk, before } = await bought(last);
    disk.put(path, before);
    expect((await open(disk.files)).attempts.get(last.attempt)).toEqual(last);
    expect(textOf(disk)).toContain(attemptLine(last));
  });

  it.each<[string, Attempt]>([
    ['in flight', queued],
    ['finished', done],
  ])('is restored if it was deleted: a take %s', async (_, last) => {
    const { disk } = await bought(last);
    await disk.files.remove(path);
    expect((await open(disk.files)).attempts.get(last.attempt)).toEqual(last);
  });

  it.each([
    ['damaged', serialiseLock(header, [other]).replace('"rev":', '"rev":1')],
    ['without its header', line(other)],
    ['of another lockfile', serialiseLock({ ...header, lineage: id('another') }, [other])],
  ])('is left to the user if it was deleted and a journal is %s', async (_, text) => {
    const { disk } = await bought(queued);
    await disk.files.remove(path);
    disk.put(journal, text);
    const read = await readLock(disk.files, path);
    expect(read).toMatchObject({ ok: false, problems: [{ kind: 'journal_unsound' }] });
    expect(await repairFile(disk.files, random, path)).toMatchObject({ ok: true });
    const store = await open(disk.files);
    expect(store.attempts.get(queued.attempt)).toEqual(queued);
  });

  it('is restored after runs with an unrelated lockfile, as branches may have', async () => {
    const { disk, before } = await bought(queued);
    disk.put(path, serialiseLock({ ...header, lineage: id('another') }, []));
    const unrelated = await open(disk.files);
    await unrelated.record(other);
    await unrelated.close();
    disk.put(path, before);
    expect((await open(disk.files)).attempts.get(queued.attempt)).toEqual(queued);
  });

  it('gets the lineages and the shared log of the copy, too', async () => {
    const joined = {
      ...header,
      was: [header.lineage, id('second')].sort(),
      log: 'git:origin',
      version: 3 as const,
    };
    const disk = createMemoryDisk({ [path]: serialiseLock(joined, [intent]) });
    const store = await open(disk.files);
    await store.record(queued);
    await store.close();
    disk.put(path, serialiseLock(header, [intent]));
    expect(await readLock(disk.files, path)).toMatchObject({ header: { was: joined.was, log: joined.log } });
  });

  it('is repaired with a warning if the copy is damaged', async () => {
    const { disk } = await bought(queued);
    await disk.files.remove(path);
    disk.put(journal, serialiseLock(header, [intent, other]).split('\n').slice(0, -2).join('\n'));
    const repaired = await repairFile(disk.files, random, path);
    expect(repaired).toMatchObject({ ok: true, report: { missing: {} } });
  });
});

describe('a journal', () => {
  const journals = (disk: MemoryDisk) =>
    Object.keys(disk.texts()).filter((name) => name.endsWith('.journal'));

  it('of unknown attempts in the place of the lockfile stops purchases', async () => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    await store.record(queued);
    disk.put(path, serialiseLock(header, [intent, otherQueued]));
    await store.confirm();
    expect(store.fault()).toEqual({ kind: 'grown' });
    expect([...store.attempts.values()]).toEqual(expect.arrayContaining([queued, otherQueued]));
  });

  it('is created again if it is deleted', async () => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    await store.record(queued);
    for (const name of journals(disk)) await disk.files.remove(name);
    await store.record(other);
    await disk.files.remove(path);
    expect([...(await open(disk.crash(1).files)).attempts.values()]).toEqual(
      expect.arrayContaining([queued, other]),
    );
  });

  it('of another lockfile is not touched', async () => {
    const disk = createMemoryDisk();
    await (await open(disk.files)).record(intent);
    const foreign = { ...header, lineage: id('other') };
    disk.put(path, serialiseLock(foreign, []));
    const before = journals(disk);
    const store = await open(disk.files);
    expect(store.header.lineage).toBe(foreign.lineage);
    expect(store.attempts.size).toBe(0);
    await store.close();
    expect(journals(disk)).toEqual(before);
  });

  it('of a lockfile that was never created is not left behind', async () => {
    const disk = createMemoryDisk();
    const store = await open(disk.files);
    // No way to create a file works, by a link or in place.
    disk.intercept(({ name, path: at }) =>
      (name === 'link' || name === 'open') && at === path ? 'EIO' : undefined,
    );
    await expect(store.record(intent)).rejects.toMatchObject({ code: 'EIO' });
    await store.abandon();
    expect(journals(disk)).toEqual([]);
  });

  it('creates no empty lockfile if it cannot create a complete one', async () => {
    const disk = createMemoryDisk();
    const killed = await open(disk.files);
    await killed.record(queued);
    await disk.files.remove(path);
    disk.intercept(({ name }) => (name === 'rename' ? 'EIO' : undefined));
    await expect(open(disk.files)).rejects.toThrow('unwritable');
    expect(textOf(disk)).toBeUndefined();
    disk.intercept(() => undefined);
    expect((await open(disk.files)).attempts.get(queued.attempt)).toEqual(queued);
  });

  it('holds nothing that was not acknowledged', async () => {
    const disk = createMemoryDisk({ [path]: serialiseLock(header, [intent]) });
    const store = await open(disk.files);
    await store.record(queued);
    disk.intercept(({ name, path: at }) => (name !== 'read' && at === path ? 'EIO' : undefined));
    await expect(store.record(other)).rejects.toMatchObject({ code: 'EIO' });
    disk.intercept(() => undefined);
    await store.abandon();
    const read = await readLock(disk.files, path);
    expect(read.ok && read.attempts.get(queued.attempt)).toEqual(queued);
  });
});

describe('a lockfile that is not opened', () => {
  it.each([
    ['damaged', `${head}x\n`, 'bad_line'],
    ['empty', '', 'not_a_lockfile'],
    [
      'of another endpoint',
      serialiseLock({ ...header, endpoint: 'http://127.0.0.1:1' }, []),
      'other_endpoint',
    ],
  ])('is not changed if it is %s', async (_, text, kind) => {
    const disk = createMemoryDisk({ [path]: text });
    const opened = await openLock(disk.files, path, {
      endpoint: header.endpoint,
      command,
      lineage: () => header.lineage,
      random,
    });
    expect(opened).toMatchObject({ ok: false, problem: { kind } });
    expect(disk.texts()).toEqual({ [path]: text });
  });

  it.each(['EACCES', 'EIO', 'EFBIG'])('never counts as empty if reading fails with %s', async (code) => {
    const disk = createMemoryDisk({ [path]: head });
    disk.intercept(({ name }) => (name === 'read' ? code : undefined));
    expect(await readLock(disk.files, path)).toEqual({
      ok: false,
      problems: [{ kind: 'unreadable', code }],
    });
  });

  it('has an error that names an unreadable journal', async () => {
    const journal = '/album/.venice-batch/album.lock.jsonl.01234567.89abcdef.journal';
    const disk = createMemoryDisk({ [path]: head, [journal]: '' });
    disk.intercept((call) => (call.name === 'read' && call.path === journal ? 'EFTYPE' : undefined));
    const read = await readLock(disk.files, path);
    expect(read).toEqual({ ok: false, problems: [{ kind: 'unreadable', code: 'EFTYPE', journal }] });
    if (read.ok) return;
    expect(lockError(read.problems[0], path, command).message).toContain(
      `the journal ${journal} cannot be read`,
    );
  });

  it.each(['open', 'sync', 'syncDirectory'])('causes an error if %s fails', async (operation) => {
    const disk = createMemoryDisk({ [path]: head });
    disk.intercept(({ name }) => (name === operation ? 'EROFS' : undefined));
    const opened = await openLock(disk.files, path, {
      endpoint: header.endpoint,
      command,
      lineage: () => header.lineage,
      random,
    });
    expect(opened).toEqual({ ok: false, problem: { kind: 'unwritable', code: 'EROFS' } });
  });

  it('may belong to another endpoint', () => {
    expect(checkEndpoint(header, header.endpoint)).toBeUndefined();
    expect(checkEndpoint(header, 'https://example.com')).toMatchObject({ kind: 'other_endpoint' });
  });
});

/** What a store promised: records that were acknowledged, and records that were only started. */
interface Promised {
  readonly acknowledged: Attempt[];
  readonly begun: Attempt[];
}

/** Records a few attempts, some concurrently, in two sessions; continues after faults. */
async function live(files: Files, promised: Promised): Promise<void> {
  const script = [
    [[intent], [queued, other], [otherQueued]],
    [[done], [attempt({ attempt: id('c') })]],
  ];
  for (const opening of script) {
    const opened = await openLock(files, path, {
      endpoint: header.endpoint,
      command,
      lineage: () => header.lineage,
      random,
    });
    if (!opened.ok) {
      expect(['unwritable', 'unreadable']).toContain(opened.problem.kind);
      continue;
    }
    const { store } = opened;
    for (const batch of opening) {
      await Promise.all(
        batch.map(async (one) => {
          promised.begun.push(one);
          await store.record(one).then(
            () => promised.acknowledged.push(one),
            (fault: { code?: string }) => {
              if (fault.code === undefined) throw fault;
            },
          );
        }),
      );
    }
    await store.close().catch((fault: { code?: string }) => {
      if (fault.code === undefined) throw fault;
    });
  }
}

async function expectKept(disk: MemoryDisk, { acknowledged, begun }: Promised): Promise<void> {
  const read = await readLock(disk.files, path);
  if (!read.ok) throw new Error(`${JSON.stringify(read.problems)}\n${textOf(disk)}`);
  for (const one of acknowledged) {
    expect(read.attempts.get(one.attempt)?.rev ?? 0).toBeGreaterThanOrEqual(one.rev);
    if (one.queue_id !== undefined) expect(read.attempts.get(one.attempt)?.queue_id).toBe(one.queue_id);
  }
  const lines = new Set(begun.map(attemptLine));
  for (const one of read.attempts.values()) expect(lines).toContain(attemptLine(one));
}

/** A next run opens the file, adds to it and closes it durably. */
async function expectGoesOn(disk: MemoryDisk, { acknowledged, begun }: Promised): Promise<void> {
  const store = await open(disk.files);
  const last = attempt({ attempt: id('last') });
  await store.record(last);
  await store.close();
  await expectKept(disk.crash(1), { acknowledged: [...acknowledged, last], begun: [...begun, last] });
}

/** The disks that a crash now could leave behind, without repeats. */
function crashesOf(disk: MemoryDisk, seeds: number): readonly MemoryDisk[] {
  const disks = Array.from({ length: seeds }, (_, seed) => disk.crash(seed));
  return [...new Map(disks.map((one) => [JSON.stringify(one.texts()), one])).values()];
}

const beginnings: readonly [string, Readonly<Record<string, string>>, readonly Attempt[]][] = [
  ['no lockfile', {}, []],
  ['a torn one', { [path]: `${head}{"tra`, [`${path}.tmp`]: 'left over' }, []],
];

describe.each(beginnings)('from %s', (_, initial, known) => {
  async function lengthOfLife(): Promise<number> {
    const disk = createMemoryDisk(initial);
    await live(disk.files, { acknowledged: [], begun: [] });
    return disk.operations();
  }

  it('a crash at any operation keeps all acknowledged records in a valid file', async () => {
    const length = await lengthOfLife();
    expect(length).toBeGreaterThan(30);
    for (let at = 0; at < length; at += 1) {
      const disk = createMemoryDisk(initial);
      const promised = { acknowledged: [...known], begun: [...known] };
      disk.intercept(({ index }) => (index === at ? 'halt' : undefined));
      await Promise.race([live(disk.files, promised), disk.halted]);
      for (const after of crashesOf(disk, 8)) {
        await expectKept(after, promised);
        await expectGoesOn(after, promised);
      }
    }
  });

  it.each(['ENOSPC', 'EIO'])('a %s at any operation loses no acknowledged record', async (code) => {
    const length = await lengthOfLife();
    for (let at = 0; at < length + 10; at += 1) {
      for (const lasting of [1, 3, 1000]) {
        const disk = createMemoryDisk(initial);
        const promised = { acknowledged: [...known], begun: [...known] };
        disk.intercept(({ index, name }) =>
          index >= at && index < at + lasting && !['read', 'real'].includes(name) ? code : undefined,
        );
        await live(disk.files, promised);
        disk.intercept(() => undefined);
        await expectKept(disk, promised);
        for (const after of crashesOf(disk, 5)) await expectKept(after, promised);
        await expectGoesOn(disk, promised);
      }
    }
  });
});

describe("a symbolic link in the lockfile's place that leads to nothing", () => {
  it('is refused, and nothing is created at its target', async () => {
    const disk = createMemoryDisk({ '/album/album.yaml': '', '/victim/other': '' });
    disk.symlink('/album/album.lock.jsonl', '/victim/.bash_login');
    const read = await readLock(disk.files, '/album/album.lock.jsonl');
    expect(read).toEqual({ ok: false, problems: [{ kind: 'unreadable', code: 'ELOOP' }] });
    expect(Object.keys(disk.texts())).toEqual(['/album/album.yaml', '/victim/other']);
  });
});

it('a private folder that is a symbolic link is refused, and nothing is created at its target', async () => {
  const disk = createMemoryDisk({ '/album/album.yaml': '', '/victim/other': '' });
  disk.symlink('/album/.venice-batch', '/victim');
  await expect(makePrivateFolder(disk.files, random, '/album/album.lock.jsonl')).rejects.toMatchObject({
    code: 'ELOOP',
  });
  expect(Object.keys(disk.texts())).toEqual(['/album/album.yaml', '/victim/other']);
});
