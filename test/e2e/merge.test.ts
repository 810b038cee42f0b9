import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run as runProgram } from './in-process.js';
import { folder } from './program.js';
import { type Scene, scene, writePrompts } from './scene.js';

const PRICES = String.raw`\$[0-9.]+ \+ \$[0-9.]+`;

/** Two clones that each bought the album independently; the lockfile of the second one. */
async function boughtByTwo(): Promise<{ album: Scene; clone: string; theirs: string }> {
  const album = await scene();
  const clone = folder();
  cpSync(path.join(album.cwd, 'album.yaml'), path.join(clone, 'album.yaml'));
  expect((await album.run('run', '--yes')).code).toBe(0);
  const theirs = await runProgram(
    ['run', 'album.yaml', '--yes', ...album.service.flags],
    clone,
    album.service.env,
  );
  expect(theirs.code, theirs.stderr).toBe(0);
  expect(await album.charges()).toBe(4);
  return { album, clone, theirs: path.join(clone, 'album.lock.jsonl') };
}

function queueIds(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(/"queue_id":"([^"]+)"/g)]
    .map((match) => match[1] ?? '')
    .sort();
}

describe('two independent first runs', () => {
  it('are joined by lock merge, and every command reports what was bought twice', async () => {
    const { album, theirs } = await boughtByTwo();
    const both = [...queueIds(album.lockPath), ...queueIds(theirs)].sort();
    const lockMerge = (...words: string[]) =>
      runProgram(['lock', 'merge', 'album.lock.jsonl', theirs, ...words], album.cwd);
    const merged = await lockMerge('--json');
    expect(merged.code, merged.stderr).toBe(0);
    expect(JSON.parse(merged.stdout)).toMatchObject({
      lockfile: album.lockPath,
      merged: [album.lockPath, theirs],
      lineages: [expect.any(String), expect.any(String)],
      attempts: 4,
      only_in_first: 2,
      only_in_second: 2,
      bought_twice: [
        { key: 'one', attempts: [{ state: 'done' }, { state: 'done' }] },
        { key: 'two', attempts: [{ state: 'done' }, { state: 'done' }] },
      ],
      next_command: `venice-batch status album.yaml --base-url ${album.service.url}`,
    });
    expect(queueIds(album.lockPath)).toEqual(both);
    const once = readFileSync(album.lockPath);
    const again = await lockMerge();
    expect(again.stdout).toMatch(new RegExp(`Bought more than once: .*\n  one: ${PRICES} = `));
    expect(readFileSync(album.lockPath)).toEqual(once);

    const twice = { bought_twice: [{ key: 'one' }, { key: 'two' }] };
    for (const verb of ['status', 'verify', 'plan']) {
      const document = await album.run(verb, '--json');
      expect(document.code, document.stderr).toBe(0);
      expect(JSON.parse(document.stdout), verb).toMatchObject(twice);
    }
    expect((await album.run('status')).stdout).toMatch(/^Bought more than once: \$/m);
    expect((await album.run('verify')).stdout).toMatch(/^warning: one was bought 2 times/m);
    for (const words of [['--yes'], ['--frozen']]) {
      const ended = await album.run('run', ...words, '--json', '--junit', 'report.xml');
      expect(ended.code, ended.stderr).toBe(0);
      expect(ended.stderr.replaceAll(/\s+/g, ' ')).toMatch(
        new RegExp(
          `warning\\[bought-twice\\]: 2 takes were bought more than once, .* one \\(${PRICES}\\), two`,
        ),
      );
      expect(ended.stderr.replaceAll(/\s+/g, ' ')).toMatch(
        /2 takes were bought more than once, \$[0-9.]+ more/,
      );
      expect(JSON.parse(ended.stdout)).toMatchObject({
        summary: twice,
        diagnostics: [{ code: 'bought-twice', severity: 'warning' }],
      });
      const report = readFileSync(path.join(album.cwd, 'report.xml'), 'utf8');
      expect(report.match(/<system-out>bought 2 times, /g)).toHaveLength(2);
    }
    expect(await album.charges()).toBe(4);
  });

  it.each([
    ['conflict markers', ''],
    ['merge=union', '*.lock.jsonl merge=union\n'],
  ])('merged by git (%s) lead to an error with the command that joins them', async (_, attributes) => {
    const { album, theirs } = await boughtByTwo();
    const both = [...queueIds(album.lockPath), ...queueIds(theirs)].sort();
    mergeByGit(album.cwd, theirs, attributes);
    const refused = await album.run('run', '--yes');
    expect(refused.code).toBe(9);
    expect(refused.stderr).toMatch(/error\[lockfile-(second-header|conflict-markers)\]/);
    expect(refused.stderr.replaceAll(/\s+/g, ' ')).toContain('venice-batch lock repair album.yaml');
    const repaired = await album.run('lock repair');
    expect(repaired.code, repaired.stderr).toBe(0);
    expect(repaired.stdout).toContain('joined 2 lockfiles that began separately');
    expect(repaired.stdout).toMatch(/^Bought more than once: /m);
    expect(queueIds(album.lockPath)).toEqual(both);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(4);
  });
});

