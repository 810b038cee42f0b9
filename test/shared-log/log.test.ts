import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/core/errors.js';
import { sealLine } from '../../src/lockfile/seal.js';
import { checkpointKey } from '../../src/shared-log/checkpoint.js';
import { entryKey } from '../../src/shared-log/entry.js';
import { createFolderStore } from '../../src/shared-log/folder-store.js';
import type { SharedLog } from '../../src/shared-log/shared-log.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { createMemoryObjects, type MemoryObjects, type StoreEvent } from '../fakes/memory-objects.js';
import { attempt, header, id, random } from '../lockfile/build.js';
import { openAs } from './machine.js';

const intentOf = (name: string) => attempt({ attempt: id(name), track: name });
const queuedOf = (name: string) => ({ ...intentOf(name), rev: 2, state: 'queued' as const, queue_id: name });

/** A log with this many intents, one per entry, after the first entry. */
async function logOf(memory: MemoryObjects, intents: number): Promise<SharedLog> {
  const log = await openAs('writer', memory.store());
  for (let at = 0; at < intents; at += 1) expect(await log.append(intentOf(`t${at}`))).toBe('recorded');
  return log;
}

/** The requests that a store got. */
function counted(memory: MemoryObjects) {
  const requests: string[] = [];
  const store = memory.store((request) => {
    requests.push(request);
    return 'answered';
  });
  return { requests, store };
}

const failure = { exitCode: EXIT.lockfile, code: 'state-altered' };

