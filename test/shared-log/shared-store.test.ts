import { describe, expect, it } from 'vitest';
import { BatchError, EXIT } from '../../src/core/errors.js';
import type { Clock } from '../../src/core/ports.js';
import { SILENT_MS } from '../../src/core/run-silence.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { attemptLine } from '../../src/lockfile/line.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { openLock } from '../../src/lockfile/open-lock.js';
import { salvage, setApart } from '../../src/lockfile/salvage.js';
import { createFolderStore } from '../../src/shared-log/folder-store.js';
import { missingFromLog } from '../../src/shared-log/placement.js';
import type { SharedLog } from '../../src/shared-log/shared-log.js';
import { createSharedStore, type SharedStore } from '../../src/shared-log/shared-store.js';
import { createMemoryDisk, type MemoryDisk } from '../fakes/memory-files.js';
import { attempt, command, file, header, id, random } from '../lockfile/build.js';
import { createTestClock, openAs } from './machine.js';

const ROOT = '/mnt/share/album';

/** A bucket that all machines can reach, and a disk for each. */
async function createShare(): Promise<MemoryDisk> {
  const share = createMemoryDisk();
  await share.files.makeDirectory(ROOT);
  return share;
}

interface Machine {
  readonly store: SharedStore;
  readonly log: SharedLog;
  readonly mirror: LockStore;
  readonly disk: MemoryDisk;
  readonly clock: Clock;
}

async function machine(
  share: MemoryDisk,
  run: string,
  more: {
    disk?: MemoryDisk;
    ended?: readonly string[];
    host?: string;
    log?: (log: SharedLog) => SharedLog;
  } = {},
): Promise<Machine> {
  const clock = createTestClock();
  const opened = await openAs(run, createFolderStore(share.files, random, ROOT), {
    clock,
    ...(more.host === undefined ? {} : { host: more.host }),
  });
  const log = more.log?.(opened) ?? opened;
  const disk = more.disk ?? createMemoryDisk();
  const lock = await openLock(disk.files, '/album/album.lock.jsonl', {
    endpoint: header.endpoint,
    command,
    lineage: () => log.header.lineage,
    log: `file://${ROOT}`,
    random,
  });
  if (!lock.ok) throw new Error(lock.problem.kind);
  const ended = new Set((more.ended ?? []).map(id));
  const store = createSharedStore({
    log,
    address: `file://${ROOT}`,
    mirror: lock.store,
    run: id(run),
    ended,
    clock,
  });
  await store.reconcile();
  return { store, log, mirror: lock.store, disk, clock };
}

const intent = attempt();
const queued = (rev = 2): Attempt => ({
  ...intent,
  rev,
  state: 'queued',
  queue_id: 'job-1',
  at: { ...intent.at, queued: '2026-01-02T03:05:00.000Z' },
});
const stored = (rev: number, path = file.path): Attempt => ({
  ...queued(rev),
  state: 'stored',
  file: { ...file, path },
});

