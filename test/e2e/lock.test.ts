import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLI, launch } from './launch.js';
import { afterTests } from './program.js';
import { edit, type Scene, scene } from './scene.js';

const guardOf = ({ lockPath }: Scene) =>
  path.join(path.dirname(lockPath), '.venice-batch', `${path.basename(lockPath)}.guard`);

/** What the guard records about its holder. */
interface Guard {
  readonly nonce: string;
  pid: number;
  hostname: string;
  boot_id: string;
  machine_id: string;
  start_time: string;
  since_ms: number;
}

/** A run that was killed midway and left its guard. */
async function killedRun(album: Scene): Promise<number> {
  const run = album.start('run', '--yes', '--events', 'ndjson');
  await run.seen(/"state":"queued"[\s\S]*"state":"queued"/);
  run.kill();
  await run.ended;
  return run.child.pid!;
}

function changeGuard(album: Scene, change: Partial<Guard>): void {
  edit(guardOf(album), (text) => JSON.stringify({ ...(JSON.parse(text) as Guard), ...change }));
}

describe.concurrent('one run at a time', () => {
  it('lets exactly one of several simultaneous runs buy, and the others say who holds the lock', async () => {
    const album = await scene();
    const runs = [1, 2, 3, 4].map(() => album.start('run', '--yes'));
    const ended = await Promise.all(runs.map(({ ended }) => ended));
    expect(ended.map(({ code }) => code).sort()).toEqual([0, 7, 7, 7]);
    const winner = runs[ended.findIndex(({ code }) => code === 0)]?.child.pid;
    for (const { code, stderr } of ended) if (code === 7) expect(stderr).toContain(`pid ${winner} `);
    expect(await album.charges()).toBe(2);
  });

  it('does not take the lock from a run that is stopped, however long', async () => {
    const album = await scene();
    const first = album.start('run', '--yes', '--events', 'ndjson');
    await first.seen(/"state":"queued"/);
    first.child.kill('SIGSTOP');
    changeGuard(album, { since_ms: Date.now() - 30 * 86_400_000 });
    const second = await album.run('run', '--yes');
    expect(second).toMatchObject({ code: 7 });
    expect(second.stderr).toContain(`pid ${first.child.pid} `);
    expect((await album.run('collect')).code).toBe(7);
    expect((await album.run('unlock', '--force')).code).toBe(7);
    expect((await album.run('status')).code).toBe(0);
    first.child.kill('SIGCONT');
    expect((await first.ended).code).toBe(0);
    expect(await album.charges()).toBe(2);
  });

  it('takes the lock over from a dead run and says so', async () => {
    const album = await scene();
    const pid = await killedRun(album);
    const resumed = await album.run('run', '--yes', '--progress', 'plain');
    expect(resumed.stderr).toContain(`an earlier run (pid ${pid}) ended without releasing its lock`);
    expect(resumed.code).toBe(0);
    expect(await album.charges()).toBe(2);
  });

  it('takes the lock over if the pid now belongs to another process', async () => {
    const album = await scene();
    await killedRun(album);
    // This very process is alive, but started at another time than the run that had its pid.
    changeGuard(album, { pid: process.pid });
    const resumed = await album.run('run', '--yes', '--progress', 'plain');
    expect(resumed.stderr).toContain(`(pid ${process.pid}) ended without releasing its lock`);
    expect(resumed.code).toBe(0);
  });

  it('does not take the lock over from another host without --force', async () => {
    const album = await scene();
    await killedRun(album);
    changeGuard(album, { hostname: 'the-other-studio', boot_id: 'another', machine_id: 'another' });
    const refused = await album.run('run', '--yes');
    expect(refused.code).toBe(7);
    expect(refused.stderr).toContain('the-other-studio');
    const [, id = ''] = /unlock album\.yaml --force --id ([0-9a-f]{8})/.exec(refused.stderr) ?? [];
    const shown = await album.run('unlock');
    expect([shown.code, shown.stderr]).toEqual([7, expect.stringContaining(`--force --id ${id}`)]);
    // Another run took the lock after the user had checked the first one.
    const before = readFileSync(guardOf(album), 'utf8');
    changeGuard(album, { nonce: 'f'.repeat(32), pid: 4711 });
    const late = await album.run('unlock', '--force', '--id', id);
    expect([late.code, late.stderr]).toEqual([7, expect.stringContaining('pid 4711 on the-other-studio')]);
    writeFileSync(guardOf(album), before);
    expect((await album.run('unlock', '--force', '--id', id)).code).toBe(0);
    expect((await album.run('run', '--yes')).code).toBe(0);
    expect(await album.charges()).toBe(2);
  });

  it('treats an unreadable guard as held', async () => {
    const album = await scene();
    await killedRun(album);
    writeFileSync(guardOf(album), '');
    expect((await album.run('run', '--yes')).code).toBe(7);
    expect(readFileSync(guardOf(album), 'utf8')).toBe('');
    expect((await album.run('unlock', '--force')).code).toBe(0);
    expect((await album.run('run', '--yes')).code).toBe(0);
  });

  it('prevents resolve and repair while a run is writing', async () => {
    const album = await scene();
    const first = album.start('run', '--yes', '--events', 'ndjson');
    await first.seen(/"state":"queued"/);
    // It must not end before the others have tried.
    first.child.kill('SIGSTOP');
    const attempt = String(album.lock()[0]?.attempt);
    expect((await album.run('resolve', attempt, '--charged')).code).toBe(7);
    expect((await album.run('lock repair')).code).toBe(7);
    first.child.kill('SIGCONT');
    expect((await first.ended).code).toBe(0);
  });
});

