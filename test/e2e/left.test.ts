import {
  chmodSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { html, json, only } from './hostile-server.js';
import { run } from './in-process.js';
import { type Ended, launchProgram } from './launch.js';
import { audioFiles } from './program.js';
import { startRelay } from './relay.js';
import { edit, type Scene, scene } from './scene.js';
import { KEY } from './service.js';

/** The command named at the end of the last screen, without its endpoint. */
function next({ stdout }: Ended): string | undefined {
  return /^(?:Next\n {2}|Next: ).*?venice-batch (.+)$/m.exec(stdout)?.[1]?.replace(/ --base-url \S+/, '');
}

async function made(): Promise<Scene> {
  const album = await scene();
  expect((await album.run('run', '--yes')).code).toBe(0);
  return album;
}

const manifestOf = ({ cwd }: Scene) => path.join(cwd, 'album.yaml');
const remove = ({ cwd }: Scene, file: string) => rmSync(path.join(cwd, file));

/** Everything in the folder, with its bytes. */
function contents(cwd: string): Readonly<Record<string, string>> {
  const entries = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const files = entries.map((entry) => path.join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(files.map((file) => [file, readFileSync(file, 'latin1')]));
}

describe('--frozen', () => {
  it('agrees with plan --detailed-exitcode about what is chosen', async () => {
    const album = await made();
    edit(manifestOf(album), (text) => text.replace('Rain on', 'Hail on'));
    for (const [track, code] of [
      ['one', 0],
      ['two', 10],
    ] as const) {
      expect((await album.run('plan', '--only', track, '--detailed-exitcode')).code).toBe(code);
      const frozen = await album.run('run', '--frozen', '--only', track);
      expect(frozen.code, frozen.stderr).toBe(code);
    }
    expect(await album.charges()).toBe(2);
  });

  it('ends with 11 while takes are in flight: it needs no key, and fetches nothing', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes', '--detach')).code).toBe(11);
    const before = contents(album.cwd);
    const keyless = await run(['run', 'album.yaml', '--frozen', '--base-url', album.service.url], album.cwd);
    expect([keyless.code, keyless.stderr.includes('error')]).toEqual([11, false]);
    expect(next(keyless)).toBe('collect album.yaml');
    expect(contents(album.cwd)).toEqual(before);
  });

  it('leaves no files for a manifest that never ran, even in a read-only folder', async () => {
    const album = await scene();
    const tree = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    chmodSync(album.cwd, 0o555);
    const frozen = await album.run('run', '--frozen');
    chmodSync(album.cwd, 0o755);
    expect([frozen.code, frozen.stderr.includes('2 takes would be bought')]).toEqual([10, true]);
    expect(tree(album.cwd)).toEqual(['album.yaml']);
    const rehearsed = await run(['run', 'album.yaml', '--frozen', '--sandbox'], album.cwd);
    expect([rehearsed.code, tree(album.cwd)]).toEqual([10, ['album.yaml']]);
  });

  it('changes nothing if all is done, even if files would be renamed', async () => {
    const album = await made();
    const before = contents(album.cwd);
    expect((await album.run('run', '--frozen')).code).toBe(0);
    expect(contents(album.cwd)).toEqual(before);
    edit(manifestOf(album), (text) => text.replace('budget: 5', 'budget: 5\noutput: "new/{id}.{ext}"'));
    const moved = contents(album.cwd);
    const frozen = await album.run('run', '--frozen');
    expect([frozen.code, frozen.stderr]).toEqual([10, expect.stringContaining('2 files would be moved')]);
    expect(contents(album.cwd)).toEqual(moved);
  });

  it('changes nothing when it refuses', async () => {
    const album = await made();
    edit(manifestOf(album), (text) =>
      text.replace('Rain on', 'Hail on').replace('budget: 5', 'budget: 5\noutput: "new/{id}.{ext}"'),
    );
    const before = contents(album.cwd);
    expect((await album.run('run', '--frozen')).code).toBe(10);
    expect(contents(album.cwd)).toEqual(before);
  });

  it('is not needed to see the takes: status warns that the manifest cannot be used', async () => {
    const album = await made();
    edit(path.join(album.cwd, 'album.yaml'), (text) => `budgett: 3\n${text}`);
    const status = await album.run('status');
    expect(status.code).toBe(0);
    expect(status.stderr).toContain('warning: the manifest cannot be used');
    expect(status.stderr).toContain('venice-batch validate album.yaml');
  });

  it('reports what failed, is missing or was changed', async () => {
    const album = await scene({ prompts: { one: 'A door falls shut', two: 'A door [sandbox:fail]' } });
    expect((await album.run('run', '--yes')).code).toBe(100);
    expect((await album.run('run', '--frozen')).code).toBe(100);
    const whole = await made();
    const [first = '', second = ''] = audioFiles(whole.cwd);
    // A different file of the same size: only its hash tells.
    edit(path.join(whole.cwd, second), (text) => `${text.slice(0, -1)}.`);
    const changed = await whole.run('run', '--frozen');
    expect([changed.code, changed.stderr]).toEqual([10, expect.stringContaining('error[file-changed]')]);
    expect(changed.stdout).toContain('venice-batch verify album.yaml');
    const gone = await made();
    remove(gone, first);
    expect((await gone.run('run', '--frozen')).code).toBe(100);
  });

  it('reports a pattern that matches nothing', async () => {
    const album = await made();
    const ended = await album.run('run', '--frozen', '--only', 'nobody');
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('error[unknown-track]')]);
  });
});