describe('a lockfile over a shared log', () => {
  it('claims a take for one machine only', async () => {
    const share = await createShare();
    const [a, b] = [await machine(share, 'a'), await machine(share, 'b')];
    expect(await a.store.record(intent)).toBe('recorded');
    expect(await b.store.record({ ...intent, attempt: id('other') })).toBe('taken');
    expect(b.store.newest(intent.attempt)).toMatchObject({ state: 'intent', run: id('a') });
    expect(b.store.newest(id('other'))).toBeUndefined();
  });

  it('checks the budget against what all machines have spent', async () => {
    const share = await createShare();
    const [a, b] = [await machine(share, 'a'), await machine(share, 'b')];
    await a.store.record(intent, { budgetMicroUsd: 1_000_000 });
    const next = attempt({ attempt: id('next'), track: 'ending' });
    expect(await b.store.record(next, { budgetMicroUsd: 1_000_000 })).toBe('over_budget');
  });

  it("leaves another run's intent alone, and settles one of a finished run of this machine", async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    const b = await machine(share, 'b');
    expect(b.store.sharing.holderOf(b.store.newest(intent.attempt)!)).toMatchObject({
      kind: 'elsewhere',
      silent: false,
    });
    const again = await machine(share, 'a2', { disk: a.disk, ended: ['a'] });
    expect(again.store.sharing.holderOf(again.store.newest(intent.attempt)!)).toEqual({ kind: 'here' });
    const doubt: Attempt = { ...again.store.newest(intent.attempt)!, rev: 2, state: 'in_doubt' };
    expect(await again.store.record(doubt)).toBe('recorded');
    expect(again.log.attempts.get(intent.attempt)).toMatchObject({ state: 'in_doubt' });
  });

  it('says whether the log has a record', async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    await a.store.record(queued());
    const { sharing } = a.store;
    expect(sharing.has(a.store.newest(intent.attempt)!)).toBe(true);
    expect(sharing.has(stored(3))).toBe(false);
    expect(sharing.has({ ...intent, attempt: id('never written') })).toBe(false);
  });

  it('does not say what the log has after it was suspended, until it has read the log again', async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    for (const record of [intent, queued(), stored(3)]) await a.store.record(record);
    expect(a.store.sharing.has(stored(3))).toBe(true);
    await a.clock.sleep(3_600_000);
    expect(a.store.sharing.has(stored(3))).toBe(false);
    await a.store.sharing.refresh();
    expect(a.store.sharing.has(stored(3))).toBe(true);
  });

  it('does not say that a file is stored which another machine has given up meanwhile', async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    for (const record of [intent, queued(), stored(3)]) await a.store.record(record);
    const b = await machine(share, 'b');
    const lost: Attempt = { ...stored(5), state: 'lost', reason: { code: 'not_found', status: 404 } };
    await b.store.record({ ...queued(4), file });
    await b.store.record(lost);
    await a.log.refresh();
    expect(a.log.attempts.get(intent.attempt)).toMatchObject({ state: 'lost' });
    expect(a.store.sharing.has(stored(3))).toBe(false);
  });

  it('does not override what the user resolved: the record is superseded, and the lockfile matches the log', async () => {
    const share = await createShare();
    const [a, b] = [await machine(share, 'a'), await machine(share, 'b')];
    await a.store.record(intent);
    await b.store.sharing.refresh();
    const lost: Attempt = { ...b.store.newest(intent.attempt)!, rev: 3, state: 'lost' };
    expect(await b.store.record(lost, { byPerson: true })).toBe('recorded');
    // It was paused the whole time, and does not know.
    expect(await a.store.record({ ...intent, rev: 2, state: 'rejected' })).toBe('superseded');
    expect(a.store.newest(intent.attempt)).toMatchObject({ state: 'lost', log_rev: 3 });
    expect(a.log.attempts.get(intent.attempt)).toMatchObject({ state: 'lost', rev: 3 });
  });

  it('records where a file is on this machine, and does not share moves', async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    await a.store.record(queued());
    await a.store.record(stored(3));
    const entries = a.log.entries;
    await a.store.record({ ...stored(4), move_to: 'out/new.mp3' });
    await a.store.record(stored(5, 'out/new.mp3'));
    expect(a.log.entries).toBe(entries);
    const b = await machine(share, 'b');
    await b.store.record({ ...stored(4), state: 'done' });
    await a.store.sharing.refresh();
    expect(a.store.newest(intent.attempt)).toMatchObject({ state: 'done', file: { path: 'out/new.mp3' } });
    expect(b.store.newest(intent.attempt)).toMatchObject({ state: 'done', file: { path: file.path } });
  });

  it('keeps an outcome that the log cannot take, buys nothing meanwhile, and logs it later', async () => {
    const share = await createShare();
    let down = false;
    const gone = new BatchError('state-unreachable', 'not reachable', { exitCode: EXIT.unavailable });
    const a = await machine(share, 'a', {
      log: (log) => ({
        ...log,
        get header() {
          return log.header;
        },
        get attempts() {
          return log.attempts;
        },
        append: (record, limits) => (down ? Promise.reject(gone) : log.append(record, limits)),
      }),
    });
    await a.store.record(intent);
    down = true;
    expect(await a.store.record(queued())).toBe('recorded');
    expect(a.store.fault()).toEqual({ kind: 'log', error: gone });
    const next = attempt({ attempt: id('next'), track: 'ending' });
    await expect(a.store.record(next)).rejects.toBe(gone);
    down = false;
    await a.store.sharing.refresh();
    expect(a.store.fault()).toBeUndefined();
    expect(a.log.attempts.get(intent.attempt)).toMatchObject({ queue_id: 'job-1' });
    const b = await machine(share, 'b');
    expect(b.store.newest(intent.attempt)).toMatchObject({ state: 'queued', queue_id: 'job-1' });
  });

  it('withdraws an intent that the log may contain although the response was lost', async () => {
    const share = await createShare();
    const lost = new BatchError('state-unreachable', 'no answer', { exitCode: EXIT.unavailable });
    const a = await machine(share, 'a', {
      log: (log) => ({
        ...log,
        get header() {
          return log.header;
        },
        get attempts() {
          return log.attempts;
        },
        append: async (record, limits) => {
          const answer = await log.append(record, limits);
          if (record.state === 'intent') throw lost;
          return answer;
        },
      }),
    });
    await expect(a.store.record(intent)).rejects.toBe(lost);
    const b = await machine(share, 'b');
    expect(b.store.newest(intent.attempt)).toMatchObject({ state: 'rejected', reason: { code: 'not_sent' } });
    expect(await b.store.record(attempt({ attempt: id('again') }))).toBe('recorded');
  });

  it('copies the attempts of an older lockfile into an empty log', async () => {
    const share = await createShare();
    const disk = createMemoryDisk();
    const old = await openLock(disk.files, '/album/album.lock.jsonl', {
      endpoint: header.endpoint,
      command,
      lineage: () => id('lineage of a'),
      random,
    });
    if (!old.ok) throw new Error(old.problem.kind);
    for (const record of [intent, queued(), stored(3)]) await old.store.record(record);
    await old.store.close();
    const a = await machine(share, 'a', { disk });
    expect(a.log.attempts.get(intent.attempt)).toMatchObject({ state: 'stored', queue_id: 'job-1' });
    const b = await machine(share, 'b');
    expect(b.store.newest(intent.attempt)).toMatchObject({ state: 'stored' });
  });

  it('says which attempts are missing from a log that was cut', async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    await a.store.record(queued());
    const rejected = attempt({ attempt: id('rejected'), track: 'ending' });
    await a.store.record(rejected);
    await a.store.record({ ...rejected, rev: 2, state: 'rejected' });
    const kept = [...a.mirror.attempts.values()];
    expect(missingFromLog(kept, a.log.attempts)).toEqual([]);
    const others = new Map([...a.log.attempts].filter(([key]) => key !== intent.attempt));
    expect(missingFromLog(kept, others)).toMatchObject([{ attempt: intent.attempt }]);
  });

  it('does not expect attempts in the log that never got there', async () => {
    const share = await createShare();
    const disk = createMemoryDisk();
    const unreachable = new BatchError('state-unreachable', 'not reachable', { exitCode: EXIT.unavailable });
    const old = await openLock(disk.files, '/album/album.lock.jsonl', {
      endpoint: header.endpoint,
      command,
      lineage: () => id('lineage of a'),
      random,
    });
    if (!old.ok) throw new Error(old.problem.kind);
    await old.store.record(intent);
    await old.store.record(queued());
    const about = { address: '', mirror: old.store, run: id('a'), ended: new Set<string>() };
    const offline = createSharedStore({
      ...about,
      log: undefined,
      fault: unreachable,
      clock: createTestClock(),
    });
    await offline.record(stored(3));
    await offline.record({ ...stored(4), move_to: 'out/new.mp3' });
    await offline.record(stored(5, 'out/new.mp3'));
    await offline.close();
    expect(missingFromLog(offline.attempts.values(), new Map())).toEqual([]);
    const a = await machine(share, 'a', { disk });
    expect(a.log.attempts.get(intent.attempt)).toMatchObject({ state: 'stored' });
    await a.store.record({ ...a.store.newest(intent.attempt)!, rev: 6, state: 'done' });
    expect(missingFromLog(a.mirror.attempts.values(), new Map())).toMatchObject([{ state: 'done' }]);
  });

  it('names the machine that stored a file if it is another one', async () => {
    const share = await createShare();
    const a = await machine(share, 'a', { host: 'studio-1' });
    await a.store.record(intent);
    await a.store.record(queued());
    await a.store.record(stored(3));
    const b = await machine(share, 'b', { host: 'studio-2' });
    const known = b.store.newest(intent.attempt)!;
    expect(b.store.sharing.keptBy(known)).toBe('studio-1');
    expect(a.store.sharing.keptBy(a.store.newest(intent.attempt)!)).toBeUndefined();
    const again = await machine(share, 'a2', { disk: a.disk, ended: ['a'] });
    expect(again.store.sharing.keptBy(known)).toBeUndefined();
    // A name that could control a terminal is not shown.
    const c = await machine(share, 'c', { host: 'x\u001b[2J' });
    await c.store.record({ ...known, rev: 9, state: 'done' });
    await b.store.sharing.refresh();
    expect(b.store.sharing.keptBy(b.store.newest(intent.attempt)!)).toBe('another machine');
  });

  /** An attempt that the log has as rejected, and the doubt that a damaged line of it leaves in another copy. */
  async function rejectedAndDamaged() {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    await a.store.record({ ...intent, rev: 2, state: 'rejected' });
    const text = attemptLine(queued()).replace('job-1', '\0');
    const [doubt] = salvage([text], text, () => undefined).flat();
    return { share, a, doubt: doubt! };
  }

  it('keeps a doubt from a damaged line beside the record of its attempt that the log closed without a job', async () => {
    const { share, a, doubt } = await rejectedAndDamaged();
    const disk = createMemoryDisk();
    disk.put('/album/album.lock.jsonl', serialiseLock({ ...header, lineage: a.log.header.lineage }, [doubt]));
    const b = await machine(share, 'b', { disk });
    const apart = setApart(doubt);
    for (const { attempts } of [b.store, b.log]) {
      expect(attempts.get(intent.attempt)).toMatchObject({ state: 'rejected' });
      expect(attempts.get(apart.attempt)).toMatchObject({ state: 'in_doubt', track: intent.track, take: 1 });
      expect(attempts.size).toBe(2);
    }
    const taken = attempt({ attempt: id('again') });
    expect(await a.store.record(taken)).toBe('taken');
    await b.store.record({ ...apart, rev: 2, state: 'rejected' }, { byPerson: true });
    expect(await a.store.record(taken)).toBe('recorded');
  });

  it.each([
    ['still open', {}],
    ['settled', { rev: 2, state: 'rejected' } as const],
  ])('knows the doubt of a line that is damaged a second time: %s', async (_name, since) => {
    const { share, a, doubt } = await rejectedAndDamaged();
    const apart = { ...setApart(doubt), ...since };
    const disk = createMemoryDisk();
    const lineage = a.log.header.lineage;
    disk.put('/album/album.lock.jsonl', serialiseLock({ ...header, lineage }, [doubt, apart]));
    const b = await machine(share, 'b', { disk });
    for (const { attempts } of [b.store, b.log]) {
      expect(attempts.get(intent.attempt)).toMatchObject({ state: 'rejected' });
      expect(attempts.get(apart.attempt)).toMatchObject({ state: apart.state });
      expect(attempts.size).toBe(2);
    }
  });

  it('takes over from a run that has gone silent', async () => {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    await a.store.record(queued());
    const b = await machine(share, 'b');
    const known = b.store.newest(intent.attempt)!;
    expect(b.store.sharing.holderOf(known)).toMatchObject({ kind: 'elsewhere', silent: false });
    const clock = createTestClock();
    await clock.sleep(SILENT_MS + 1);
    const later = createSharedStore({
      log: b.log,
      address: '',
      mirror: b.mirror,
      run: id('b'),
      ended: new Set(),
      clock,
    });
    expect(later.sharing.holderOf(known)).toMatchObject({ kind: 'elsewhere', silent: true });
  });

  it.each([2, -2])('notices silence although the other clock differs by %d hours', async (hours) => {
    const share = await createShare();
    const a = await machine(share, 'a');
    await a.store.record(intent);
    await a.store.record(queued());
    const b = await machine(share, 'b');
    const clock = createTestClock();
    const theirs = () => new Date(clock.nowMs() + hours * 3_600_000).toISOString();
    let lastSeen = theirs();
    const log = {
      ...b.log,
      attempts: b.log.attempts,
      lastSeen: () => lastSeen,
      runs: () => new Map([[id('a'), lastSeen]]),
    };
    const { mirror } = b;
    const { sharing } = createSharedStore({
      log,
      address: '',
      mirror,
      run: id('b'),
      ended: new Set(),
      clock,
    });
    const known = b.store.newest(intent.attempt)!;
    sharing.holderOf(known);
    await clock.sleep(SILENT_MS);
    lastSeen = theirs();
    expect(sharing.holderOf(known)).toMatchObject({ kind: 'elsewhere', silent: false });
    expect(sharing.runs()).toBe(2);
    await clock.sleep(SILENT_MS + 1);
    expect(sharing.holderOf(known)).toMatchObject({ kind: 'elsewhere', silent: true });
    expect(sharing.runs()).toBe(1);
  });
});
