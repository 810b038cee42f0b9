import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { systemFiles } from '../../src/node/files.js';
import { createProcesses } from '../../src/node/processes.js';
import { removeFolder } from '../../src/node/remove-folder.js';
import { INDEX } from '../../src/release/documents.js';
import {
  InTheWayError,
  linkObstacleAt,
  obstacleAt,
  openStage,
  zipObstacleAt,
} from '../../src/release/release-folder.js';
import { checksum, zipOf } from '../../src/release/zip.js';

/** As `release --zip` writes it: with the index first. */
async function archiveOfRelease(): Promise<Buffer> {
  const content = Buffer.from('{}');
  const entry = { path: `album/${INDEX}`, bytes: content.byteLength, crc32: checksum(content) };
  const pieces: Uint8Array[] = [];
  for await (const piece of zipOf([entry], () => Readable.from([content]))) pieces.push(piece);
  return Buffer.concat(pieces);
}

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
    ['the new folder cannot be moved', 'release', 'r'],
    ['the earlier archive cannot be moved', 'r.zip', 'former.zip'],
    ['the new archive cannot be moved', 'zip', 'r.zip'],
  ])('leaves the earlier release and its archive in their places if %s', async (_what, failing, to) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'release-'));
    made.push(folder);
    const target = path.join(folder, 'r');
    const files = {
      ...systemFiles,
      async rename(from: string, at: string) {
        if (path.basename(from) === failing && path.basename(at) === to)
          throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
        return systemFiles.rename(from, at);
      },
      async remove(at: string) {
        if (path.basename(at) === failing) throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
        return systemFiles.remove(at);
      },
    };
    const ports = { files, processes: await createProcesses(), removeFolder };
    mkdirSync(target);
    const archive = await archiveOfRelease();
    writeFileSync(`${target}.zip`, archive);
    const earlier = statSync(target).ino;
    const stage = await openStage(ports, target);
    writeFileSync(path.join(stage.folder, 'new'), '');
    const zip = path.join(stage.work, 'zip');
    writeFileSync(zip, '');
    await expect(stage.publish(zip)).rejects.toMatchObject({ code: 'EPERM' });
    await stage.discard();
    expect(readdirSync(folder)).toEqual(['r', 'r.zip']);
    expect(statSync(target).ino).toBe(earlier);
    expect(readFileSync(`${target}.zip`)).toEqual(archive);
  });

  it('says what is in the way of a folder or an archive', async () => {
    const { folder } = await stageIn();
    const what = async (at: string) => [
      (await obstacleAt(systemFiles, at))?.what,
      (await zipObstacleAt(systemFiles, at))?.what,
    ];
    writeFileSync(path.join(folder, 'file'), '');
    mkdirSync(path.join(folder, 'empty'));
    expect(await what(path.join(folder, 'file'))).toEqual(['is a file', 'is not the archive of a release']);
    expect(await what(path.join(folder, 'empty'))).toEqual([undefined, 'is a folder']);
    expect(await what('/dev/null')).toEqual(['is a pipe or a device', 'is a pipe or a device']);
  });

  it('says that a link to nothing is in the way, and neither a link to a folder nor a new folder', async () => {
    const { folder } = await stageIn();
    const outside = path.join(folder, 'outside');
    symlinkSync(outside, path.join(folder, 'link'));
    const what = async (name: string) => (await linkObstacleAt(systemFiles, path.join(folder, name)))?.what;
    expect(await what('link')).toBe('is a symbolic link to nothing');
    mkdirSync(outside);
    expect([await what('link'), await what('new'), await what('new/below')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
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
