import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { json } from './hostile-server.js';
import { run as runProgram } from './in-process.js';
import { CLI, type Ended, launch, launchProgram } from './launch.js';
import { afterTests, audioFiles, folder } from './program.js';
import { passOn, type Relay, startRelay } from './relay.js';
import { type Scene, scene, writePrompts } from './scene.js';

/** A disk of its own, of this many KiB. */
function mount(folder: string, kib: number): void {
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', folder], { stdio: 'ignore' });
  afterTests(() => execFileSync('umount', [folder]));
}

function works(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch {
    return false;
  }
}

/** Without the right to mount, a full disk is only simulated by a limit on file sizes. */
const CAN_MOUNT = works(() => mount(path.join(folder(), 'disk'), 4));
/** Root may write anywhere unless the disk itself forbids it. */
const IS_ROOT = process.getuid?.() === 0;
/** Without mounts, only the simulation covers a disk that fails in the middle of a run. */
const CAN_SHRINK = works(() => execFileSync('prlimit', ['--version'], { stdio: 'ignore' }));

/** Limits the size of every file: a write beyond it fails as on a full disk. */
function runWithLimit(album: Scene, kib: number, ...words: readonly string[]): Promise<Ended> {
  const command = ['run', 'album.yaml', '--yes', ...words, ...album.service.flags];
  const limited = `ulimit -f ${kib}; exec "$@"`;
  return launch(
    ['bash', '-c', limited, 'bash', process.execPath, CLI, ...command],
    album.cwd,
    album.service.env,
  ).ended;
}

describe('a disk that is full', () => {
  it('is reported before anything is bought', async () => {
    const album = await scene();
    const ended = await runWithLimit(album, 32);
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/cannot store files in .*out.*: .* \(EFBIG\): nothing was bought/);
    expect(await album.charges()).toBe(0);
    expect((await album.run('run', '--yes')).code).toBe(0);
  });

  it('keeps the queue_id if there is no room for the audio, and the next run collects it', async () => {
    const album = await scene();
    const ended = await runWithLimit(album, 100);
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/cannot be written: .* \(EFBIG\); it is paid for and still on the server/);
    expect(album.lock().map(({ state }) => state)).toEqual(['queued', 'queued']);
    expect(audioFiles(album.cwd)).toEqual([]);
    expect((await album.run('collect')).code).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(2);
    expect(await album.charges()).toBe(2);
  });

  it.runIf(CAN_MOUNT)(
    'loses nothing under the output folder, on a real disk of 48 KiB and of 128 KiB',
    async () => {
      const album = await scene();
      const [small, large] = [path.join(album.cwd, 'small'), path.join(album.cwd, 'large')];
      mount(small, 48);
      mount(large, 128);
      const refused = await album.run('run', '--yes', '--out-dir', small);
      expect(refused.code).toBe(12);
      expect(refused.stderr).toContain('(ENOSPC): nothing was bought');
      expect(await album.charges()).toBe(0);
      const stuck = await album.run('run', '--yes', '--out-dir', large);
      expect(stuck.code).toBe(12);
      expect(stuck.stderr).toContain('(ENOSPC); it is paid for');
      expect(album.lock().map(({ state }) => state)).toEqual(['queued', 'queued']);
      expect((await album.run('run', '--yes')).code).toBe(0);
      expect(await album.charges()).toBe(2);
    },
  );

  it.runIf(CAN_MOUNT)(
    'lets nothing be submitted that cannot be recorded, on a real disk under the lockfile',
    async () => {
      const album = await scene();
      const disk = path.join(album.cwd, 'disk');
      mount(disk, 16);
      // Room for the guard, one page, but none for the lockfile.
      writeFileSync(path.join(disk, 'others'), new Uint8Array(12 * 1024));
      const lockfile = path.join(disk, 'album.lock.jsonl');
      const ended = await album.run('run', '--yes', '--lockfile', lockfile);
      expect(ended.code, ended.stderr).toBe(12);
      expect(ended.stderr).toContain('ENOSPC');
      expect(await album.charges()).toBe(0);
      expect(existsSync(lockfile)).toBe(false);
    },
  );

  it.runIf(CAN_MOUNT)('leaves the lockfile as it is at the end of a run, on a real disk', async () => {
    const album = await scene({ prompts: { one: 'A door falls shut' } });
    const disk = path.join(album.cwd, 'disk');
    mount(disk, 24);
    // Room for the private folder and one page of records, but none for the compacted lockfile.
    writeFileSync(path.join(disk, 'others'), new Uint8Array(8 * 1024));
    const words = ['--yes', '--lockfile', path.join(disk, 'album.lock.jsonl'), '--progress', 'plain'];
    const ended = await album.run('run', ...words);
    expect(ended.stderr).toContain('the lockfile cannot be compacted (ENOSPC); nothing in it is lost');
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('1 of 1 done');
    expect((await album.run('run', ...words)).code).toBe(0);
    expect(await album.charges()).toBe(1);
  });
});