describe('verify', () => {
  it('finds a file that was put back under its first name, as status does', async () => {
    const album = await made();
    const [first = '', second = ''] = audioFiles(album.cwd);
    edit(manifestOf(album), (text) => text.replace('budget: 5', 'budget: 5\noutput: "new/{id}.{ext}"'));
    expect((await album.run('run', '--yes')).code).toBe(0);
    const moved = audioFiles(album.cwd);
    renameSync(path.join(album.cwd, moved[0]!), path.join(album.cwd, first));
    expect((await album.run('status')).stdout).toContain(first);
    expect((await album.run('verify')).stdout).toContain('2 of 2 files verified');
    // Other bytes under that name are not the file.
    writeFileSync(path.join(album.cwd, second), 'edited');
    remove(album, moved[1]!);
    expect((await album.run('status')).stdout).toContain('missing');
    expect((await album.run('verify')).code).toBe(100);
  });

  it('names the damaged one of several takes', async () => {
    const album = await scene();
    edit(manifestOf(album), (text) => text.replace('id: one,', 'id: one, takes: 2,'));
    expect((await album.run('run', '--yes')).code).toBe(0);
    const second = audioFiles(album.cwd).find((file) => file.includes('one-2')) ?? '';
    writeFileSync(path.join(album.cwd, second), 'x');
    const ended = await album.run('verify');
    expect([ended.code, ended.stdout]).toEqual([100, expect.stringContaining('--force one#2 ')]);
  });

  it('counts superseded files in one line, and does not fail because of them', async () => {
    const album = await made();
    edit(manifestOf(album), (text) => text.replace('A door falls', 'A gate falls'));
    expect((await album.run('run', '--yes')).code).toBe(0);
    const aside = audioFiles(album.cwd).find((file) => /one\.[0-9a-f]{8}\./.test(file)) ?? '';
    remove(album, aside);
    const ended = await album.run('verify');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toBe('2 of 2 files verified; no longer needed: 1 missing\n');
  });
});

