import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { storageError } from '../../src/app/storage-error.js';
import { systemFiles } from '../../src/node/files.js';
import { fileStates, untrackedFiles } from '../../src/run/recover.js';
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
