import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import type { Ended } from './launch.js';
import { audioFiles } from './program.js';
import { startRelay } from './relay.js';
import { edit, type Scene, scene, writePrompts } from './scene.js';

const FIRST = { one: 'A door falls shut' };

/** An album with one finished track. */
async function finished(): Promise<Scene> {
  const album = await scene({ prompts: FIRST });
  expect((await album.run('run', '--yes')).code).toBe(0);
  return album;
}

describe('a lockfile that cannot be used', () => {
  /** No command that could buy does anything, and the lockfile stays as it is. */
  async function refusesAll(album: Scene, code: string, ...words: readonly string[]): Promise<void> {
    writePrompts(album.cwd, { ...FIRST, two: 'A gong is struck' });
    const before = readFileSync(album.lockPath, 'utf8');
    for (const verb of ['run', 'collect', 'plan', 'status']) {
      const ended = await album.run(verb, ...(verb === 'run' ? ['--yes'] : []), ...words);
      expect(ended.code, `${verb}\n${ended.stderr}`).toBe(9);
      expect(ended.stderr).toContain(`error[${code}]`);
      expect(ended.stderr).toContain('= help: ');
    }
    expect(readFileSync(album.lockPath, 'utf8')).toBe(before);
    expect(existsSync(path.join(album.cwd, '.venice-batch', 'album.lock.jsonl.guard'))).toBe(false);
    expect(await album.charges()).toBe(1);
  }

  it('stops everything if it is of a newer version', async () => {
    const album = await finished();
    edit(album.lockPath, (text) => text.replace('"version":2', '"version":4'));
    await refusesAll(album, 'lockfile-newer-version');
    expect((await album.run('lock repair')).code).toBe(9);
  });

  it.each([
    ['emptied', () => ''],
    ['cut in its header', (text: string) => text.slice(0, 40)],
    ['without its header', (text: string) => text.split('\n').slice(1).join('\n')],
  ])('stops everything if it is %s', async (_, damage) => {
    const album = await finished();
    edit(album.lockPath, damage);
    await refusesAll(album, 'lockfile-not-a-lockfile');
  });

  it('stops everything until it is repaired if a line is zeroed', async () => {
    const album = await finished();
    edit(album.lockPath, (text) => `${text}${'\0'.repeat(200)}\n`);
    await refusesAll(album, 'lockfile-bad-line');
    const repaired = await album.run('lock repair');
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toContain('line 4 is not JSON: set aside; what it recorded is in doubt');
    expect((await album.run('run', '--yes')).code).toBe(8);
    expect(await album.charges()).toBe(1);
    expect((await album.run('resolve', 'unreadable', '--not-charged')).code).toBe(0);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(2);
  });

  it('lets nothing be bought after a repair until a job in a damaged line is settled', async () => {
    const album = await finished();
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    const before = readFileSync(album.lockPath, 'utf8');
    const queueId = /"queue_id":"([^"]+)"/.exec(before)?.[1] ?? '';
    // Without its signature, the line does not prove which file is its audio.
    edit(album.lockPath, (text) => text.replace(/"(?:digest":"v1:.{20}|key":".{4})/g, '#'.repeat(30)));
    await refusesAll(album, 'lockfile-bad-line');
    const repaired = await album.run('lock repair');
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toContain(`one with the job ${queueId} is in doubt`);
    const run = await album.run('run', '--yes');
    expect(run.code).toBe(8);
    expect(run.stderr.replaceAll(/\s+/g, ' ')).toContain('1 job is known only from a damaged line');
    expect(await album.charges()).toBe(1);
    const shown = await album.run('resolve');
    expect(shown.stdout).toMatch(new RegExp(`resolve album\\.yaml \\S+ --queue-id ${queueId}`));
    const settled = await album.run('resolve', 'one', '--charged');
    expect(settled.code, settled.stderr).toBe(0);
    // Whatever the damaged line said, it was a take of this track: it counts as lost.
    await album.run('run', '--yes');
    expect(await album.charges()).toBe(2);
    expect(album.lock()).toMatchObject([{ track: 'one', state: 'lost' }, { track: 'two' }]);
  });

  describe('takes back the file of a finished take whose line is damaged', () => {
    /** The line's end is damaged, and no copy has it. Another track is not bought yet. */
    async function damaged(damage: (line: string) => string = String): Promise<[Scene, string, string]> {
      const album = await finished();
      writePrompts(album.cwd, { ...FIRST, two: 'A gong is struck' });
      rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
      const [audio = ''] = audioFiles(album.cwd);
      const queueId = String(album.lock()[0]?.queue_id);
      edit(album.lockPath, (text) => damage(text.replace(/"digest":"v1:.{20}/, '#'.repeat(30))));
      expect((await album.run('lock repair')).code).toBe(0);
      return [album, queueId, path.join(album.cwd, audio)];
    }

    it.each(['--queue-id', '--charged'])('if the user says %s, without another request', async (answer) => {
      const [album, queueId] = await damaged();
      const shown = await album.run('resolve');
      expect(shown.stdout.replaceAll(/\s+/g, ' ')).toMatch(/names the file \S*one\S*: --queue-id takes it/);
      const words = answer === '--charged' ? [answer] : [answer, queueId];
      const settled = await album.run('resolve', 'one', ...words);
      expect([settled.code, settled.stderr]).toEqual([0, '']);
      expect(settled.stdout).toContain('one is done');
      expect(album.lock()).toMatchObject([{ track: 'one', state: 'done', queue_id: queueId }]);
      expect((await album.run('verify')).code).toBe(0);
      expect((await album.run('run', '--yes')).code).toBe(0);
      expect(album.lock()).toMatchObject([{ track: 'one', state: 'done' }, { track: 'two' }]);
      expect(await album.charges()).toBe(2);
    });

    it.each<[string, (line: string) => string, ((file: string) => void)?]>([
      ['the file was changed', String, (file) => appendFileSync(file, '\0')],
      ['the file is gone', String, (file) => rmSync(file)],
      [
        'the file is behind a link',
        String,
        (file) => {
          renameSync(file, `${file}.real`);
          symlinkSync(`${file}.real`, file);
        },
      ],
      ['the line names another job', (line) => line.replace(/"queue_id":"./, '"queue_id":"_')],
      ['the line has another attempt', (line) => line.replace(/"attempt":"..../, '"attempt":"0000')],
      ['the line names another track', (line) => line.replace('"track":"one"', '"track":"oen"')],
      [
        'the line names another track of the manifest',
        (line) => line.replace('"track":"one"', '"track":"two"'),
      ],
      ['another key made it', (line) => line.replace(/"key":"..../, '"key":"0000')],
    ])('but not if %s', async (_, damage, change) => {
      const [album, queueId, file] = await damaged(damage);
      change?.(file);
      const [named] = album.lock();
      const refused = await album.run(
        'resolve',
        String(named?.attempt),
        '--queue-id',
        String(named?.queue_id ?? queueId),
      );
      expect(refused.code).toBe(2);
      expect(album.lock()).toMatchObject([{ state: 'in_doubt' }]);
      expect(await album.charges()).toBe(1);
    });
  });

  it('collects a job that only a damaged line names, once the user says that it is', async () => {
    const album = await queuedBare();
    const queueId = String(album.lock()[0]?.queue_id);
    edit(album.lockPath, (text) => text.replace(/"(?:digest":"v|model":")[^"]{7}/g, '#'.repeat(12)));
    expect((await album.run('lock repair')).code).toBe(0);
    expect((await album.run('run', '--yes')).code).toBe(8);
    const adopted = await album.run('resolve', 'one', '--queue-id', queueId);
    expect(adopted.code, adopted.stderr).toBe(0);
    const collected = await album.run('run', '--yes');
    expect(collected.code, collected.stderr).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(1);
    expect(await album.charges()).toBe(1);
  });

  it('lets a job be collected although nothing says any more which take and model it was of', async () => {
    const album = await queuedBare();
    const queueId = String(album.lock()[0]?.queue_id);
    edit(album.lockPath, (text) => text.replace(/^\{"track".*\n/m, ''));
    const repaired = await album.run('lock repair');
    expect(repaired.stdout).toContain('the only record is missing; what it recorded is in doubt');
    const run = await album.run('run', '--yes');
    expect(run.code).toBe(8);
    expect(run.stderr.replaceAll(/\s+/g, ' ')).toContain('records are missing from the lockfile');
    const adopted = await album.run('resolve', 'unreadable', '--queue-id', queueId);
    expect(adopted.code, adopted.stderr).toBe(0);
    expect(adopted.stdout).toContain('Next: venice-batch plan');
    expect((await album.run('collect')).code).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(1);
    expect(await album.charges()).toBe(1);
  });

  it('does not believe that a job of a damaged line was not charged while the service has it', async () => {
    const album = await queuedBare();
    edit(album.lockPath, (text) => text.replace(/"(?:digest":"v|model":")[^"]{7}/g, '#'.repeat(12)));
    expect((await album.run('lock repair')).code).toBe(0);
    for (const answer of ['--not-charged', '--requeue']) {
      const refused = await album.run('resolve', 'one', answer);
      expect(refused.code).toBe(2);
      expect(refused.stderr).toContain('the service still has the job that the damaged line names');
      expect(refused.stderr).toMatch(/resolve album\.yaml \S+ --queue-id /);
    }
    expect((await album.run('resolve', 'one', '--charged')).code).toBe(0);
    expect(await album.charges()).toBe(1);
  });

  it('gets a new header if the old one cannot be read and no copy has one', async () => {
    const album = await finished();
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    edit(album.lockPath, (text) => text.replace(/^.*\n/, `${'\0'.repeat(80)}\n`));
    const refused = await album.run('run', '--yes');
    expect(refused.code).toBe(9);
    expect(refused.stderr).toContain('lock repair album.yaml');
    // It may have named a shared log.
    const share = `file://${path.join(album.cwd, 'share')}`;
    expect((await album.run('lock repair', '--state', share)).code).toBe(9);
    const repaired = await album.run('lock repair');
    expect(repaired.code, repaired.stderr).toBe(0);
    expect(repaired.stdout).toContain(`a new one says that the jobs were sent to ${album.service.url}`);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(1);
  });

  it.each(['utf-16le', 'utf-16be'])('is repaired if it was saved as %s', async (encoding) => {
    const album = await finished();
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    const before = readFileSync(album.lockPath, 'utf8');
    const saved = Buffer.from(`\ufeff${before}`, 'utf16le');
    writeFileSync(album.lockPath, encoding === 'utf-16le' ? saved : saved.swap16());
    await refusesAll(album, 'lockfile-not-a-lockfile');
    const repaired = await album.run('lock repair');
    expect([repaired.code, repaired.stderr]).toEqual([0, '']);
    expect(readFileSync(album.lockPath, 'utf8')).toBe(before);
  });

  it('keeps its records if its first bytes look like those of UTF-16', async () => {
    const album = await finished();
    const [before, bytes] = [album.lock(), readFileSync(album.lockPath)];
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    writeFileSync(album.lockPath, Buffer.concat([Buffer.of(0xff, 0xfe), bytes.subarray(2)]));
    const repaired = await album.run('lock repair');
    expect([repaired.code, repaired.stderr]).toEqual([0, '']);
    expect(album.lock()).toEqual(before);
  });

  it('is repaired without alarm if the copy of the last run has what it lacks', async () => {
    const album = await finished();
    edit(album.lockPath, (text) => `${text.split('\n')[0]}\n{"attempt": gar\n`);
    const repaired = await album.run('lock repair');
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toContain(
      'records may be missing; the next run restores 1 attempt from .venice-batch;',
    );
    expect(repaired.stdout).not.toContain('what they recorded is unknown');
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(1);
  });

  it('names the copy of the last run if its end is missing, as long as there is one', async () => {
    const album = await finished();
    edit(album.lockPath, (text) => `${text.split('\n')[0]}\n`);
    const refused = (await album.run('status')).stderr.replaceAll(/\s+/g, ' ');
    expect(refused).toContain('error[lockfile-incomplete]');
    expect(refused).toMatch(
      /from \S*\.venice-batch\S* what the last run here recorded: venice-batch lock repair/,
    );
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    const bare = (await album.run('status')).stderr;
    expect(bare).toContain('restore the file from version control');
    expect(bare).not.toContain('.venice-batch');
  });

  it('stops the run if it is a folder', async () => {
    const album = await finished();
    const folder = path.join(album.cwd, 'other.lock.jsonl');
    mkdirSync(folder);
    const ended = await album.run('run', '--yes', '--lockfile', folder);
    expect(ended.code).toBe(9);
    expect(ended.stderr).toContain('(EISDIR)');
    expect(await album.charges()).toBe(1);
  });

  it('stops everything if it belongs to another endpoint', async () => {
    const album = await finished();
    const other = await startRelay(album.service.url);
    writePrompts(album.cwd, { ...FIRST, two: 'A gong is struck' });
    for (const words of [
      ['run', 'album.yaml', '--yes'],
      ['collect', 'album.yaml'],
      ['resolve', 'album.yaml'],
    ]) {
      const ended = await run([...words, '--base-url', other.url], album.cwd, album.service.env);
      expect(ended.code).toBe(9);
      expect(ended.stderr).toContain(`belongs to ${album.service.url}, not to ${other.url}`);
    }
    expect(other.seen).toEqual([]);
    expect(await album.charges()).toBe(1);
  });
});

describe('a lockfile that is damaged but sufficient', () => {
  it('loses its torn last line, and the run recovers what it recorded', async () => {
    const album = await scene({ prompts: FIRST });
    const killed = album.start('run', '--yes', '--events', 'ndjson');
    await killed.seen(/"state":"queued"/);
    killed.kill();
    await killed.ended;
    appendFileSync(album.lockPath, '{"track":"one","take":1,"atte');
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(1);
    expect(await album.charges()).toBe(1);
  });

  it('that is gone with its audio, as after `git stash -u`, is restored, and nothing is bought', async () => {
    const album = await finished();
    rmSync(album.lockPath);
    rmSync(path.join(album.cwd, 'out'), { recursive: true });
    expect((await album.run('run', '--yes')).code).toBe(100);
    expect((await album.run('status')).stdout).toContain('missing');
    expect(await album.charges()).toBe(1);
  });

  it('that is put back together with files under older names finds them', async () => {
    const album = await finished();
    const name = async (folder: string) => {
      edit(path.join(album.cwd, 'album.yaml'), (text) =>
        text.replace(/^version: 1.*$/m, `version: 1 # ${folder}\noutput: "${folder}/{id}.{ext}"`),
      );
      expect((await album.run('run', '--yes')).code).toBe(0);
      edit(path.join(album.cwd, 'album.yaml'), (text) => text.replace(/^output: .*\n/m, ''));
    };
    await name('second');
    const before = readFileSync(album.lockPath);
    await name('third');
    renameSync(path.join(album.cwd, 'third'), path.join(album.cwd, 'second'));
    writeFileSync(album.lockPath, before);
    // What the next run will find is not missing.
    expect((await album.run('status')).stdout).toMatch(/^one +done .*second\/one\.wav$/m);
    expect((await album.run('verify')).stdout).toContain('1 of 1 files verified');
    expect((await album.run('plan')).stdout).toContain('To buy        nothing');
    await name('fourth');
    expect(audioFiles(album.cwd)).toEqual([path.join('fourth', 'one.wav')]);
    expect(await album.charges()).toBe(1);
  });

  it('that is gone with its second copy lets nothing be bought over existing files', async () => {
    const album = await finished();
    rmSync(album.lockPath);
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    const ended = await album.run('run', '--yes');
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('error[output-occupied]');
    expect(await album.charges()).toBe(1);
  });
});

describe('two branches that both bought', () => {
  const git = (cwd: string, ...words: readonly string[]): string =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...words], {
      cwd,
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' },
    });

  /** Two branches from one finished track, each with its own next one. The first is merged into the second. */
  async function merged(attributes: string, first: object, second: object) {
    const album = await finished();
    writeFileSync(path.join(album.cwd, '.gitignore'), 'out/\n');
    writeFileSync(path.join(album.cwd, '.gitattributes'), attributes);
    git(album.cwd, 'init', '-q', '-b', 'first');
    git(album.cwd, 'add', '.');
    git(album.cwd, 'commit', '-q', '-m', 'one track');
    git(album.cwd, 'branch', 'second');
    await buyAndCommit(album, first);
    git(album.cwd, 'checkout', '-q', 'second');
    // Bought on another machine: this one would restore what the lockfile of the first branch has.
    rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
    await buyAndCommit(album, second);
    try {
      git(album.cwd, 'merge', '-q', '-m', 'both', 'first');
    } catch {
      // A conflict, at least in the manifest.
    }
    writePrompts(album.cwd, { ...FIRST, ...first, ...second });
    return album;
  }

  /** Queued and not collected, as a run on another machine may leave it. */
  async function buyAndCommit(album: Scene, prompts: object): Promise<void> {
    writePrompts(album.cwd, { ...FIRST, ...prompts });
    expect((await album.run('run', '--yes', '--detach')).code).toBe(11);
    git(album.cwd, 'commit', '-q', '-a', '-m', 'another track');
  }

  async function finishes(album: Scene, charges: number, files: number): Promise<Ended> {
    const ended = await album.run('run', '--yes', '--progress', 'plain');
    expect(ended.code, ended.stderr).toBe(0);
    expect(await album.charges()).toBe(charges);
    expect(audioFiles(album.cwd)).toHaveLength(files);
    return ended;
  }

  it('let nothing be bought after a conflict until `lock repair`, which keeps both sides', async () => {
    const album = await merged('', { two: 'A gong is struck' }, { three: 'Steps on gravel' });
    expect(readFileSync(album.lockPath, 'utf8')).toContain('<<<<<<< ');
    const refused = await album.run('run', '--yes');
    expect(refused.code).toBe(9);
    expect(refused.stderr).toContain('error[lockfile-conflict-markers]');
    const [, command] = /venice-batch (lock repair) /.exec(refused.stderr) ?? [];
    const repaired = await album.run(command ?? '');
    expect(repaired.code).toBe(0);
    expect(repaired.stdout).toContain('3 conflict markers removed, both sides kept');
    await finishes(album, 3, 3);
  });

  it('need no repair with `merge=union`', async () => {
    const album = await merged(
      '*.lock.jsonl merge=union\n',
      { two: 'A gong is struck' },
      { three: 'Steps on gravel' },
    );
    await finishes(album, 3, 3);
  });

  it('have both jobs of the same track reported, kept and collected', async () => {
    const album = await merged(
      '*.lock.jsonl merge=union\n',
      { two: 'A gong is struck' },
      { two: 'A gong is struck' },
    );
    const ids = album.lock().map(({ queue_id }) => queue_id);
    expect(new Set(ids).size).toBe(3);
    const ended = await finishes(album, 3, 3);
    expect(ended.stderr).toContain('warning[bought-twice]: two was bought 2 times');
    expect(album.lock().map(({ state }) => state)).toEqual(['done', 'done', 'done']);
    expect(
      album
        .lock()
        .map(({ queue_id }) => queue_id)
        .sort(),
    ).toEqual(ids.sort());
  });

  it('have both jobs of the same track reported by `lock repair` after a conflict', async () => {
    const album = await merged('', { two: 'A gong is struck' }, { two: 'A gong is struck' });
    const ids = readFileSync(album.lockPath, 'utf8').match(/"attempt":"\w+"/g) ?? [];
    const repaired = await album.run('lock repair');
    expect(repaired.stdout).toContain('Bought more than once');
    for (const { attempt } of album.lock().slice(1)) expect(repaired.stdout).toContain(String(attempt));
    expect(album.lock()).toHaveLength(new Set(ids).size);
    await finishes(album, 3, 3);
  });
});

/** Its job is queued, and only the lockfile names it. */
async function queuedBare() {
  const album = await scene({ prompts: FIRST });
  expect((await album.run('run', '--yes', '--detach')).code).toBe(11);
  rmSync(path.join(album.cwd, '.venice-batch'), { recursive: true });
  return album;
}
