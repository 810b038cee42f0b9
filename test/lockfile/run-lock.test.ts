import { createHash } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock, Files, NameClaim, Processes, ProcessIdentity, Random } from '../../src/core/ports.js';
import { type AcquiredLock, acquireRunLock, breakRunLock, runLockPath } from '../../src/lockfile/run-lock.js';
import { createMemoryDisk, type MemoryDisk, seeded } from '../fakes/memory-files.js';
import { type Choose, everyOrder, interleave } from './interleave.js';

const lockPath = '/album/album.lock.jsonl';
const guard = runLockPath(lockPath);
const clock: Clock = { nowMs: () => 1_000_000, sleep: () => Promise.resolve() };

const ELSEWHERE = { hostname: 'laptop', bootId: 'boot-2', machineId: 'machine-2' };

function identity(pid: number, fields: Partial<ProcessIdentity> = {}): ProcessIdentity {
  return {
    pid,
    hostname: 'studio',
    bootId: 'boot-1',
    startTime: `start-${pid}`,
    machineId: 'machine-1',
    pidNamespace: 'pid:[4026531836]',
    netNamespace: 'net:[1]',
    ...fields,
  };
}

/** One process, and the others that it finds alive: start times by pid. */
interface Actor {
  readonly self: ProcessIdentity;
  readonly living?: Readonly<Record<number, string>>;
  /** Names claimed in the operating system. Absent: not supported. */
  readonly claims?: Claims;
}

interface Claims {
  claim(name: string): NameClaim;
}

function createClaims(): Claims {
  const taken = new Set<string>();
  return {
    claim: (name) => {
      if (taken.has(name)) return { kind: 'taken' };
      taken.add(name);
      return { kind: 'held', free: async () => void taken.delete(name) };
    },
  };
}

let drawn = 0;

function world({ self, living = {}, claims }: Actor): { processes: Processes; random: Random } {
  return {
    processes: {
      self,
      startTimeOf: (pid) => Promise.resolve(pid === self.pid ? self.startTime : living[pid]),
      claim: (name) => Promise.resolve(claims?.claim(name) ?? { kind: 'unsupported' }),
      openBeacon: () => Promise.resolve(undefined),
      askBeacon: () => Promise.resolve('unknown'),
    },
    random: {
      bytes(size) {
        drawn += 1;
        return createHash('sha256').update(String(drawn)).digest().subarray(0, size);
      },
    },
  };
}

function acquire(files: Files, actor: Actor): Promise<AcquiredLock> {
  const { processes, random } = world(actor);
  return acquireRunLock(files, processes, clock, random, lockPath);
}

function unlock(files: Files, actor: Actor, judged?: string) {
  const { processes, random } = world(actor);
  return breakRunLock(files, processes, clock, random, lockPath, judged);
}

/** Frees the lock that it is shown. */
async function force(files: Files, actor: Actor) {
  const seen = await unlock(files, actor);
  return seen.kind === 'refused' ? unlock(files, actor, seen.held.id) : seen;
}

/** Another run used the folder before. */
function emptyDisk(): MemoryDisk {
  return createMemoryDisk({ [path.join(path.dirname(guard), '.gitignore')]: '*\n' });
}

async function heldBy(actor: Actor): Promise<MemoryDisk> {
  const disk = emptyDisk();
  expect((await acquire(disk.files, actor)).ok).toBe(true);
  return disk;
}

/** All files except the one that makes git ignore the folder. */
const names = (disk: MemoryDisk) => Object.keys(disk.texts()).filter((name) => !name.endsWith('/.gitignore'));