describe('audio that is kept on another machine', () => {
  it('is a success for a reason that every command shows', async () => {
    const album = await made();
    rmSync(path.join(album.cwd, 'out'), { recursive: true });
    expect((await album.run('verify')).code).toBe(100);
    edit(manifestOf(album), (text) => text.replace('tracks:', 'defaults: { audio: elsewhere }\ntracks:'));
    const status = await album.run('status');
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(/one +elsewhere/)]);
    expect(status.stdout).toContain('2 elsewhere; ');
    expect(next(status)).toBeUndefined();
    const reported = JSON.parse((await album.run('status', '--json')).stdout) as object;
    expect(reported).toMatchObject({ elsewhere: ['one', 'two'], warnings: [] });
    const verified = await album.run('verify');
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringContaining('0 of 2 files verified; 2 kept elsewhere'),
    ]);
    const planned = await album.run('plan', '--json');
    expect(JSON.parse(planned.stdout)).toMatchObject({
      takes: [
        { action: 'done', reason: 'elsewhere' },
        { action: 'done', reason: 'elsewhere' },
      ],
    });
    for (const words of [['--frozen'], ['--yes'], ['--yes', '--retry-failed']]) {
      const ended = await album.run('run', ...words, '--json', '--junit', 'report.xml');
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr).toContain('2 kept elsewhere');
      expect(JSON.parse(ended.stdout)).toMatchObject({
        summary: { done: 2, missing: 0, elsewhere: 2 },
        takes: [{ state: 'elsewhere' }, { state: 'elsewhere' }],
      });
      const report = readFileSync(path.join(album.cwd, 'report.xml'), 'utf8');
      expect(report.match(/<skipped message="done; its audio is kept elsewhere"\/>/g)).toHaveLength(2);
    }
    expect(await album.charges()).toBe(2);
  });
});

describe('files that cannot be checked', () => {
  it('are shown by status as the lockfile records them, with a warning', async () => {
    const album = await made();
    rmSync(path.join(album.cwd, 'out'), { recursive: true });
    symlinkSync('out', path.join(album.cwd, 'out'));
    const { code, stdout, stderr } = await album.run('status');
    expect([code, stderr]).toEqual([0, expect.stringContaining('showing its recorded state')]);
    expect(stderr).toContain('2 files, such as out/01-one.');
    expect(stdout).toMatch(/one +done/);
    const { warnings } = JSON.parse((await album.run('status', '--json')).stdout) as { warnings: unknown };
    expect(warnings).toMatchObject([{ code: 'file-changed' }]);
  });
});