/** Its own processes, `/proc` and host name, as in a container. */
const CONTAINER = ['unshare', '--pid', '--fork', '--mount-proc', '--uts'] as const;
const NETWORK = '--net';

function canContain(): boolean {
  try {
    execFileSync(CONTAINER[0], [...CONTAINER.slice(1), NETWORK, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The program in a container with that host name. Killing it kills all that the container runs. */
function contain({ cwd, service }: Scene, hostname: string, words: readonly string[], ...more: string[]) {
  const named = `hostname ${hostname} && exec "$@"`;
  const program = [process.execPath, CLI, ...words, ...service.flags];
  const started = launch([...CONTAINER, ...more, 'sh', '-c', named, 'sh', ...program], cwd, service.env, {
    group: true,
  });
  afterTests(started.kill);
  return started;
}

describe.runIf(canContain())(
  'in containers that share a folder (needs unshare)',
  { concurrent: true },
  () => {
    it('leaves the lock to a run in another container, and takes it over once that container was killed', async () => {
      const album = await scene();
      const first = contain(album, 'box-1', ['run', 'album.yaml', '--yes', '--events', 'ndjson']);
      await first.seen(/"state":"queued"[\s\S]*"state":"queued"/);
      process.kill(-first.child.pid!, 'SIGSTOP');
      expect(JSON.parse(readFileSync(guardOf(album), 'utf8'))).toMatchObject({ pid: 1, hostname: 'box-1' });
      const refused = [
        await album.run('run', '--yes'),
        await album.run('unlock', '--force'),
        // One network namespace sees less of another.
        await contain(album, 'box-2', ['unlock', 'album.yaml', '--force'], NETWORK).ended,
      ];
      for (const { code, stderr } of refused) {
        expect(code, stderr).toBe(7);
        expect(stderr).toContain('pid 1 on box-1');
      }
      first.kill();
      await first.ended;
      const left = readFileSync(guardOf(album));
      const freed = await contain(album, 'box-3', ['unlock', 'album.yaml'], NETWORK).ended;
      expect(freed.code, freed.stderr).toBe(0);
      expect(freed.stdout + freed.stderr).toContain('pid 1 on box-1');
      writeFileSync(guardOf(album), left);
      const resumed = await album.run('run', '--yes', '--progress', 'plain');
      expect(resumed.code, resumed.stderr).toBe(0);
      expect(resumed.stderr).toContain('(pid 1) ended without releasing its lock');
      expect(await album.charges()).toBe(2);
    });
  },
);
