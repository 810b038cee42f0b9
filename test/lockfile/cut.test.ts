import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { openLock } from '../../src/lockfile/open-lock.js';
import { readLock } from '../../src/lockfile/read.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, file, header, id, random } from './build.js';

const path = '/album/album.lock.jsonl';

async function open({ files }: MemoryDisk): Promise<LockStore | undefined> {
  const options = { endpoint: header.endpoint, command, lineage: () => header.lineage, random };
  const opened = await openLock(files, path, options);
  return opened.ok ? opened.store : undefined;
}

/** Two takes, each bought and queued, one of them stored. */
const RECORDS: readonly Attempt[] = ['a', 'b'].flatMap((name) => [
  attempt({ attempt: id(name), track: name }),
  attempt({ attempt: id(name), track: name, rev: 2, state: 'queued', queue_id: name }),
]);
const STORED = attempt({ attempt: id('a'), track: 'a', rev: 3, state: 'stored', queue_id: 'a', file });

/** Does what a run does, and is killed (the process, not the machine) at the operation with this index. */
async function killedAt(
  before: MemoryDisk,
  index: number,
  act: (disk: MemoryDisk, acknowledged: Attempt[]) => Promise<void>,
): Promise<{ disk: MemoryDisk; acknowledged: readonly Attempt[]; ended: boolean }> {
  const disk = createMemoryDisk(before.texts());
  disk.intercept((operation) => (operation.index === index ? 'halt' : undefined));
  const acknowledged: Attempt[] = [];
  const ended = await Promise.race([act(disk, acknowledged).then(() => true), disk.halted.then(() => false)]);
  return { disk: createMemoryDisk(disk.texts()), acknowledged, ended };
}

async function* kills(before: MemoryDisk, act: (disk: MemoryDisk, acknowledged: Attempt[]) => Promise<void>) {
  for (let index = 0; ; index += 1) {
    const killed = await killedAt(before, index, act);
    yield killed;
    if (killed.ended) return;
  }
}

async function buy(disk: MemoryDisk, acknowledged: Attempt[]): Promise<void> {
  const store = await open(disk);
  for (const record of RECORDS) {
    await store?.record(record);
    acknowledged.push(record);
  }
}

/** The second run: collects one job, and is killed as well. */
async function goOn(disk: MemoryDisk, acknowledged: Attempt[]): Promise<void> {
  const store = await open(disk);
  if (store?.newest(STORED.attempt)?.rev !== 2) return;
  await store.record(STORED);
  acknowledged.push(STORED);
}

/** What others may leave of the lockfile: cut at each line end, an older version, or nothing. */
function damagedTexts(text: string | undefined): readonly (string | undefined)[] {
  const lines = (text ?? '').split(/(?<=\n)/);
  const cuts = lines.map((_, count) => lines.slice(0, count).join(''));
  return [...cuts, text, undefined, serialiseLock(header, []), serialiseLock(header, RECORDS.slice(0, 1))];
}

function damaged({ texts }: MemoryDisk, text: string | undefined): MemoryDisk {
  const { [path]: _, ...others } = texts();
  return createMemoryDisk(text === undefined ? others : { ...others, [path]: text });
}

/** Either refused or complete: a lockfile that lacks records is never accepted. */
async function expectKnown(disk: MemoryDisk, acknowledged: readonly Attempt[]): Promise<boolean> {
  const store = await open(disk);
  if (store === undefined) return false;
  for (const { attempt: name, rev } of acknowledged)
    expect(store.attempts.get(name)?.rev ?? 0, name).toBeGreaterThanOrEqual(rev);
  return true;
}

describe('a lockfile that is cut or put back after a run was killed', () => {
  it('still shows every record of that run, or is refused, wherever it was killed', async () => {
    let opened = 0;
    for await (const { disk, acknowledged } of kills(createMemoryDisk(), buy)) {
      if (acknowledged.length === 0) continue;
      for (const text of damagedTexts(disk.texts()[path]))
        opened += Number(await expectKnown(damaged(disk, text), acknowledged));
    }
    expect(opened).toBeGreaterThan(50);
  });

  it('still shows them when the next run is killed too', async () => {
    const bought = createMemoryDisk();
    await buy(bought, []);
    let opened = 0;
    for await (const { disk, acknowledged } of kills(bought, goOn)) {
      for (const text of damagedTexts(disk.texts()[path]))
        opened += Number(await expectKnown(damaged(disk, text), [...RECORDS, ...acknowledged]));
    }
    expect(opened).toBeGreaterThan(50);
  });

  it('leads to a message about how many attempts were restored', async () => {
    const disk = createMemoryDisk();
    await buy(disk, []);
    const cut = damaged(disk, serialiseLock(header, RECORDS.slice(0, 2)));
    const read = await readLock(cut.files, path);
    expect(read.ok && read.notes).toEqual([{ kind: 'restored', attempts: 1 }]);
    const whole = await readLock(disk.files, path);
    expect(whole.ok && whole.notes).toEqual([]);
  });

  it('is trusted again after a clean end, which leaves no journal', async () => {
    const disk = createMemoryDisk();
    await buy(disk, []);
    const next = createMemoryDisk(disk.texts());
    await (await open(next))?.close();
    expect(Object.keys(next.texts()).filter((name) => name.endsWith('.journal'))).toEqual([]);
    expect(next.texts()[path]).toBe(serialiseLock(header, [RECORDS[1]!, RECORDS[3]!]));
  });
});