describe('a log that was changed from outside', () => {
  it.each([0, 3, 7])('stops buying if entry %i is missing', async (missing) => {
    const memory = createMemoryObjects();
    await logOf(memory, 7);
    memory.objects.delete(entryKey(missing));
    if (missing === 0) {
      await expect(openAs('next', memory.store())).rejects.toMatchObject(failure);
      return;
    }
    const log = await openAs('next', memory.store());
    if (missing === 7) {
      // Entries cut off at the end leave no trace except in a checkpoint and in lockfiles.
      expect([log.entries, log.fault()]).toEqual([7, undefined]);
      await expect(openAs('next', memory.store(), { entriesMin: 8 })).rejects.toMatchObject(failure);
      const read = await openAs('next', memory.store(), { entriesMin: 8, access: 'read' });
      expect(read.fault()).toMatchObject(failure);
    } else {
      expect(log.fault()).toMatchObject(failure);
      await expect(log.append(intentOf('new'))).rejects.toMatchObject(failure);
      expect(await log.append(queuedOf('elsewhere'))).toBe('recorded');
      expect(memory.objects.has(entryKey(missing))).toBe(false);
      expect(memory.objects.has(entryKey(8))).toBe(true);
    }
  });

  it('stops buying at once if an entry with a very high number was put there', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 7);
    memory.objects.set(entryKey(99_999_999), new Uint8Array(0));
    const log = await openAs('next', memory.store());
    expect([log.entries, log.fault()]).toEqual([8, expect.objectContaining(failure)]);
    await expect(log.append(intentOf('new'))).rejects.toMatchObject(failure);
    expect(await log.append(queuedOf('elsewhere'))).toBe('recorded');
  });

  it('stops buying if an entry was replaced, altered, or vanished while it was open', async () => {
    for (const change of ['replaced', 'flipped', 'vanished']) {
      const memory = createMemoryObjects();
      await logOf(memory, 3);
      const open = await openAs('open', memory.store());
      const bytes = Buffer.from(memory.objects.get(entryKey(3)) ?? '');
      if (change === 'replaced') memory.objects.set(entryKey(2), memory.objects.get(entryKey(1))!);
      else if (change === 'flipped') memory.objects.set(entryKey(3), bytes.fill('x', 30, 31));
      else memory.objects.delete(entryKey(3));
      if (change !== 'replaced') {
        await open.refresh();
        expect(open.fault(), change).toMatchObject(failure);
      }
      if (change !== 'vanished')
        expect((await openAs('later', memory.store())).fault(), change).toMatchObject(failure);
    }
  });

  it.each([
    ['a text of another program', 'hello\n', 'venice-batch did not write what is in log/00000004.jsonl'],
    ['nothing but zeros, which may be what is left of an entry', '\0\0\0', 'entry 4 is damaged'],
    ['nothing, which may be what is left of an entry', '', 'entry 4 is damaged'],
    ['the beginning of an entry', '{"entry":4,"run":"ab', 'entry 4 is damaged'],
  ])('says what is in the place of the next entry: %s', async (_, content, message) => {
    const memory = createMemoryObjects();
    const before = await logOf(memory, 3);
    memory.objects.set(entryKey(4), new TextEncoder().encode(content));
    const log = await openAs('next', memory.store());
    expect(log.fault()).toMatchObject({ ...failure, message: expect.stringContaining(message) });
    for (const open of [log, before]) {
      await expect(open.append(intentOf('new'))).rejects.toMatchObject({
        ...failure,
        message: expect.stringContaining(message),
      });
      await expect(open.beat()).rejects.toMatchObject(failure);
    }
    expect([...memory.objects.keys()].filter((key) => /^log/.test(key) && key > entryKey(4))).toEqual([]);
    memory.objects.delete(entryKey(4));
    const later = await openAs('later', memory.store());
    expect(await later.append(intentOf('new'))).toBe('recorded');
  });

  it('names a file of another program under a later name, not the entries before it that never were', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 3);
    memory.objects.set(entryKey(9), new TextEncoder().encode('hello'));
    const { message, hint } = (await openAs('next', memory.store())).fault()!;
    expect(message).toContain('venice-batch did not write what is in log/00000009.jsonl');
    expect(hint).toContain('move it away; then: venice-batch run album.yaml');
  });

  it('names a file in the way of its folder', async () => {
    const { files } = createMemoryDisk();
    await files.makeDirectory('/share');
    await (await files.open('/share/log', 'exclusive')).close();
    await expect(openAs('next', createFolderStore(files, random, '/share'))).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining('log is not a folder: venice-batch did'),
    });
  });

  it('can be read although a folder is in the place of the next entry, and nothing is written there or after it', async () => {
    const { files } = createMemoryDisk();
    await files.makeDirectory('/share');
    const open = (run: string) => openAs(run, createFolderStore(files, random, '/share'));
    const first = await open('first');
    await first.append(intentOf('one'));
    await files.makeDirectory('/share/log/00000002.jsonl');
    const altered = {
      ...failure,
      message: expect.stringContaining('log/00000002.jsonl is a folder: venice-batch did not'),
    };
    const next = await open('next');
    expect(next.fault()).toMatchObject(altered);
    expect([...next.attempts.keys()]).toEqual([intentOf('one').attempt]);
    await expect(next.append(intentOf('new'))).rejects.toMatchObject(altered);
    await expect(next.append(queuedOf('elsewhere'))).rejects.toMatchObject(altered);
    await expect(next.beat()).rejects.toMatchObject(altered);
    expect([...(await files.list('/share/log'))].sort()).toEqual(
      [0, 1, 2].map((entry) => entryKey(entry).replace('log/', '')),
    );
  });

  it.each([
    [
      true,
      'what is paid for can be collected on a machine that has the lockfile: venice-batch collect album.yaml',
    ],
    [false, 'what is paid for is still collected: venice-batch collect album.yaml'],
  ])('without its first entry says who can still collect (no lockfile here: %s)', async (isFresh, advice) => {
    const memory = createMemoryObjects();
    await logOf(memory, 3);
    memory.objects.delete(entryKey(0));
    await expect(openAs('next', memory.store(), { isFresh })).rejects.toMatchObject({
      ...failure,
      hint: expect.stringContaining(advice),
    });
  });

  it('is not disturbed by other files beside the entries', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 3);
    const names = [
      '.DS_Store',
      'Thumbs.db',
      'desktop.ini',
      '.nfs01',
      '00000004 (conflicted copy).jsonl',
      '4.jsonl',
    ];
    for (const name of ['', ...names, '00000004.jsonl/', '00000004.jsonl~'])
      memory.objects.set(`log/${name}`, new Uint8Array(1));
    const log = await openAs('next', memory.store());
    expect(log.fault()).toBeUndefined();
    expect(await log.append(intentOf('new'))).toBe('recorded');
  });

  it('gets nothing after a damaged last entry, which could then not be restored', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 3);
    const whole = memory.objects.get(entryKey(3))!;
    memory.objects.set(entryKey(3), whole.slice(0, -60));
    const log = await openAs('next', memory.store());
    await expect(log.append(queuedOf('elsewhere'))).rejects.toMatchObject(failure);
    await expect(log.beat()).rejects.toMatchObject(failure);
    expect(memory.objects.has(entryKey(4))).toBe(false);
    memory.objects.set(entryKey(3), whole);
    const restored = await openAs('later', memory.store());
    expect(await restored.append(queuedOf('elsewhere'))).toBe('recorded');
    expect(restored.fault()).toBeUndefined();
  });

  it('is not started again if the lockfile has seen entries of it', async () => {
    const memory = createMemoryObjects();
    await expect(openAs('run', memory.store(), { entriesMin: 1 })).rejects.toMatchObject(failure);
    expect(memory.objects.size).toBe(0);
  });

  it('is refused if it belongs to another endpoint or lockfile, or to a newer release', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 1);
    const open = (more: object) => openAs('other', memory.store(), more);
    await expect(open({ endpoint: 'sandbox:' })).rejects.toMatchObject({
      code: 'state-other-endpoint',
      message: expect.stringMatching(/not to sandbox:$/),
    });
    await expect(open({ lineage: id('x') })).rejects.toMatchObject({ code: 'state-other-lineage' });
    const unused = createMemoryObjects();
    await (await openAs('typo', unused.store(), { endpoint: 'http://typo' })).close();
    await expect(openAs('other', unused.store())).rejects.toThrow('nothing was ever bought with it');
    const newer = sealLine(JSON.stringify({ ...header, format: 'venice-batch-log', version: 2 }));
    memory.objects.set(entryKey(0), Buffer.from(`${newer}\n`));
    await expect(open({})).rejects.toMatchObject({ code: 'state-newer-version', exitCode: EXIT.lockfile });
  });
});

