import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemFiles } from '../../src/node/files.js';
import { createProcesses } from '../../src/node/processes.js';
import { removeFolder } from '../../src/node/remove-folder.js';
import { InTheWayError, openStage } from '../../src/release/release-folder.js';

describe('the place of a release', () => {
  const made: string[] = [];
  afterEach(() => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  async function stageIn() {
    const folder = mkdtempSync(path.join(tmpdir(), 'release-'));
    made.push(folder);
    const target = path.join(folder, 'r');
    const ports = { files: systemFiles, processes: await createProcesses(), removeFolder };
    const stage = await openStage(ports, target);
    writeFileSync(path.join(stage.folder, 'new'), '');
    const zip = path.join(stage.work, 'zip');
    writeFileSync(zip, '');
    return { folder, target, stage, zip };
  }

  it('keeps what a person puts there while the release is made', async () => {
    const { folder, target, stage, zip } = await stageIn();
    mkdirSync(target);
    writeFileSync(path.join(target, 'notes.txt'), 'mine');
    await expect(stage.publish(zip)).rejects.toMatchObject({
      obstacle: { path: target, what: 'is a folder without a release' },
    });
    await stage.discard();
    expect(readdirSync(folder)).toEqual(['r']);
    expect(readFileSync(path.join(target, 'notes.txt'), 'utf8')).toBe('mine');
  });

  it('leaves the earlier release in its place if that cannot be read', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'release-'));
    made.push(folder);
    const target = path.join(folder, 'r');
    mkdirSync(target);
    const failing = {
      ...systemFiles,
      below: async (at: string) => {
        if (at.endsWith('.former')) throw Object.assign(new Error('EIO'), { code: 'EIO' });
        return systemFiles.below(at);
      },
    };
    const ports = { files: failing, processes: await createProcesses(), removeFolder };
    const stage = await openStage(ports, target);
    await expect(stage.publish(undefined)).rejects.toMatchObject({ code: 'EIO' });
    await stage.discard();
    expect(readdirSync(folder)).toEqual(['r']);
  });

  it.each([
    ['a file', (to: string) => writeFileSync(to, 'mine')],
    ['a link to a file', (to: string) => symlinkSync(import.meta.filename, to)],
  ])('keeps %s that takes the name of the archive in the meantime', async (_what, put) => {
    const { folder, target, stage, zip } = await stageIn();
    put(`${target}.zip`);
    await expect(stage.publish(zip)).rejects.toBeInstanceOf(InTheWayError);
    await stage.discard();
    expect(readdirSync(folder)).toEqual(['r.zip']);
  });
});