describe('the guard', () => {
  it('is one complete, durable file that is gone after release', async () => {
    const disk = createMemoryDisk();
    const taken = await acquire(disk.files, { self: identity(1) });
    expect(names(disk)).toEqual([guard]);
    expect(JSON.parse(disk.texts()[guard] ?? '')).toMatchObject({
      pid: 1,
      hostname: 'studio',
      since_ms: 1e6,
    });
    if (taken.ok) await taken.release();
    expect(names(disk)).toEqual([]);
  });

  it('is held while its process lives, and names the holder', async () => {
    const disk = await heldBy({ self: identity(1) });
    const second = await acquire(disk.files, { self: identity(2), living: { 1: 'start-1' } });
    expect(second).toEqual({
      ok: false,
      held: { id: expect.any(String), pid: 1, hostname: 'studio', sinceMs: 1e6, ageMs: 0, alive: true },
    });
    expect(names(disk)).toEqual([guard]);
  });

  it('excludes the same process too', async () => {
    const disk = await heldBy({ self: identity(1) });
    expect(await acquire(disk.files, { self: identity(1) })).toMatchObject({
      ok: false,
      held: { alive: true },
    });
  });

  it.each<[string, ProcessIdentity, Record<number, string>]>([
    ['no such process', identity(1), {}],
    ['the pid given to a later process', identity(1), { 1: 'start-later' }],
    ['another boot', identity(1, { bootId: 'boot-0' }), { 1: 'start-1' }],
  ])('is taken over if the holder is dead: %s', async (_, holder, living) => {
    const disk = await heldBy({ self: holder });
    const taken = await acquire(disk.files, { self: identity(2), living });
    expect(taken).toMatchObject({ ok: true, tookOver: { pid: 1, hostname: 'studio', alive: false } });
    expect(names(disk)).toEqual([guard]);
    const third = await acquire(disk.files, { self: identity(3), living: { 2: 'start-2' } });
    expect(third).toMatchObject({ ok: false, held: { pid: 2 } });
    if (taken.ok) await taken.release();
    expect(names(disk)).toEqual([]);
  });

  it.each<[string, ProcessIdentity, Record<number, string>]>([
    ['on another host', identity(1, ELSEWHERE), {}],
    ['alive, and the system knows no start time', identity(1), { 1: '' }],
    ['alive, and recorded without a start time', identity(1, { startTime: '' }), { 1: 'start-1' }],
    ['alive, on a system without boot ids', identity(1, { bootId: '', startTime: '' }), { 1: '' }],
    ['on a machine of the same name', identity(1, { ...ELSEWHERE, hostname: 'studio' }), {}],
  ])('is not taken over if the holder may be alive: %s', async (_, holder, living) => {
    const disk = await heldBy({ self: holder });
    expect(await acquire(disk.files, { self: identity(2), living })).toMatchObject({
      ok: false,
      held: { pid: 1, alive: 'unknown' },
    });
  });

  it.each([
    ['empty', ''],
    ['torn', '{'],
    ['null', 'null'],
    ['incomplete', '{"pid":1}'],
    ['endless', 'x'.repeat(5000)],
  ])('counts as held if it cannot be read: %s', async (_, text) => {
    const disk = createMemoryDisk({ [guard]: text });
    const self = identity(2);
    expect(await acquire(disk.files, { self })).toMatchObject({ ok: false, held: { alive: 'unknown' } });
    expect(await unlock(disk.files, { self })).toMatchObject({ kind: 'refused' });
    expect(await force(disk.files, { self })).toMatchObject({ kind: 'broken' });
    expect(names(disk)).toEqual([]);
  });

  it('is created even if the file system has no links', async () => {
    const disk = createMemoryDisk();
    disk.intercept(({ name }) => (name === 'link' ? 'EPERM' : undefined));
    expect((await acquire(disk.files, { self: identity(1) })).ok).toBe(true);
    expect((await acquire(disk.files, { self: identity(2), living: { 1: 'start-1' } })).ok).toBe(false);
    expect(await acquire(disk.files, { self: identity(3) })).toMatchObject({
      ok: true,
      tookOver: { pid: 1 },
    });
    expect(names(disk)).toEqual([guard]);
  });

  it('is not released by another run', async () => {
    const disk = createMemoryDisk();
    const first = await acquire(disk.files, { self: identity(1, ELSEWHERE) });
    await force(disk.files, { self: identity(2) });
    await acquire(disk.files, { self: identity(3) });
    const before = disk.texts();
    if (first.ok) await first.release();
    expect(disk.texts()).toEqual(before);
  });
});

describe('a name claimed in the operating system', () => {
  it('excludes others even if the guard was deleted', async () => {
    const [disk, claims] = [emptyDisk(), createClaims()];
    const first = await acquire(disk.files, { self: identity(1), claims });
    await disk.files.remove(guard);
    const second = { self: identity(2), living: { 1: 'start-1' }, claims };
    expect(await acquire(disk.files, second)).toMatchObject({ ok: false, held: { pid: 0, alive: true } });
    expect(await force(disk.files, second)).toMatchObject({ kind: 'refused' });
    if (first.ok) await first.release();
    expect((await acquire(disk.files, second)).ok).toBe(true);
  });

  it('is released by a run that is refused because of the guard', async () => {
    const [disk, claims] = [await heldBy({ self: identity(1, ELSEWHERE) }), createClaims()];
    for (let tries = 0; tries < 2; tries += 1)
      expect(await acquire(disk.files, { self: identity(2), claims })).toMatchObject({
        ok: false,
        held: { pid: 1, alive: 'unknown', why: 'other_host' },
      });
  });

  it('proves that a holder is dead although its pid is in use', async () => {
    const [disk, claims] = [emptyDisk(), createClaims()];
    await acquire(disk.files, { self: identity(1, { startTime: '' }), claims });
    const second = { self: identity(2), living: { 1: '' }, claims: createClaims() };
    expect(await acquire(disk.files, second)).toMatchObject({ ok: true, tookOver: { pid: 1 } });
  });
});

