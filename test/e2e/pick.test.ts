import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { folder } from './program.js';

const MANIFEST = (prompt: string, order = ['one', 'two']) => `version: 1
budget: 20
defaults: { model: elevenlabs-sound-effects-v2, duration_seconds: 2 }
tracks:
${order.map((id) => `  - { id: ${id}, takes: 2, prompt: ${id === 'one' ? prompt : 'Rain on a tin roof'} }`).join('\n')}
`;

describe('pick', () => {
  const cwd = folder();
  const file = path.join(cwd, 'album.sandbox/album.picks.yaml');
  const lockfile = () => readFileSync(path.join(cwd, 'album.sandbox/album.lock.jsonl'), 'utf8');
  const venice = (verb: string, ...words: string[]) => run([verb, 'album.yaml', '--sandbox', ...words], cwd);
  const picks = async () => JSON.parse((await venice('status', '--json')).stdout).picks;

  beforeAll(async () => {
    writeFileSync(path.join(cwd, 'album.yaml'), MANIFEST('A door falls shut'));
    const made = await venice('run', '--yes', '--sandbox-speed', '1000');
    expect(made.code).toBe(0);
  });

  it('writes the take of a track to the picks file and nothing to the lockfile', async () => {
    const before = lockfile();
    const { code, stdout } = await venice('pick', 'one', '2', '--note', 'the dry one');
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('picked one#2') });
    expect(readFileSync(file, 'utf8')).toMatch(
      /picks:\n {2}one:\n {4}sha256: [0-9a-f]{64}\n {4}note: the dry one\n$/,
    );
    expect(lockfile()).toBe(before);
    const status = await venice('status');
    expect(status.stdout).toContain('Picks: 1 of 2 tracks\n  one#2 (the dry one)\n');
  });

  it('suggests the track that was meant, with the flags of this run', async () => {
    const track = await venice('pick', 'oen', '2');
    expect(track).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('pick album.yaml one 2 --sandbox'),
    });
    const take = await venice('pick', 'one', '7');
    expect(take).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('pick album.yaml one 2 --sandbox'),
    });
    expect(await venice('pick', 'one')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--clear'),
    });
  });

  it('holds when files are renamed and the order changes', async () => {
    const before = (await picks()).tracks.find((one: { track: string }) => one.track === 'one');
    writeFileSync(path.join(cwd, 'album.yaml'), MANIFEST('A door falls shut', ['two', 'one']));
    expect((await venice('run', '--yes')).code).toBe(0);
    const after = (await picks()).tracks.find((one: { track: string }) => one.track === 'one');
    expect(after).toMatchObject({ sha256: before.sha256, state: 'current', key: 'one#2' });
    expect(after.path).not.toBe(before.path);
    expect(existsSync(path.join(cwd, 'album.sandbox', after.path))).toBe(true);
  });

  it('is kept when the track is generated again, with a note, and can be named by its hash', async () => {
    writeFileSync(path.join(cwd, 'album.yaml'), MANIFEST('A door slams'));
    expect((await venice('run', '--yes', '--sandbox-speed', '1000')).code).toBe(0);
    const [one] = (await picks()).tracks;
    expect(one).toMatchObject({ state: 'superseded', note: 'the dry one' });
    expect((await venice('status')).stdout).toContain('the pick stays until you pick again');
    expect((await venice('pick', 'one#1')).code).toBe(0);
    expect((await picks()).tracks[0]).toMatchObject({ state: 'current', key: 'one' });
    expect((await venice('pick', 'one', one.sha256.slice(0, 10))).code).toBe(0);
    expect((await picks()).tracks[0]).toMatchObject({ state: 'superseded', sha256: one.sha256 });
  });

  it('is removed with --clear', async () => {
    expect((await venice('pick', 'one', '--clear')).code).toBe(0);
    expect((await picks()).tracks[0]).toEqual({ track: 'one', state: 'none' });
  });

  it('reports where a picks file is wrong and does not change it', async () => {
    writeFileSync(file, 'version: 1\npicks:\n  one: 2\n');
    const { code, stderr } = await venice('pick', 'one', '1');
    expect(code).toBe(3);
    expect(stderr).toContain('album.picks.yaml:3:3');
    expect(readFileSync(file, 'utf8')).toBe('version: 1\npicks:\n  one: 2\n');
    expect((await venice('status')).code).toBe(0);
  });
});
