import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Attempt } from '../../src/lockfile/attempt.js';
import { run } from './in-process.js';
import { audioFiles, folder, lockLines } from './program.js';

describe('tidy', () => {
  const cwd = folder();
  const venice = (verb: string, ...words: string[]) => run([verb, 'album.yaml', '--sandbox', ...words], cwd);
  const make = async (manifest: string) => {
    writeFileSync(path.join(cwd, 'album.yaml'), manifest);
    expect((await venice('run', '--yes', '--sandbox-speed', '1000')).code).toBe(0);
  };
  const manifest = (prompt: string, order = ['one', 'two'], output = 'out/{index}-{id}.{ext}') => `version: 1
budget: 20
output: "${output}"
defaults: { model: elevenlabs-sound-effects-v2, duration_seconds: 1 }
tracks:
${order.map((id) => `  - { id: ${id}, prompt: ${prompt} ${id} }`).join('\n')}
`;
  const files = () => audioFiles(path.join(cwd, 'album.sandbox'));
  const superseded = () => files().filter((name) => name.includes('.superseded'));

  beforeAll(async () => {
    await make(manifest('A door falls shut'));
    expect((await venice('pick', 'one', '1')).code).toBe(0);
    await make(manifest('A door slams'));
  });

  it('only shows what it would move with --dry-run', async () => {
    const before = files();
    const { code, stdout } = await venice('tidy', '--dry-run');
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 file would be moved'),
    });
    expect(files()).toEqual(before);
  });

  it('moves what is neither current nor picked, and nothing the second time', async () => {
    expect(files()).toHaveLength(4);
    expect((await venice('tidy')).stdout).toContain('1 file moved');
    expect(superseded()).toEqual([expect.stringMatching(/^out\/\.superseded\/02-two\.[0-9a-f]{8}\.wav$/)]);
    expect(files()).toHaveLength(4);
    expect((await venice('tidy')).stdout).toBe('nothing to move\n');
    expect((await venice('verify')).code).toBe(0);
  });

  it('renames superseded files after a new order and a new name', async () => {
    await make(manifest('A door slams', ['two', 'one']));
    expect(superseded()).toEqual([expect.stringMatching(/^out\/\.superseded\/01-two\.[0-9a-f]{8}\.wav$/)]);
    expect(files().filter((name) => /^out\/02-one\.[0-9a-f]{8}\.wav$/.test(name))).toHaveLength(1);
    await make(manifest('A door slams', ['two', 'one'], 'done/{id}.{ext}'));
    expect(superseded()).toEqual([expect.stringMatching(/^done\/\.superseded\/two\.[0-9a-f]{8}\.wav$/)]);
    expect(files().every((name) => name.startsWith('done/'))).toBe(true);
  });

  it('leaves an earlier take available to pick, review and release', async () => {
    const records = lockLines(cwd, 'album.sandbox/album.lock.jsonl') as unknown as Attempt[];
    const away = records.find(({ file }) => file?.path.includes('.superseded'))!.file!;
    expect((await venice('pick', 'two', away.sha256.slice(0, 12))).code).toBe(0);
    expect(superseded()).toHaveLength(1);
    const { code, stdout, stderr } = await venice('release', '--to', 'release', '--json');
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('warning[pick-outdated]'),
    });
    expect(stderr).toContain('venice-batch pick album.yaml two 1 --sandbox');
    const { tracks, warnings } = JSON.parse(stdout);
    expect(tracks[0]).toMatchObject({ track: 'two', original_sha256: away.sha256 });
    expect(warnings.map(({ track }: { track: string }) => track)).toEqual(['two', 'one']);
    expect((await venice('report', '--out', 'report.html')).code).toBe(0);
    expect(readFileSync(path.join(cwd, 'report.html'), 'utf8')).toContain('.superseded/two.');
    expect((await venice('pick', 'two', '1')).code).toBe(0);
  });

  it('brings back files that are picked again and moves files that are no longer picked', async () => {
    expect((await venice('pick', 'one', '1')).code).toBe(0);
    expect((await venice('tidy')).stdout).toContain('1 file moved');
    expect(superseded()).toHaveLength(2);
    expect((await venice('tidy', '--undo')).stdout).toContain('2 files moved');
    expect(superseded()).toEqual([]);
  });

  it('works on other machines of a shared log, where no lockfile says what moved here', async () => {
    const [share, one, two] = [folder(), folder(), folder()];
    const on = (machine: string, verb: string, ...words: string[]) =>
      run([verb, 'album.yaml', '--sandbox', '--state', `file://${share}`, ...words], machine);
    for (const prompt of ['A gong', 'A bell']) {
      writeFileSync(path.join(one, 'album.yaml'), manifest(prompt, ['one']));
      expect((await on(one, 'run', '--yes', '--sandbox-speed', '1000')).code).toBe(0);
    }
    writeFileSync(path.join(two, 'album.yaml'), manifest('A bell', ['one']));
    expect((await on(two, 'tidy', '--dry-run')).stdout).toBe('nothing to move\n');
    expect(readdirSync(two)).toEqual(['album.yaml']);
    expect(await on(two, 'pull')).toMatchObject({ code: 0, stdout: '2 files downloaded\n' });
    const sandbox = (machine: string) => path.join(machine, 'album.sandbox');
    expect(audioFiles(sandbox(two))).toEqual(audioFiles(sandbox(one)));
    rmSync(path.join(sandbox(one), 'album.lock.jsonl'));
    for (const machine of [one, two]) {
      expect((await on(machine, 'tidy')).stdout).toContain('1 file moved');
      expect(audioFiles(sandbox(machine))).toEqual([
        expect.stringMatching(/^out\/\.superseded\/01-one\.[0-9a-f]{8}\.wav$/),
        'out/01-one.wav',
      ]);
      expect(await on(machine, 'verify')).toMatchObject({ code: 0 });
    }
  });

  it('gives the files of a removed track their own names back', async () => {
    const place = folder();
    const on = (verb: string, ...words: string[]) => run([verb, 'album.yaml', '--sandbox', ...words], place);
    writeFileSync(path.join(place, 'album.yaml'), manifest('A gong', ['one', 'two'], 'out/{id}.{ext}'));
    expect((await on('run', '--yes', '--sandbox-speed', '1000')).code).toBe(0);
    const before = audioFiles(path.join(place, 'album.sandbox'));
    writeFileSync(path.join(place, 'album.yaml'), manifest('A gong', ['one'], 'out/{id}.{ext}'));
    expect((await on('tidy')).stdout).toContain('1 file moved');
    expect(audioFiles(path.join(place, 'album.sandbox'))).not.toEqual(before);
    expect((await on('tidy', '--undo')).stdout).toContain('1 file moved');
    expect(audioFiles(path.join(place, 'album.sandbox'))).toEqual(before);
  });

  it('never moves a file that is not as it was stored', async () => {
    const [aside = ''] = files().filter((name) => /\.[0-9a-f]{8}\.wav$/.test(name));
    const full = path.join(cwd, 'album.sandbox', aside);
    appendFileSync(full, 'x');
    for (const words of [['--dry-run'], []]) {
      const { code, stderr } = await venice('tidy', ...words);
      expect(code).toBe(0);
      expect(stderr).toContain(`${path.basename(aside)} was not moved: it was changed since it was stored`);
    }
    expect(existsSync(full)).toBe(true);
    expect(superseded()).toHaveLength(1);
  });

  it('leaves a changed file alone when its track is bought again, and the next run says so', async () => {
    const place = path.join(cwd, 'album.sandbox/done/two.wav');
    appendFileSync(place, 'edited');
    const again = await venice('run', '--yes', '--force', 'two', '--sandbox-speed', '1000');
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('was changed since it was stored'),
    });
    expect(readFileSync(place, 'latin1')).toMatch(/edited$/);
    const next = await venice('run', '--yes');
    expect(next).toMatchObject({ code: 0, stderr: expect.stringContaining('two.wav is in the way') });
    expect((await venice('verify')).stdout).toContain('2 of 2 files verified');
  });
});