describe.runIf(CAN_MOUNT || !IS_ROOT)('a read-only disk', () => {
  function sealed(album: Scene): string {
    const folder = path.join(album.cwd, 'sealed');
    if (IS_ROOT) {
      mount(folder, 64);
      execFileSync('mount', ['-o', 'remount,ro', folder]);
    } else {
      mkdirSync(folder);
      chmodSync(folder, 0o555);
    }
    return folder;
  }

  it('under the output folder lets nothing be bought', async () => {
    const album = await scene();
    const ended = await album.run('run', '--yes', '--out-dir', sealed(album));
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/cannot store files in .*: .* \((EROFS|EACCES)\): nothing was bought/);
    expect(await album.charges()).toBe(0);
  });

  it('under the lockfile lets nothing be bought', async () => {
    const album = await scene();
    const ended = await album.run('run', '--yes', '--lockfile', path.join(sealed(album), 'a.lock.jsonl'));
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/EROFS|EACCES/);
    expect(await album.charges()).toBe(0);
  });
});

describe.runIf(CAN_SHRINK)('a lockfile that becomes unwritable', () => {
  /** From now on no file of the process may grow. */
  function shrink(pid: number, bytes: number): void {
    execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}`]);
  }

  const PROMPTS = {
    one: 'A door falls shut',
    two: 'Rain on a tin roof',
    three: 'A gong is struck',
    four: 'Steps on gravel',
  };

  /** An album of four finished tracks and a fifth to be made, through a relay. */
  async function halfway(): Promise<{ album: Scene; relay: Relay; args: string[] }> {
    const album = await scene({ prompts: PROMPTS });
    const relay = await startRelay(album.service.url);
    const args = ['run', 'album.yaml', '--yes', '--base-url', relay.url];
    expect((await runProgram(args, album.cwd, album.service.env)).code).toBe(0);
    writePrompts(album.cwd, { ...PROMPTS, five: 'A kettle boils' });
    return { album, relay, args };
  }

  /** Runs, refuses the first matching requests, and makes the disk fail at the next one, before it is answered. */
  async function runUntil(
    { album, relay, args }: { album: Scene; relay: Relay; args: string[] },
    request: string,
    bytes: number,
    refusals = 0,
  ): Promise<Ended> {
    let seen = 0;
    const run = launchProgram([...args, '--progress', 'plain'], album.cwd, album.service.env);
    relay.treat = async (passing) => {
      if (passing.path === request) seen += 1;
      if (passing.path === request && seen <= refusals)
        return json(403, { error: 'Not available to this key' })(passing);
      const answer = await passing.forward();
      if (passing.path === request && seen === refusals + 1) shrink(run.child.pid!, bytes);
      passing.answer(answer);
    };
    const ended = await run.ended;
    relay.treat = passOn;
    return ended;
  }

  it('before the intent lets nothing be submitted', async () => {
    const half = await halfway();
    // If the balance came without the request limits, they are requested just before the first submit.
    const ended = await runUntil(half, '/api_keys/rate_limits', 1_500, 1);
    expect(ended.code, ended.stderr).toBe(12);
    expect(ended.stderr).toContain('the lockfile cannot be written (EFBIG): five was not submitted');
    expect(await half.album.charges()).toBe(4);
    expect((await runProgram(half.args, half.album.cwd, half.album.service.env)).code).toBe(0);
    expect(await half.album.charges()).toBe(5);
  });

  it('after the response has its record written to a rescue file, which the next run reads', async () => {
    const half = await halfway();
    const { album, args } = half;
    const ended = await runUntil(half, '/audio/queue', 1_500);
    expect(ended.code, ended.stderr).toBe(12);
    expect(ended.stdout).toMatch(/Next\s+venice-batch run album.yaml/);
    const rescue = /its record is in (\S+)/.exec(ended.stderr)?.[1] ?? '';
    expect(existsSync(rescue), ended.stderr).toBe(true);
    const resumed = await runProgram([...args, '--progress', 'plain'], album.cwd, album.service.env);
    expect(resumed.stderr).toContain('1 record of an earlier run recovered from a rescue file');
    expect(resumed.code).toBe(0);
    expect(existsSync(rescue)).toBe(false);
    expect(audioFiles(album.cwd)).toHaveLength(5);
    expect(await album.charges()).toBe(5);
  });

  it('after the response has its queue_id shown on the screen, with the resolve command, if no rescue file can be written', async () => {
    const half = await halfway();
    const { album, args } = half;
    const ended = await runUntil(half, '/audio/queue', 16);
    expect(ended.code, ended.stderr).toBe(12);
    expect(ended.stderr).toMatch(/queue_id [0-9a-f-]{36}, model \S+: write this down/);
    const [, command] = /raise that limit, then: venice-batch (resolve .*)\)/.exec(ended.stderr) ?? [];
    const again = await runProgram(args, album.cwd, album.service.env);
    expect(again.code).toBe(8);
    const resolve = (command ?? '').split(' ');
    expect((await runProgram(resolve, album.cwd, album.service.env)).code).toBe(0);
    expect((await runProgram(args, album.cwd, album.service.env)).code).toBe(0);
    expect(audioFiles(album.cwd)).toHaveLength(5);
    expect(await album.charges()).toBe(5);
  });
});