describe('a guard that is checked before each submit', () => {
  async function held(claims?: Claims) {
    const disk = emptyDisk();
    const taken = await acquire(disk.files, { self: identity(1), ...(claims && { claims }) });
    if (!taken.ok) throw new Error('not taken');
    return { disk, taken };
  }

  it('is held while nobody touches it', async () => {
    const { taken } = await held();
    expect(await taken.check()).toBe('ours');
  });

  it('is created again after a deletion while the system excludes others', async () => {
    const { disk, taken } = await held(createClaims());
    const before = disk.texts()[guard];
    await disk.files.remove(guard);
    expect(await taken.check()).toBe('ours');
    expect(disk.texts()[guard]).toBe(before);
  });

  it('is lost after a deletion if nothing else excludes others', async () => {
    const { disk, taken } = await held();
    await disk.files.remove(guard);
    expect(await taken.check()).toBe('gone');
    expect(disk.texts()[guard]).toBeUndefined();
  });

  it.each([true, false])('is lost if another process holds it (with a claimed name: %s)', async (claimed) => {
    const { disk, taken } = await held(claimed ? createClaims() : undefined);
    await disk.files.remove(guard);
    await acquire(disk.files, { self: identity(2, ELSEWHERE) });
    const before = disk.texts();
    expect(await taken.check()).toBe('taken');
    await taken.release();
    expect(disk.texts()).toEqual(before);
  });

  it('is lost as soon as another process has taken over', async () => {
    const { disk, taken } = await held();
    await force(disk.files, { self: identity(2, ELSEWHERE) });
    expect(await taken.check()).toBe('gone');
    await acquire(disk.files, { self: identity(3) });
    expect(await taken.check()).toBe('taken');
  });
});

describe('a file system without hard links', () => {
  const withoutLinks = (disk: MemoryDisk) =>
    disk.intercept(({ name }) => (name === 'link' ? 'ENOTSUP' : undefined));

  it('is sufficient if it refuses to create a file twice', async () => {
    const disk = emptyDisk();
    withoutLinks(disk);
    expect(await acquire(disk.files, { self: identity(1) })).toMatchObject({ ok: true, exclusive: true });
  });

  it('is not sufficient otherwise, except with a claimed name', async () => {
    for (const claims of [undefined, createClaims()]) {
      const disk = emptyDisk();
      withoutLinks(disk);
      const files: Files = {
        ...disk.files,
        open: (at, mode) => disk.files.open(at, mode === 'exclusive' ? 'truncate' : mode),
      };
      const taken = await acquire(files, { self: identity(1), ...(claims && { claims }) });
      expect(taken).toMatchObject({ ok: true, exclusive: claims !== undefined });
    }
  });
});

describe('a guard of an earlier version', () => {
  const former = `${lockPath}.guard`;
  const left = (pid: number, fields: object = {}) =>
    JSON.stringify({
      pid,
      hostname: 'studio',
      boot_id: 'boot-1',
      start_time: `start-${pid}`,
      nonce: 'ab'.repeat(16),
      since_ms: 0,
      ...fields,
    });

  it('is respected while its run lives or may live', async () => {
    const living = { 1: 'start-1' };
    for (const fields of [{}, { hostname: 'laptop', boot_id: 'boot-2' }, { hostname: 'studio/pid:[7]' }]) {
      const disk = createMemoryDisk({ [former]: left(1, fields) });
      expect(await acquire(disk.files, { self: identity(2), living })).toMatchObject({ held: { pid: 1 } });
      expect(names(disk)).toEqual([former]);
    }
  });

  it('is removed when its run is dead', async () => {
    const disk = createMemoryDisk({ [former]: left(1) });
    expect(await acquire(disk.files, { self: identity(2) })).toMatchObject({
      ok: true,
      tookOver: { pid: 1 },
    });
    expect(names(disk)).toEqual([guard]);
  });

  it('is removed by unlock --force', async () => {
    const disk = createMemoryDisk({ [former]: left(1, { boot_id: 'boot-2' }) });
    expect((await unlock(disk.files, { self: identity(2) })).kind).toBe('refused');
    expect((await force(disk.files, { self: identity(2) })).kind).toBe('broken');
    expect(names(disk)).toEqual([]);
  });
});

