import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { audioFiles, folder, lockLines, start } from './program.js';

const MANIFEST = `version: 1
budget: 20
defaults: { model: elevenlabs-sound-effects-v2, duration_seconds: 2 }
tracks:
  - { id: one, prompt: A door falls shut }
  - { id: two, prompt: Rain on a tin roof }
`;

function album() {
  const cwd = folder();
  writeFileSync(path.join(cwd, 'album.yaml'), MANIFEST);
  const words = (verb: string, more: readonly string[]) => [verb, 'album.yaml', '--sandbox', ...more];
  return {
    cwd,
    venice: (verb: string, ...more: string[]) => run(words(verb, more), cwd),
    make: (...more: string[]) => run(words('run', ['--yes', '--sandbox-speed', '1000', ...more]), cwd),
    startMaking: (...more: string[]) => start(words('run', ['--yes', ...more]), cwd),
    records: () => lockLines(cwd, 'album.sandbox/album.lock.jsonl'),
    lockfile: () => readFileSync(path.join(cwd, 'album.sandbox/album.lock.jsonl'), 'utf8'),
  };
}

describe('run --more', () => {
  it('adds takes to tracks without a pick, which every command knows afterwards', async () => {
    const { cwd, venice, make, records, lockfile } = album();
    expect((await make()).code).toBe(0);
    expect(lockfile()).not.toContain('extra');
    expect((await venice('pick', 'one', '1')).code).toBe(0);

    const words = ['--more', '2', '--only-unpicked'];
    const plan = JSON.parse((await venice('plan', ...words, '--json')).stdout);
    expect(plan.takes.map(({ key, action }: { key: string; action: string }) => [key, action])).toEqual([
      ['one', 'done'],
      ['two', 'done'],
      ['two#2', 'buy'],
      ['two#3', 'buy'],
    ]);
    expect((await make(...words)).code).toBe(0);
    expect(audioFiles(cwd)).toEqual(
      ['01-one', '02-two-2', '02-two-3', '02-two'].map((name) => expect.stringContaining(`out/${name}.`)),
    );
    expect(records().map(({ extra }) => extra)).toEqual([undefined, undefined, true, true]);

    const before = lockfile();
    const again = await make(...words, '--json');
    expect({ code: again.code, stderr: again.stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining('such as --more 4'),
    });
    expect(JSON.parse(again.stdout).takes).toHaveLength(4);
    expect((await make()).code).toBe(0);
    expect((await venice('run', '--frozen')).code).toBe(0);
    expect(lockfile()).toBe(before);

    const status = JSON.parse((await venice('status', '--json')).stdout);
    expect(status.sound.takes.map(({ key }: { key: string }) => key)).toEqual([
      'one',
      'two',
      'two#2',
      'two#3',
    ]);
    expect((await venice('verify')).stdout).toContain('4 of 4 files verified');
    expect((await venice('tidy')).stdout).toContain('nothing to move');
    expect((await venice('release', '--to', 'out')).stderr).toContain(
      '`two` has 3 takes (two, two#2, two#3)',
    );
    expect((await venice('pick', 'two', '3')).stdout).toContain('picked two#3');
    expect((await venice('release', '--to', 'release')).code).toBe(0);
    expect(existsSync(path.join(cwd, 'release', '02 two.wav'))).toBe(true);
  });

  it('is bought by a saved plan as planned, whatever was picked since', async () => {
    const { venice, make, records } = album();
    expect((await make()).code).toBe(0);
    expect((await venice('pick', 'one', '1')).code).toBe(0);
    expect((await venice('plan', '--more', '1', '--only-unpicked', '--out', 'plan.json')).code).toBe(0);
    expect((await venice('pick', 'one', '--clear')).code).toBe(0);
    const applied = await venice('run', '--plan', 'plan.json', '--sandbox-speed', '1000');
    expect(applied.code).toBe(0);
    expect(records().map(({ track, take }) => `${track} ${take}`)).toEqual(['one 1', 'two 1', 'two 2']);
  });

  it('buys no more than requested when it is killed and run again', async () => {
    const { make, startMaking, records } = album();
    expect((await make()).code).toBe(0);
    const killed = startMaking('--more', '2', '--concurrency', '1', '--progress', 'plain');
    await killed.seen(/queued (\S+#2)/);
    killed.kill();
    await killed.ended;
    expect((await make('--more', '2')).code).toBe(0);
    expect(records().map(({ track, take, state }) => `${track} ${take} ${state}`)).toEqual(
      ['one 1', 'one 2', 'one 3', 'two 1', 'two 2', 'two 3'].map((take) => `${take} done`),
    );
  });

  it.each([
    [['--more', '0'], '--more takes a number from 1 to 99: 0'],
    [['--more', 'x'], '--more takes a number from 1 to 99: x'],
    [['--more', '1', '--plan', 'plan.json'], '--plan and --more cannot be combined'],
    [['--only-unpicked', '--plan', 'plan.json'], '--plan and --only-unpicked cannot be combined'],
  ])('refuses %j', async (words, message) => {
    const { venice } = album();
    expect(await venice('run', ...words)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(message),
    });
  });

  it('buys nothing if the picks cannot be read', async () => {
    const { cwd, make, records } = album();
    expect((await make()).code).toBe(0);
    writeFileSync(path.join(cwd, 'album.sandbox/album.picks.yaml'), 'picks: [\n');
    expect((await make('--more', '1', '--only-unpicked')).code).toBe(3);
    expect(records()).toHaveLength(2);
  });
});