describe('the next command', () => {
  it('after a refusal never submits the same request again', async () => {
    const album = await scene({ prompts: { one: 'A door falls shut', two: 'A door [sandbox:policy]' } });
    const first = await album.run('run', '--yes');
    expect([first.code, next(first)]).toEqual([100, undefined]);
    expect(first.stdout).toMatch(/Change the prompt/);
    const collected = await album.run('collect');
    expect([collected.code, next(collected)]).toEqual([100, undefined]);
    const status = await album.run('status');
    expect(status.stdout).toContain(
      '\nNext: fix the rejected tracks in the manifest, then: venice-batch run album.yaml',
    );
    edit(manifestOf(album), (text) => text.replace(' [sandbox:policy]', ' shuts'));
    expect((await album.run('status')).stdout).toContain('\nNext: venice-batch run album.yaml');
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(next(await album.run('status'))).toBeUndefined();
  });

  it('after collect retries what failed', async () => {
    const album = await scene({ prompts: { one: 'A door falls shut', two: 'A door [sandbox:fail]' } });
    expect((await album.run('run', '--yes')).code).toBe(100);
    for (const verb of ['collect', 'status'])
      expect(next(await album.run(verb))).toBe('run album.yaml --retry-failed');
  });

  it('asks before it buys again, and stays with the tracks of this run', async () => {
    const album = await scene({ prompts: { one: 'A gate [sandbox:fail]', two: 'A door [sandbox:fail]' } });
    const all = await album.run('run', '--yes');
    expect([all.code, next(all)]).toEqual([100, 'run album.yaml --retry-failed']);
    const again = await album.run('run', '--yes', '--retry-failed', '--only', 'two');
    expect([again.code, next(again)]).toEqual([100, 'run album.yaml --retry-failed --only two']);
  });

  it('is not suggested while a run is in progress; after it, collect settles what a dead one left', async () => {
    const album = await scene();
    let arrived = () => {};
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const relay = await startRelay(
      album.service.url,
      only('/audio/queue', () => arrived()),
      KEY,
    );
    const there = ['album.yaml', '--base-url', relay.url];
    const going = launchProgram(['run', ...there, '--yes'], album.cwd, { VENICE_API_KEY: KEY });
    await asked;
    const env = { VENICE_API_KEY: KEY };
    const status = await run(['status', ...there], album.cwd, env);
    expect(status.stdout).toMatch(/\nA run is in progress \(pid \d+ on [^)]*\): this is the state so far\n$/);
    expect((await run(['collect', ...there], album.cwd, env)).code).toBe(7);
    going.kill();
    await going.ended;
    const collected = await run(['collect', ...there], album.cwd, env);
    expect([collected.code, next(collected)]).toEqual([8, 'resolve album.yaml']);
  });

  it('asks for the output folder and buys nothing if every file is missing', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes', '--out-dir', 'audio')).code).toBe(0);
    for (const verb of ['run', 'status', 'verify', 'plan']) {
      const ended = await album.run(verb);
      const reported = `${ended.stdout}${ended.stderr}`.replace(/\s+/g, ' ');
      expect(reported, verb).toContain('--out-dir');
      expect(reported, verb).not.toMatch(/--retry-failed|--force/);
      expect(next(ended), verb).toBeUndefined();
    }
    expect((await album.run('run', '--out-dir', 'audio')).code).toBe(0);
    const again = await album.run('plan', '--retry-failed');
    expect(again.stderr).toContain('warning[no-file-here]');
    // One of them is here: the other one may be gone.
    const [file = ''] = audioFiles(album.cwd);
    renameSync(path.join(album.cwd, 'audio/out'), path.join(album.cwd, 'out'));
    remove(album, file.replace('audio/', ''));
    expect(next(await album.run('run'))).toBe('run album.yaml --retry-failed');
  });

  it('does not repeat the error about a missing key', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes', '--only', 'one', '--detach')).code).toBe(11);
    const args = ['run', 'album.yaml', '--yes', '--base-url', album.service.url];
    const { code, stderr } = await run(args, album.cwd);
    expect([code, stderr.split('error[no-key]').length]).toEqual([4, 2]);
  });
});

describe('models that cannot be fetched', () => {
  it.each([
    ['a page', html(404)],
    ['JSON', json(404, { error: 'Not found' })],
    ['a refusal', json(400, { error: 'Bad request' })],
  ])('are reported with the base URL to check if the answer is %s', async (_, treat) => {
    const album = await scene();
    const relay = await startRelay(album.service.url, treat, KEY);
    for (const verb of ['plan', 'run']) {
      const args = [verb, 'album.yaml', '--base-url', relay.url];
      const ended = await run(args, album.cwd, { VENICE_API_KEY: KEY });
      expect(ended.code).toBe(12);
      expect(ended.stderr.replace(/\s+/g, ' ')).toMatch(/--base-url, VENICE_BASE_URL/);
    }
  });
});

describe('two manifests that share a lockfile', () => {
  it('are an error, and nothing is bought', async () => {
    const album = await made();
    copyFileSync(manifestOf(album), path.join(album.cwd, 'album.yml'));
    for (const manifest of ['album.yaml', 'album.yml']) {
      const args = ['run', manifest, '--yes', '--base-url', album.service.url];
      const ended = await run(args, album.cwd, { VENICE_API_KEY: KEY });
      expect([ended.code, ended.stderr]).toEqual([3, expect.stringContaining('error[lockfile-shared]')]);
      const own = await run([...args, '--lockfile', 'album.lock.jsonl'], album.cwd, {
        VENICE_API_KEY: KEY,
      });
      expect(own.code, own.stderr).toBe(0);
    }
  });
});