describe('a checkpoint', () => {
  it('saves reading the entries it covers, and changes nothing else', async () => {
    const memory = createMemoryObjects();
    const writer = await logOf(memory, 250);
    await writer.append(queuedOf('t3'));
    const { requests, store } = counted(memory);
    const log = await openAs('next', store);
    expect(requests.length).toBeLessThan(70);
    expect([...log.attempts.values()]).toEqual([...writer.attempts.values()]);
    expect(log.originOf(id('t3'))).toEqual({ run: id('writer'), by: id('writer') });
    expect(log.lastSeen(id('writer'))).toBe(writer.lastSeen(id('writer')));
    expect(await log.append({ ...intentOf('t9'), rev: 2, state: 'rejected' })).toBe('superseded');
  });

  it('of a missing entry shows that a log was cut', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 120);
    expect(memory.objects.has(checkpointKey(99))).toBe(true);
    for (let at = 90; at <= 120; at += 1) memory.objects.delete(entryKey(at));
    const log = await openAs('next', memory.store());
    expect(log.fault()).toMatchObject(failure);
  });

  it('that does not match its entry is not trusted', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 120);
    const another = createMemoryObjects();
    const log = await openAs('another', another.store());
    for (let at = 0; at < 120; at += 1) await log.append(intentOf(`u${at}`));
    memory.objects.set(checkpointKey(99), another.objects.get(checkpointKey(99))!);
    const next = await openAs('next', memory.store());
    expect(next.fault()).toMatchObject(failure);
    expect(next.attempts.has(id('t3'))).toBe(true);
    expect(next.attempts.has(id('u3'))).toBe(false);
  });

  it('is ignored if damaged', async () => {
    const memory = createMemoryObjects();
    await logOf(memory, 120);
    memory.objects.set(checkpointKey(99), Buffer.from('half a line'));
    const next = await openAs('next', memory.store());
    expect(next.fault()).toBeUndefined();
    expect(next.attempts.size).toBe(120);
  });
});