describe('unlock', () => {
  it('says if there is nothing to unlock', async () => {
    expect(await unlock(createMemoryDisk().files, { self: identity(2) })).toEqual({ kind: 'free' });
  });

  it('removes the guard of a dead process', async () => {
    const disk = await heldBy({ self: identity(1) });
    expect(await unlock(disk.files, { self: identity(2) })).toMatchObject({
      kind: 'broken',
      was: { pid: 1 },
    });
    expect(names(disk)).toEqual([]);
  });

  it('removes the guard of another host only with --force', async () => {
    const disk = await heldBy({ self: identity(1, ELSEWHERE) });
    expect((await unlock(disk.files, { self: identity(2) })).kind).toBe('refused');
    expect((await force(disk.files, { self: identity(2) })).kind).toBe('broken');
  });

  it('never frees another lock than the one that the user was shown', async () => {
    const disk = await heldBy({ self: identity(1, ELSEWHERE) });
    const seen = await unlock(disk.files, { self: identity(2) });
    const shown = seen.kind === 'refused' ? seen.held.id : '';
    await disk.files.remove(guard);
    expect((await acquire(disk.files, { self: identity(3, ELSEWHERE) })).ok).toBe(true);
    const refused = await unlock(disk.files, { self: identity(2) }, shown);
    expect(refused).toMatchObject({
      kind: 'refused',
      held: { pid: 3, id: expect.not.stringContaining(shown) },
    });
    expect(names(disk)).toEqual([guard]);
  });

  it('never removes the guard of a process that is alive on this host', async () => {
    const disk = await heldBy({ self: identity(1) });
    const second = { self: identity(2), living: { 1: 'start-1' } };
    expect(await force(disk.files, second)).toMatchObject({ kind: 'refused', held: { pid: 1 } });
  });
});

/** Several processes want the guard at the same time; pid 1 is dead, the others live. */
function race(count: number) {
  const pids = Array.from({ length: count }, (_, n) => n + 2);
  const living = Object.fromEntries(pids.map((pid) => [pid, `start-${pid}`]));
  return pids.map((pid): Actor => ({ self: identity(pid), living }));
}

/** The disk as left by a process that is killed before operation `at`. */
async function killedAt(before: MemoryDisk, at: number, pid: number): Promise<MemoryDisk> {
  const disk = before.crash(at);
  disk.intercept(({ index }) => (index === at ? 'halt' : undefined));
  await Promise.race([acquire(disk.files, { self: identity(pid) }), disk.halted]);
  disk.intercept(() => undefined);
  return disk.crash(at);
}

async function exactlyOneHolds(disk: MemoryDisk, actors: readonly Actor[], choose: Choose): Promise<void> {
  const results: AcquiredLock[] = [];
  const bodies = actors.map((actor) => async (files: Files) => {
    results.push(await acquire(files, actor));
  });
  await interleave(disk.files, bodies, choose);
  expect(results.filter((result) => result.ok).length).toBe(1);
  expect(results.length).toBe(actors.length);
}

async function neverTwoAtOnce(disk: MemoryDisk, actors: readonly Actor[], choose: Choose): Promise<void> {
  let inside = 0;
  let entered = 0;
  const bodies = actors.map((actor) => async (files: Files) => {
    const taken = await acquire(files, actor);
    if (!taken.ok) return;
    entered += 1;
    inside += 1;
    expect(inside).toBe(1);
    await files.facts(lockPath);
    inside -= 1;
    await taken.release();
  });
  await interleave(disk.files, bodies, choose);
  expect(entered).toBeGreaterThan(0);
  expect(names(disk)).not.toContain(guard);
}

