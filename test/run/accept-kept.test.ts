import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { acceptKept } from '../../src/run/accept-kept.js';
import { openOutput } from '../../src/storage/output.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, file, id } from '../lockfile/build.js';
import { lockOn } from '../lockfile/lock-on.js';

const ROOT = '/album';
const sha256 = createHash('sha256').update('sound').digest('hex');
const path = `out/01-opening.${id('a').slice(0, 8)}.unverified`;
const kept = { path, bytes: 5, sha256, media_type: 'audio/mpeg' };
const unverified = attempt({ state: 'unverified', rev: 3, queue_id: 'job', kept });
const done = (sha: string): Attempt => ({
  ...attempt({ state: 'done', rev: 5, queue_id: 'job' }),
  file: { ...file, sha256: sha },
});

/** What the log of a shared batch answers if another machine was faster. */
async function acceptLate(newest: Attempt) {
  const disk = createMemoryDisk({ [`${ROOT}/${path}`]: 'sound' });
  const own = await lockOn(disk, [unverified]);
  const store: LockStore = {
    ...own,
    record: async () => {
      await own.record(newest);
      return 'superseded';
    },
  };
  const context = { store, output: await openOutput(disk.files, ROOT) };
  const accepted = await acceptKept(
    context,
    unverified,
    0,
    (_, after) => after,
    () => {},
  );
  const names = Object.keys(disk.texts()).filter((name) => name.startsWith(`${ROOT}/out/`));
  return { accepted, names };
}

it('keeps the bytes as they were if another machine has stored the take with others', async () => {
  const newest = done('b'.repeat(64));
  const { accepted, names } = await acceptLate(newest);
  expect(accepted).toEqual({ ok: false, why: 'superseded', newest });
  expect(names).toEqual([`${ROOT}/${path}`]);
});

it('accepts bytes that were kept under a numbered name, because another file had theirs', async () => {
  const numbered = path.replace('.unverified', '-2.unverified');
  const disk = createMemoryDisk({ [`${ROOT}/${path}`]: 'mine', [`${ROOT}/${numbered}`]: 'sound' });
  const first = { ...unverified, kept: { ...kept, path: numbered } };
  const context = { store: await lockOn(disk, [first]), output: await openOutput(disk.files, ROOT) };
  const accepted = await acceptKept(
    context,
    first,
    0,
    (_, after) => after,
    () => {},
  );
  expect(accepted).toMatchObject({ ok: true, attempt: { file: { path: 'out/01-opening.mp3' } } });
  expect(disk.texts()).toMatchObject({
    [`${ROOT}/${path}`]: 'mine',
    [`${ROOT}/out/01-opening.mp3`]: 'sound',
  });
});

it('leaves the bytes in their place if another machine has accepted the same', async () => {
  const { accepted, names } = await acceptLate(done(sha256));
  expect(accepted).toMatchObject({ ok: false, why: 'superseded' });
  expect(names).toEqual([`${ROOT}/out/01-opening.mp3`]);
});

it('goes on where it was killed after the file got its name', async () => {
  const disk = createMemoryDisk({ [`${ROOT}/out/01-opening.mp3`]: 'sound' });
  const context = { store: await lockOn(disk, [unverified]), output: await openOutput(disk.files, ROOT) };
  const seal = (_: Attempt, after: Attempt) => after;
  const accepted = await acceptKept(context, unverified, 0, seal, () => {});
  expect(accepted).toMatchObject({
    ok: true,
    attempt: { state: 'stored', accepted: true, file: { path: 'out/01-opening.mp3', sha256 } },
  });
});

it('does not take another file of that name for the one that was kept', async () => {
  const disk = createMemoryDisk({ [`${ROOT}/out/01-opening.mp3`]: 'other' });
  const context = { store: await lockOn(disk, [unverified]), output: await openOutput(disk.files, ROOT) };
  const seal = (_: Attempt, after: Attempt) => after;
  expect(await acceptKept(context, unverified, 0, seal, () => {})).toEqual({ ok: false, why: 'missing' });
});

it.each([
  ['is removed if it has the same bytes', 'sound', false],
  ['stays if it has other bytes', 'longer sound', true],
])('a second download that a killed run left %s', async (_what, text, stays) => {
  const part = `${ROOT}/${path.replace('.unverified', '.part')}`;
  const disk = createMemoryDisk({ [`${ROOT}/${path}`]: 'sound', [part]: text });
  const context = { store: await lockOn(disk, [unverified]), output: await openOutput(disk.files, ROOT) };
  const seal = (_: Attempt, after: Attempt) => after;
  expect(await acceptKept(context, unverified, 0, seal, () => {})).toMatchObject({ ok: true });
  expect(part in disk.texts()).toBe(stays);
});
