import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { storageError } from '../../src/app/storage-error.js';
import type { Attempt } from '../../src/lockfile/attempt.js';
import type { LockStore } from '../../src/lockfile/lock-store.js';
import { systemFiles } from '../../src/node/files.js';
import { fileStates, recover, untrackedFiles } from '../../src/run/recover.js';
import { openOutput } from '../../src/storage/output.js';
import { createMemoryDisk } from '../fakes/memory-files.js';
import { attempt, file } from '../lockfile/build.js';
import { makeTake } from '../plan/builders.js';

const done = attempt({ state: 'done', queue_id: 'q', file });

describe.runIf(process.platform !== 'win32')('whatever replaced a stored file', () => {
  async function inFolder(test: (root: string) => Promise<void>): Promise<void> {
    const top = mkdtempSync(path.join(os.tmpdir(), 'venice-recover-'));
    try {
      mkdirSync(path.join(top, 'album', 'out'), { recursive: true });
      writeFileSync(path.join(top, 'album', file.path), '');
      await test(path.join(top, 'album'));
    } finally {
      rmSync(top, { recursive: true, force: true });
    }
  }

  it.each(['out', file.path])('is named if it is a link: %s', (link) =>
    inFolder(async (root) => {
      const output = await openOutput(systemFiles, root);
      expect((await fileStates({ output }, [done])).links).toEqual(new Map());
      renameSync(path.join(root, link), path.join(root, 'elsewhere'));
      symlinkSync(path.join(root, 'elsewhere'), path.join(root, link));
      const { files, links } = await fileStates({ output }, [done]);
      expect([files.get(file.path), links.get(file.path)]).toEqual(['changed', link]);
    }),
  );

  it("is reported as the output folder if that was replaced, not as the lockfile's folder", () =>
    inFolder(async (root) => {
      const output = await openOutput(systemFiles, root);
      renameSync(root, `${root}-old`);
      mkdirSync(root);
      const fault = await fileStates({ output }, [done]).catch((error: unknown) => error);
      const about = { directory: path.dirname(root), next: 'venice-batch run album.yaml' };
      expect(await storageError(fault, systemFiles, about)).toMatchObject({
        code: 'storage',
        message: expect.stringMatching(/cannot store files in .*album: .*\(ESTALE\)/),
      });
    }));

  it('is named itself, not the folder that the command works in', () =>
    inFolder(async (root) => {
      const guard = path.join(root, '.venice-batch', 'album.lock.jsonl.guard');
      mkdirSync(guard, { recursive: true });
      const fault = await systemFiles.read(guard, 1).catch((error: unknown) => error);
      const about = { directory: root, next: 'venice-batch run album.yaml' };
      expect(await storageError(fault, systemFiles, about)).toMatchObject({
        message: expect.stringMatching(/album\.lock\.jsonl\.guard cannot be used: a folder .*\(EISDIR\)/),
      });
    }));
});

describe('audio that was given up', () => {
  const content = 'all that was paid for';
  const whole = {
    ...file,
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
  };

  async function recovered(fields: Partial<Attempt>, onDisk = content) {
    const disk = createMemoryDisk({ [`/album/${whole.path}`]: onDisk });
    const output = await openOutput(disk.files, '/album');
    const attempts = new Map([[done.attempt, attempt({ queue_id: 'q', file: whole, rev: 4, ...fields })]]);
    const newest = (id: string) => attempts.get(id);
    const record = async (next: Attempt) => {
      attempts.set(next.attempt, next);
      return 'recorded' as const;
    };
    const store = { attempts, newest, record } as unknown as LockStore;
    await recover({ output, store }, Date.UTC(2026, 0, 2));
    return newest(done.attempt);
  }

  it.each<[string, Partial<Attempt>]>([
    ['while it was gone', { state: 'queued', reason: { code: 'local_copy_lost' } }],
    ['by a machine without it', { state: 'lost', reason: { code: 'not_found', status: 404 } }],
    ['as failed', { state: 'failed', reason: { code: 'x' }, refunded: true, refund_ground: 'documented' }],
    ['as unverified', { state: 'unverified', reason: { code: 'not_audio' } }],
  ])('is stored if it is here: given up %s', async (_, fields) => {
    const found = await recovered(fields);
    expect(found).toMatchObject({ state: 'stored', rev: 5, file: whole });
    expect(found).not.toHaveProperty('refunded');
    expect(found).not.toHaveProperty('reason');
  });

  it('keeps a refund that the service reported', async () => {
    const told = { refunded: true, refund_ground: 'told', reason: { code: 'x' } } as const;
    expect(await recovered({ state: 'failed', ...told })).toMatchObject({ state: 'stored', ...told });
  });

  it.each<[string, Partial<Attempt>, string?]>([
    [
      'what is here is something else',
      { state: 'lost', reason: { code: 'not_found' } },
      'another sound file',
    ],
    ['the user said that it is lost', { state: 'lost', reason: { code: 'resolved_charged' } }],
    ['the user wants it made again', { state: 'lost', reason: { code: 'requeued' } }],
    ['no file was ever stored', { state: 'lost', reason: { code: 'not_found' }, file: undefined as never }],
  ])('stays given up if %s', async (_, fields, onDisk) => {
    expect(await recovered(fields, onDisk)).toMatchObject({ state: 'lost', rev: 4 });
  });
});

describe('a file that no attempt names', () => {
  it.each([
    ['in another letter case', 'out/CAFÉ'],
    ['with decomposed accents', 'out/café'.normalize('NFD')],
  ])('blocks its take, also %s', async (_, stem) => {
    const disk = createMemoryDisk({ [`/album/${stem}.mp3`]: 'audio' });
    const output = await openOutput(disk.files, '/album');
    const take = makeTake({ stem: 'out/café'.normalize('NFC') });
    const occupied = await untrackedFiles({ output }, [take], []);
    expect(occupied(take.stem)).toBe(`${stem}.mp3`);
  });
});

it('an intent that another machine settled while an earlier one was recorded is left alone', async () => {
  const disk = createMemoryDisk({ '/album/x': '' });
  const output = await openOutput(disk.files, '/album');
  const [first, second] = [
    attempt({ attempt: 'a'.repeat(32) }),
    attempt({ attempt: 'b'.repeat(32), take: 2 }),
  ];
  const settled = { ...second, rev: 2, state: 'rejected', reason: { code: 'resolved_not_charged' } } as const;
  const attempts = new Map<string, Attempt>([first, second].map((one) => [one.attempt, one]));
  const recorded: string[] = [];
  const record = async (next: Attempt) => {
    recorded.push(`${next.attempt[0]} ${next.state}`);
    attempts.set(next.attempt, next).set(second.attempt, settled);
    return 'recorded' as const;
  };
  const newest = (id: string) => attempts.get(id);
  await recover({ output, store: { attempts, newest, record } as unknown as LockStore }, 0);
  expect(recorded).toEqual(['a in_doubt']);
  expect(newest(second.attempt)).toBe(settled);
});
