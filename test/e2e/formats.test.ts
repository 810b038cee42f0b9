import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fragmentedM4a, m4a, noise, ogg } from '../node/container-bytes.js';
import { run as runProgram } from './in-process.js';
import { audioFiles, folder, lockLines } from './program.js';
import { type StandIn, startStandIn } from './stand-in.js';

const M4A_ONLY = { id: 'sonilo-v1-1-music', formats: ['m4a'] };
const SECONDS = 2;
/** Of 44,100 samples a second, in frames of 1,024. */
const song = m4a(90);

/** An album made by that service. */
function album(standIn: StandIn, model = M4A_ONLY.id, tracks = ['one']) {
  const cwd = folder();
  const lines = tracks.map(
    (id) =>
      `  - { id: ${id}, model: ${model}, duration_seconds: ${SECONDS}, prompt: A calm piano piece ${id} }`,
  );
  writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\nbudget: 5\ntracks:\n${lines.join('\n')}\n`);
  const run = (verb: string, ...words: readonly string[]) =>
    runProgram([verb, 'album.yaml', ...words, '--base-url', standIn.url], cwd, { VENICE_API_KEY: 'key' });
  return { cwd, run, attempt: () => lockLines(cwd).at(-1) as Record<string, unknown> };
}

/** Media types in use for m4a. */
const TYPES = [
  'audio/mp4',
  'audio/x-m4a',
  'audio/m4a',
  'audio/aac',
  'audio/mp4; codecs="mp4a.40.2"',
  'application/octet-stream',
];

describe('a model that produces only m4a', { timeout: 180_000 }, () => {
  it('is stored, verified and cleaned up under any media type of m4a', async () => {
    const standIn = await startStandIn(M4A_ONLY, ...TYPES.map((type) => ({ type, body: song })));
    const set = album(standIn, M4A_ONLY.id, ['a', 'b', 'c', 'd', 'e', 'f']);
    const ended = await set.run('run', '--yes');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain('but its bytes');
    const files = audioFiles(set.cwd);
    expect(files).toHaveLength(TYPES.length);
    for (const file of files) {
      expect(file).toMatch(/\.m4a$/);
      expect(readFileSync(path.join(set.cwd, file)).equals(song)).toBe(true);
    }
    for (const line of lockLines(set.cwd))
      expect(line).toMatchObject({ state: 'done', file: { media_type: 'audio/mp4' } });
    const asked = (route: string) => standIn.seen.filter((request) => request === `POST ${route}`).length;
    expect([asked('/audio/queue'), asked('/audio/retrieve'), asked('/audio/complete')]).toEqual([6, 6, 6]);
    expect((await set.run('verify')).code).toBe(0);
  });

  it('is stored and verified in fragments too', async () => {
    const standIn = await startStandIn(M4A_ONLY, { type: 'audio/mp4', body: fragmentedM4a(20) });
    const set = album(standIn);
    expect((await set.run('run', '--yes')).code).toBe(0);
    expect(set.attempt()).toMatchObject({ state: 'done', file: { media_type: 'audio/mp4' } });
  });

  it('is neither accepted nor deleted remotely if the file is cut', async () => {
    const standIn = await startStandIn(M4A_ONLY, { type: 'audio/mp4', body: song.subarray(0, -1) });
    const set = album(standIn);
    expect((await set.run('run', '--yes')).code).toBe(100);
    expect(set.attempt()).toMatchObject({ state: 'unverified', reason: { code: 'incomplete' } });
    expect(standIn.seen).not.toContain('POST /audio/complete');
  });
});

describe('audio that cannot be checked', { timeout: 180_000 }, () => {
  const voice = Buffer.concat([Buffer.from('#!AMR\n'), noise(5_000)]);
  const unchecked = { id: 'voice-of-old', formats: ['amr'] };

  it('is reported by the plan, kept, accepted by the user with the right extension, and cleaned up', async () => {
    const standIn = await startStandIn(unchecked, { type: 'audio/amr', body: voice });
    const set = album(standIn, unchecked.id);
    const plan = await set.run('plan');
    expect(`${plan.stdout}${plan.stderr}`).toContain('unchecked-format');
    const ended = await set.run('run', '--yes');
    expect(ended.code).toBe(100);
    expect(`${ended.stdout}${ended.stderr}`).toContain('accept');
    expect(set.attempt()).toMatchObject({ state: 'unverified', kept: { media_type: 'audio/amr' } });
    const name = keptIn(set.cwd);
    // What nobody bought is none of our business.
    writeFileSync(path.join(set.cwd, 'out', 'other.unverified'), 'of another program');
    for (const verb of ['status', 'verify']) {
      const { code, stdout } = await set.run(verb);
      expect([verb, code]).toEqual([verb, 0]);
      expect(stdout).toContain(path.join('out', name));
      expect(stdout).toMatch(/accept album\.yaml one/);
      expect(stdout).not.toContain('other.unverified');
    }

    const accepted = await set.run('accept', 'one');
    expect(accepted.code, accepted.stderr).toBe(0);
    expect(accepted.stdout).toContain('collect album.yaml');
    expect(set.attempt()).toMatchObject({ state: 'stored', accepted: true });
    expect(set.attempt()).not.toHaveProperty('kept');
    expect(readFileSync(path.join(set.cwd, 'out', '01-one.amr')).equals(voice)).toBe(true);
    expect(standIn.seen).not.toContain('POST /audio/complete');

    expect((await set.run('collect')).code).toBe(0);
    expect(standIn.seen).toContain('POST /audio/complete');
    expect(set.attempt()).toMatchObject({ state: 'done', accepted: true });
    expect((await set.run('run', '--yes')).code).toBe(0);
    expect(standIn.seen.filter((request) => request === 'POST /audio/queue')).toHaveLength(1);
  });

  it('cannot be accepted twice, nor after its bytes were changed or removed', async () => {
    const standIn = await startStandIn(unchecked, { type: 'audio/amr', body: voice });
    const set = album(standIn, unchecked.id);
    expect((await set.run('accept', 'one')).code).not.toBe(0);
    expect((await set.run('run', '--yes')).code).toBe(100);
    const kept = path.join(set.cwd, 'out', keptIn(set.cwd));
    writeFileSync(kept, 'other bytes');
    const changed = await set.run('accept', 'one');
    expect([changed.code, changed.stderr]).toEqual([2, expect.stringContaining('nothing-to-accept')]);
    rmSync(kept);
    expect((await set.run('accept', 'one')).code).toBe(2);
    expect((await set.run('collect')).code).toBe(100);
    expect((await set.run('accept', 'one', '--json')).code).toBe(0);
    const again = await set.run('accept', 'one');
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('not-unverified')]);
  });

  it.each([
    ['video/mp2t', '01-one.ts'],
    ['audio/mpeg, text/html', '01-one.audio'],
  ])('is kept under the type "%s" too, and accepted as %s', async (type, name) => {
    const body = Buffer.concat([Buffer.of(0x47, 0x40, 0x11, 0x10, 0), noise(5_000)]);
    const standIn = await startStandIn(M4A_ONLY, { type, body });
    const set = album(standIn);
    expect((await set.run('run', '--yes')).code).toBe(100);
    expect(set.attempt()).toMatchObject({ state: 'unverified', reason: { code: 'not_audio' } });
    expect(readdirSync(path.join(set.cwd, 'out'))).toEqual([keptIn(set.cwd)]);
    expect(standIn.seen).not.toContain('POST /audio/complete');
    const accepted = await set.run('accept', 'one');
    expect(accepted.code, accepted.stderr).toBe(0);
    expect((await set.run('collect')).code).toBe(0);
    expect(readdirSync(path.join(set.cwd, 'out'))).toEqual([name]);
  });

  it('gets the extension of its format if it is a cut file of a known one', async () => {
    const standIn = await startStandIn(M4A_ONLY, { type: 'audio/wav', body: ogg().subarray(0, -9) });
    const set = album(standIn);
    expect((await set.run('run', '--yes')).code).toBe(100);
    const accepted = await set.run('accept', 'one');
    expect(accepted.code, accepted.stderr).toBe(0);
    expect(audioFiles(set.cwd)).toEqual([path.join('out', '01-one.opus')]);
  });

  function keptIn(cwd: string): string {
    const name = readdirSync(path.join(cwd, 'out')).find((file) => file.endsWith('.unverified'));
    if (name === undefined) throw new Error('nothing was kept');
    return name;
  }
});
