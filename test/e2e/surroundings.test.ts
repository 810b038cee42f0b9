import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serialiseLock } from '../../src/lockfile/lock-text.js';
import { run as inProcess } from './in-process.js';
import { folder } from './program.js';
import { type Scene, scene, writePrompts } from './scene.js';

/** Long enough for others to act while a run is active. */
const PROMPTS = {
  one: 'A door falls shut',
  two: 'Rain on a tin roof',
  three: 'A gong is struck',
  four: 'Steps on gravel',
};

function git(cwd: string, ...words: readonly string[]): string {
  return execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
  });
}

/** An album under version control, with a first track finished and committed. */
async function committed(): Promise<Scene> {
  const album = await scene({ prompts: { zero: 'Wind in the reeds' } });
  expect((await album.run('run', '--yes')).code).toBe(0);
  git(album.cwd, 'init', '-q');
  git(album.cwd, 'add', 'album.yaml', 'album.lock.jsonl');
  git(album.cwd, 'commit', '-q', '-m', 'one track');
  writePrompts(album.cwd, { zero: 'Wind in the reeds', ...PROMPTS });
  git(album.cwd, 'commit', '-q', '-a', '-m', 'more tracks');
  return album;
}

describe('a lockfile that another program changes during a run', () => {
  it.each<[string, (album: Scene) => void]>([
    ['restored by git stash', ({ cwd }) => git(cwd, 'stash')],
    ['deleted', ({ lockPath }) => rmSync(lockPath)],
    ['restored by git checkout', ({ cwd }) => git(cwd, 'checkout', '--', 'album.lock.jsonl')],
    [
      'overwritten in place',
      ({ cwd, lockPath }) => writeFileSync(lockPath, git(cwd, 'show', 'HEAD:album.lock.jsonl')),
    ],
  ])('leads to no second purchase even if the run is killed: %s', async (_, strike) => {
    const album = await committed();
    // Two at a time: with both queued, no submit is in flight when the run is killed.
    const run = album.start('run', '--yes', '--concurrency', '2', '--events', 'ndjson');
    await run.seen(/"state":"queued"[\s\S]*"state":"queued"/);
    strike(album);
    run.kill();
    await run.ended;
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(5);
  });

  it.each<[string, (album: Scene) => void]>([
    ['put back by git checkout', ({ cwd }) => git(cwd, 'checkout', '--', 'album.lock.jsonl')],
    ['deleted', ({ lockPath }) => rmSync(lockPath)],
  ])('leads to no second purchase between two runs, with takes in flight: %s', async (_, strike) => {
    const album = await committed();
    expect((await album.run('run', '--yes', '--detach')).code).toBe(11);
    strike(album);
    const next = await album.run('run', '--yes');
    expect([next.code, next.stderr]).toEqual([0, expect.stringMatching(/lacked records of [45] attempts/)]);
    expect(await album.charges()).toBe(5);
  });

  it('stops purchases but not collecting if it gets conflict markers, and nothing is lost', async () => {
    const album = await committed();
    const run = album.start('run', '--yes', '--concurrency', '1', '--events', 'ndjson');
    await run.seen(/"state":"queued"/);
    const before = readFileSync(album.lockPath, 'utf8');
    writeFileSync(album.lockPath, `<<<<<<< ours\n${before}=======\n${before}>>>>>>> theirs\n`);
    const ended = await run.ended;
    expect(ended.code).toBe(9);
    expect(ended.stdout).toContain('"code":"lockfile-conflict-markers"');
    expect(ended.stdout).toContain(`"next_command":"venice-batch status album.yaml`);
    expect((await album.run('status')).stderr).toContain('venice-batch lock repair album.yaml');
    expect(await album.charges()).toBeLessThan(5);
    expect((await album.run('lock repair')).code).toBe(0);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(5);
  });
});

/** The lockfile and everything that belongs to it. */
function lockfilesIn(cwd: string): readonly string[] {
  if (!existsSync(cwd)) return [];
  return readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.lock.'));
}

describe('a folder that is moved during a run', () => {
  it.each(['nothing', 'an empty folder', 'an older copy'])(
    'ends purchases, and is not bought from again by the next run: %s takes its place',
    async (place) => {
      const album = await scene({ prompts: { zero: 'Wind in the reeds' } });
      const [moved, out] = [path.join(folder(), 'moved'), folder()];
      expect((await album.run('run', '--yes', '--out-dir', out)).code).toBe(0);
      writePrompts(album.cwd, { zero: 'Wind in the reeds', ...PROMPTS });
      const older = path.join(folder(), 'older');
      cpSync(album.cwd, older, { recursive: true });
      const run = album.start('run', '--yes', '--concurrency', '1', '--events', 'ndjson', '--out-dir', out);
      await run.seen(/"state":"queued"/);
      renameSync(album.cwd, moved);
      if (place === 'an empty folder') mkdirSync(album.cwd);
      if (place === 'an older copy') renameSync(older, album.cwd);
      const before = lockfilesIn(album.cwd);
      const ended = await run.ended;
      expect(ended.code).toBe(9);
      expect(ended.stdout).toContain('"code":"lockfile-replaced"');
      expect(existsSync(album.cwd)).toBe(place !== 'nothing');
      expect(lockfilesIn(album.cwd)).toEqual(before);
      expect(await album.charges()).toBe(2);
      const words = ['run', 'album.yaml', '--yes', '--out-dir', out, ...album.service.flags];
      const next = await inProcess(words, moved, album.service.env);
      expect([next.code, next.stderr]).toEqual([0, expect.not.stringContaining('error')]);
      expect(await album.charges()).toBe(5);
    },
  );
});