describe('tidy in an album whose own folder has the name of the one for superseded files', () => {
  const cwd = folder();
  const venice = (verb: string, ...words: string[]) => run([verb, 'album.yaml', '--sandbox', ...words], cwd);
  const make = async (prompt: string) => {
    writeFileSync(
      path.join(cwd, 'album.yaml'),
      `version: 1
budget: 20
output: "out/.superseded/{id}.{ext}"
defaults: { model: elevenlabs-sound-effects-v2, duration_seconds: 1 }
tracks: [{ id: one, prompt: ${prompt} }]
`,
    );
    expect((await venice('run', '--yes', '--sandbox-speed', '1000')).code).toBe(0);
  };
  const files = () => audioFiles(path.join(cwd, 'album.sandbox'));

  it('leaves current files alone, and moves only earlier ones', async () => {
    await make('A door falls shut');
    expect((await venice('tidy')).stdout).toBe('nothing to move\n');
    expect((await venice('tidy', '--undo')).stdout).toBe('nothing to move\n');
    await make('A door slams');
    expect((await venice('tidy')).stdout).toContain('1 file moved');
    const aside = expect.stringMatching(/^out\/\.superseded\/\.superseded\/one\.[0-9a-f]{8}\.wav$/);
    expect(files()).toEqual(expect.arrayContaining(['out/.superseded/one.wav', aside]));
    expect((await venice('tidy')).stdout).toBe('nothing to move\n');
    expect((await venice('tidy', '--undo')).stdout).toContain('1 file moved');
    expect((await venice('tidy', '--undo')).stdout).toBe('nothing to move\n');
    expect((await venice('verify')).code).toBe(0);
  });
});