describe('a store that ignores the condition', () => {
  it('is refused before the first intent, and never holds one', async () => {
    const memory = createMemoryObjects(true);
    const log = await openAs('run', memory.store());
    await expect(log.append(intentOf('a'))).rejects.toMatchObject({
      code: 'state-unsafe',
      exitCode: EXIT.lockfile,
    });
    expect([...memory.objects.keys()].filter((key) => key.startsWith('log/'))).toEqual([entryKey(0)]);
  });
});

describe('refused credentials', () => {
  it.each(['denied', 'expired'] as const)('(%s) stop buying until they are accepted again', async (kind) => {
    const memory = createMemoryObjects();
    let event: StoreEvent = 'answered';
    const log = await openAs(
      'run',
      memory.store(() => event),
    );
    expect(await log.append(intentOf('a'))).toBe('recorded');
    event = kind;
    const error = { code: `state-${kind}`, exitCode: EXIT.authentication };
    await expect(log.append(intentOf('b'))).rejects.toMatchObject(error);
    await expect(log.append(queuedOf('a'))).rejects.toMatchObject(error);
    expect(log.fault()).toMatchObject(error);
    event = 'answered';
    expect(await log.append(queuedOf('a'))).toBe('recorded');
    expect(log.fault()).toBeUndefined();
    expect(await log.append(intentOf('b'))).toBe('recorded');
  });
});

describe('an unreachable store', () => {
  it('keeps nobody waiting forever; what it may have written is settled first', async () => {
    const memory = createMemoryObjects();
    let event: StoreEvent = 'answered';
    const log = await openAs(
      'run',
      memory.store(() => event),
    );
    await log.prove();
    event = 'late';
    const error = { code: 'state-unreachable', exitCode: EXIT.unavailable };
    await expect(log.append(intentOf('a'))).rejects.toMatchObject(error);
    event = 'answered';
    memory.arrive();
    const another = await openAs('another', memory.store());
    expect(await another.append(attempt({ attempt: id('rival'), track: 'a' }))).toBe('taken');
    expect(await log.append(intentOf('a'))).toBe('recorded');
    expect(await log.append(queuedOf('a'))).toBe('recorded');
    expect(log.entries).toBe(3);
  });
});

describe('several machines', () => {
  it('need one request per append, and few to catch up', async () => {
    const memory = createMemoryObjects();
    const { requests, store } = counted(memory);
    const log = await openAs('one', store);
    await log.append(intentOf('first'));
    requests.length = 0;
    await log.append(intentOf('a'));
    expect(requests).toEqual([`put ${entryKey(2)}`]);
    const other = await openAs('two', memory.store());
    for (let at = 0; at < 20; at += 1) await other.append(intentOf(`t${at}`));
    requests.length = 0;
    await log.append(intentOf('b'));
    expect(requests.filter((request) => request.startsWith('put '))).toHaveLength(2);
    // One entry found by the conflict, then 1, 2, 4, 8 and 16 at once.
    expect(requests).toHaveLength(2 + 1 + 31);
  });

  it('put the records of those that wait into one entry', async () => {
    const memory = createMemoryObjects();
    const log = await openAs('one', memory.store());
    await log.prove();
    const names = Array.from({ length: 50 }, (_, at) => `t${at}`);
    const answers = await Promise.all(names.map((name) => log.append(intentOf(name))));
    expect(new Set(answers)).toEqual(new Set(['recorded']));
    expect(log.entries).toBeLessThanOrEqual(3);
  });

  it('show when each was last seen, even if it has nothing to write', async () => {
    const memory = createMemoryObjects();
    const one = await openAs('one', memory.store());
    await one.beat();
    const other = await openAs('two', memory.store(), { access: 'read' });
    expect(other.lastSeen(id('one'))).toBe('2026-01-02T03:04:05.678Z');
    expect(other.lastSeen(id('two'))).toBeUndefined();
    await expect(other.append(queuedOf('a'))).rejects.toThrow('bug');
  });

  it('create nothing when they only read', async () => {
    const memory = createMemoryObjects();
    const log = await openAs('reader', memory.store(), { access: 'read' });
    expect([log.entries, log.attempts.size, memory.objects.size]).toEqual([0, 0, 0]);
  });
});