describe('a symbolic link that leads to nothing', () => {
  it('in place of the guard is named by each command, and nothing is created at its target', async () => {
    const disk = emptyDisk();
    disk.symlink(guard, '/album/nowhere.txt');
    for (const command of [acquire, unlock, force])
      await expect(command(disk.files, { self: identity(1) })).rejects.toMatchObject({
        code: 'ELOOP',
        path: guard,
      });
    expect(names(disk)).toEqual([]);
    disk.symlink(guard, undefined);
    expect((await acquire(disk.files, { self: identity(1) })).ok).toBe(true);
  });

  it("in place of a successor's file is named", async () => {
    const disk = await heldBy({ self: identity(1) });
    const { nonce } = JSON.parse(disk.texts()[guard]!);
    disk.symlink(`${guard}.${nonce}`, '/album/nowhere.txt');
    await expect(acquire(disk.files, { self: identity(2) })).rejects.toMatchObject({
      code: 'ELOOP',
      path: `${guard}.${nonce}`,
    });
    expect(names(disk)).toEqual([guard]);
  });
});

describe('two processes at the same time', () => {
  it('let exactly one get a free guard, in every order', async () => {
    const orders = await everyOrder(2, (choose) => exactlyOneHolds(emptyDisk(), race(2), choose));
    expect(orders).toBeGreaterThan(100);
  });

  it('let exactly one take over from a dead process, in every order', async () => {
    const stale = await heldBy({ self: identity(1) });
    const orders = await everyOrder(2, (choose) => exactlyOneHolds(stale.crash(0), race(2), choose));
    expect(orders).toBeGreaterThan(500);
  });

  it('never hold the guard together while it is taken over and released, in every order', async () => {
    const stale = await heldBy({ self: identity(1) });
    await everyOrder(2, (choose) => neverTwoAtOnce(stale.crash(0), race(2), choose));
  });

  it('never hold the guard together after a third died while taking it over', async () => {
    const stale = await heldBy({ self: identity(1) });
    for (let at = 0; at < 40; at += 1) {
      const left = await killedAt(stale, at, 9);
      await everyOrder(1, (choose) => exactlyOneHolds(left.crash(0), race(2), choose));
    }
  });

  it('never hold the guard together if one of them is an unlock', async () => {
    const stale = await heldBy({ self: identity(1) });
    const [first, second] = race(2) as [Actor, Actor];
    await everyOrder(2, async (choose) => {
      const disk = stale.crash(0);
      let taken: AcquiredLock | undefined;
      const bodies = [
        async (files: Files) => {
          taken = await acquire(files, first);
        },
        async (files: Files) => {
          await force(files, second);
        },
      ];
      await interleave(disk.files, bodies, choose);
      expect(names(disk).includes(guard)).toBe(taken?.ok);
    });
  });
});

describe('three processes at the same time', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'never hold the guard together (seed %i)',
    async (seed) => {
      const stale = await heldBy({ self: identity(1) });
      const random = seeded(seed);
      for (let run = 0; run < 10; run += 1) {
        const choose: Choose = (ready) => ready[Math.floor(random() * ready.length)] ?? 0;
        await neverTwoAtOnce(stale.crash(0), race(3), choose);
      }
    },
  );
});

describe('a crash while the guard is taken', () => {
  it('never leaves a guard that only --force can remove', async () => {
    const stale = await heldBy({ self: identity(1) });
    for (const before of [createMemoryDisk(), stale]) {
      for (let at = 0; at < 40; at += 1) {
        const left = await killedAt(before, at, 9);
        expect((await acquire(left.files, { self: identity(2) })).ok).toBe(true);
      }
    }
  });
});

describe('a kill while the guard is taken', () => {
  it('leaves nothing behind permanently', async () => {
    const stale = await heldBy({ self: identity(1) });
    for (const before of [createMemoryDisk(), stale]) {
      for (let at = 0; at < 40; at += 1) {
        const left = await killedAt(before, at, 9);
        const taken = await acquire(left.files, { self: identity(2) });
        if (taken.ok) await taken.release();
        expect(names(left)).toEqual([]);
      }
    }
  });
});

describe('a fault while the guard is taken', () => {
  it.each(['free', 'stale'])('leaves the guard to the next run or is harmless (%s)', async (kind) => {
    const before = kind === 'free' ? createMemoryDisk() : await heldBy({ self: identity(1) });
    for (let at = 0; at < 40; at += 1) {
      const disk = before.crash(0);
      disk.intercept(({ index }) => (index === at ? 'EIO' : undefined));
      const taken = await acquire(disk.files, { self: identity(2) }).catch(
        (fault: { code: string }) => fault.code,
      );
      if (typeof taken === 'string') expect(taken).toBe('EIO');
      disk.intercept(() => undefined);
      const next = await acquire(disk.files, { self: identity(3), living: { 2: 'start-2' } });
      expect(next.ok).toBe(typeof taken === 'string');
    }
  });
});