describe('a folder that is deleted during a run', () => {
  it.each(['this run', 'an earlier one'])(
    'gets the lockfile again, with everything that was bought: recorded first by %s',
    async (first) => {
      const album = await scene({ prompts: { zero: 'Wind in the reeds' } });
      const lockfile = path.join('state', 'a.lock.jsonl');
      const words = ['--yes', '--lockfile', lockfile];
      if (first === 'an earlier one') expect((await album.run('run', ...words)).code).toBe(0);
      writePrompts(album.cwd, { zero: 'Wind in the reeds', ...PROMPTS });
      const run = album.start('run', ...words, '--concurrency', '1', '--events', 'ndjson');
      await run.seen(/"state":"queued"/);
      rmSync(path.join(album.cwd, 'state'), { recursive: true });
      const ended = await run.ended;
      expect(ended.code).not.toBe(0);
      const charged = await album.charges();
      expect(charged).toBeLessThan(5);
      expect(readFileSync(path.join(album.cwd, lockfile), 'utf8').match(/"queue_id"/g)).toHaveLength(charged);
      expect((await album.run('run', ...words)).code).toBe(0);
      expect(await album.charges()).toBe(5);
    },
  );
});

describe('a lock that is deleted during a run', () => {
  it.each(['-fd', '-fdx'])(
    'does not let a second run start beside the first: git clean %s',
    async (flags) => {
      const album = await committed();
      const first = album.start('run', '--yes', '--concurrency', '1', '--events', 'ndjson');
      await first.seen(/"state":"queued"/);
      git(album.cwd, 'clean', flags, '-e', 'out');
      const second = await album.run('run', '--yes');
      expect(second.code).toBe(7);
      expect((await first.ended).code).toBe(0);
      expect(await album.charges()).toBe(5);
      expect(git(album.cwd, 'status', '--porcelain', '.venice-batch')).toBe('');
    },
  );
});

describe('one manifest', () => {
  it('with two lockfiles is not bought twice without a request', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes', '--lockfile', 'a.db', '--out-dir', 'first')).code).toBe(0);
    for (const [verb, ...words] of [['run', '--yes'], ['plan']] as const) {
      const reported = await album.run(verb, ...words, '--lockfile', 'b.db', '--out-dir', 'second');
      expect(reported.code).toBe(3);
      expect(reported.stderr).toContain('error[bought-elsewhere]');
      expect(reported.stderr).toContain(path.join(album.cwd, 'a.db'));
    }
    expect(await album.charges()).toBe(2);
    const again = await album.run(
      'run',
      '--yes',
      '--force',
      '*',
      '--lockfile',
      'b.db',
      '--out-dir',
      'second',
    );
    expect(again.code).toBe(0);
    expect(await album.charges()).toBe(4);
  });

  it('is not bought twice with lockfiles in different folders', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes', '--detach', '--lockfile', 'a/x.txt')).code).toBe(11);
    const second = await album.run('run', '--yes', '--lockfile', 'b/x.txt', '--force', 'one');
    expect(second.code).toBe(3);
    expect(second.stderr).toMatch(/already bought under another lockfile, .*x\.txt: two\n/);
    expect((await album.run('run', '--yes')).code).toBe(3);
    expect(await album.charges()).toBe(2);
  });

  it('is not bought twice if the lockfile is a link that leads elsewhere the next time', async () => {
    const album = await scene();
    const endpoint = album.service.flags[1] ?? '';
    const header = { format: 'venice-batch-lock', version: 2, endpoint, lineage: '0'.repeat(32) } as const;
    for (const [folder, code] of [
      ['a', 0],
      ['b', 3],
    ] as const) {
      mkdirSync(path.join(album.cwd, folder));
      writeFileSync(path.join(album.cwd, folder, 'x.db'), serialiseLock(header, []));
      rmSync(album.lockPath, { force: true });
      symlinkSync(`${folder}/x.db`, album.lockPath);
      expect((await album.run('run', '--yes', '--out-dir', folder)).code).toBe(code);
    }
    expect(await album.charges()).toBe(2);
  });

  it('is not bought under two lockfiles at the same time', async () => {
    const album = await scene();
    const first = album.start('run', '--yes', '--lockfile', 'a/x.db', '--events', 'ndjson');
    await first.seen(/"phase":"quote"/);
    first.child.kill('SIGSTOP');
    const second = await album.run('run', '--yes');
    first.child.kill('SIGCONT');
    expect([second.code, second.stderr]).toEqual([7, expect.stringContaining('under another lockfile')]);
    expect((await first.ended).code).toBe(0);
    expect(await album.charges()).toBe(2);
  });

  it('and a link to it share one lockfile', async () => {
    const album = await scene();
    expect((await album.run('run', '--yes')).code).toBe(0);
    const real = path.join(album.cwd, 'night.yaml');
    writeFileSync(real, readFileSync(path.join(album.cwd, 'album.yaml')));
    writeFileSync(path.join(album.cwd, 'night.lock.jsonl'), readFileSync(album.lockPath));
    rmSync(path.join(album.cwd, 'album.yaml'));
    symlinkSync('night.yaml', path.join(album.cwd, 'album.yaml'));
    const both = await album.run('run', '--yes');
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('error[lockfile-beside-link]');
    rmSync(album.lockPath);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(2);
  });
});