/** Both branches add the lockfile: no common base, as with two first runs. */
function mergeByGit(cwd: string, theirs: string, attributes: string): void {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd,
      encoding: 'utf8',
      stdio: 'pipe',
      env: { PATH: process.env.PATH, HOME: cwd, GIT_CONFIG_NOSYSTEM: '1' },
    });
  const lockfile = path.join(cwd, 'album.lock.jsonl');
  const ours = readFileSync(lockfile);
  git('init', '-q', '-b', 'main');
  writeFileSync(path.join(cwd, '.gitattributes'), attributes);
  git('add', '.gitattributes', 'album.yaml');
  git('commit', '-q', '-m', 'base');
  git('checkout', '-q', '-b', 'other');
  writeFileSync(lockfile, readFileSync(theirs));
  git('add', 'album.lock.jsonl');
  git('commit', '-q', '-m', 'theirs');
  git('checkout', '-q', 'main');
  writeFileSync(lockfile, ours);
  git('add', 'album.lock.jsonl');
  git('commit', '-q', '-m', 'ours');
  try {
    git('merge', '-q', '-m', 'merge', 'other');
  } catch (failed) {
    expect((failed as { stdout: string }).stdout).toContain('CONFLICT');
  }
}

describe('lock merge', () => {
  it('into a new file leaves both lockfiles unchanged', async () => {
    const { album, clone, theirs } = await boughtByTwo();
    const before = [readFileSync(album.lockPath), readFileSync(theirs)];
    const lockMerge = (...words: string[]) =>
      runProgram(['lock', 'merge', 'album.yaml', theirs, ...words], album.cwd);
    const merged = await lockMerge('--out', 'both.lock.jsonl');
    expect(merged.code, merged.stderr).toBe(0);
    const next = `--base-url ${album.service.url} --lockfile both.lock.jsonl`;
    expect(merged.stdout).toContain(`Next: venice-batch status album.yaml ${next}`);
    // No manifest has its name.
    const again = await runProgram(['lock', 'merge', 'both.lock.jsonl', theirs], album.cwd);
    expect(again.stdout).toContain(`Next: venice-batch status MANIFEST ${next}`);
    expect([readFileSync(album.lockPath), readFileSync(theirs)]).toEqual(before);
    expect(readdirSync(clone).sort()).toContain('album.lock.jsonl');
    expect(queueIds(path.join(album.cwd, 'both.lock.jsonl'))).toHaveLength(4);
    const overwriting = await lockMerge('--out', 'album.yaml');
    expect([overwriting.code, overwriting.stderr.includes('error[output-file]')]).toEqual([2, true]);
    symlinkSync(path.join(clone, 'elsewhere'), path.join(album.cwd, 'link.lock.jsonl'));
    const linked = await lockMerge('--out', 'link.lock.jsonl');
    expect([linked.code, linked.stderr.includes('is a link')]).toEqual([2, true]);
    expect(existsSync(path.join(clone, 'elsewhere'))).toBe(false);
  });

  it('of a file with a link to itself changes nothing', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes')).code).toBe(0);
    symlinkSync(album.lockPath, path.join(album.cwd, 'same.lock.jsonl'));
    const before = readFileSync(album.lockPath);
    const merged = await runProgram(['lock', 'merge', 'album.lock.jsonl', 'same.lock.jsonl'], album.cwd);
    expect(merged.code, merged.stderr).toBe(0);
    expect(readFileSync(album.lockPath)).toEqual(before);
  });

  it('accepts a lockfile of any name in either place', async () => {
    const { album, theirs } = await boughtByTwo();
    writeFileSync(path.join(album.cwd, 'from-git.jsonl'), readFileSync(theirs));
    for (const [first, second] of [
      ['from-git.jsonl', 'album.lock.jsonl'],
      ['album.lock.jsonl', 'from-git.jsonl'],
    ]) {
      const merged = await runProgram(['lock', 'merge', first!, second!, '--out', `${first}.new`], album.cwd);
      expect(merged.code, merged.stderr).toBe(0);
      expect(queueIds(path.join(album.cwd, `${first}.new`))).toHaveLength(4);
    }
  });

  it('refuses the lockfile of another manifest, unless the result is a new file', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes')).code).toBe(0);
    const other = folder();
    writePrompts(other, { three: 'A bell rings' });
    const { flags, env } = album.service;
    expect((await runProgram(['run', 'album.yaml', '--yes', ...flags], other, env)).code).toBe(0);
    const words = ['lock', 'merge', 'album.lock.jsonl', path.join(other, 'album.lock.jsonl')];
    const before = readFileSync(album.lockPath);
    const refused = await runProgram(words, album.cwd);
    expect([refused.code, refused.stderr]).toEqual([9, expect.stringContaining('another manifest')]);
    expect(readFileSync(album.lockPath)).toEqual(before);
    expect((await runProgram([...words, '--out', 'merged.lock.jsonl'], album.cwd)).code).toBe(0);
  });

  it('says which lockfile is missing, and changes nothing', async () => {
    const cwd = folder();
    writeFileSync(path.join(cwd, 'album.yaml'), 'version: 1\n');
    const ended = await runProgram(['lock', 'merge', 'album.lock.jsonl', 'theirs.lock.jsonl'], cwd);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('error[lockfile-missing]: there is no lockfile at ');
    expect(existsSync(path.join(cwd, '.venice-batch'))).toBe(false);
  });
});

describe('a take that was generated again on purpose', () => {
  it('does not count as bought twice', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes')).code).toBe(0);
    const forced = await album.run('run', '--yes', '--force', 'one', '--json');
    expect(forced.code, forced.stderr).toBe(0);
    expect(JSON.parse(forced.stdout)).not.toMatchObject({ summary: { bought_twice: expect.anything() } });
    expect(JSON.parse((await album.run('status', '--json')).stdout)).toMatchObject({ bought_twice: [] });
    expect(album.lock().filter(({ replaces }) => replaces !== undefined)).toHaveLength(1);
  });
});
