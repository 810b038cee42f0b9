import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from './in-process.js';
import { folder, writeManifest } from './program.js';

describe('a manifest that does not exist', () => {
  const commands = ['run', 'collect', 'status', 'verify', 'resolve', 'unlock', 'lock repair'];

  it.each(commands)('is reported by %s, which creates nothing', async (command) => {
    const cwd = folder();
    for (const name of ['nofile.yaml', 'nowhere/nofile.yaml'])
      for (const more of [[], ['--sandbox']]) {
        const ended = await run([...command.split(' '), name, ...more], cwd);
        expect(ended.code).toBe(3);
        expect(ended.stderr).toContain('error[manifest-missing]');
        expect(readdirSync(cwd)).toEqual([]);
      }
  });

  it.each(commands)('is reported by %s if it is a folder or standard input', async (command) => {
    const cwd = folder();
    const ofFolder = await run([...command.split(' '), '.', '--sandbox'], cwd);
    expect([ofFolder.code, ofFolder.stderr.includes('error[manifest-directory]')]).toEqual([3, true]);
    const ofInput = await run([...command.split(' '), '-', '--sandbox'], cwd);
    expect([ofInput.code, ofInput.stderr.includes('error[usage]')]).toEqual([2, true]);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('does not matter if there is a lockfile', async () => {
    const cwd = folder();
    const header = { kind: 'header' };
    writeFileSync(path.join(cwd, 'gone.lock.jsonl'), `${JSON.stringify(header)}\n`);
    const ended = await run(['status', 'gone.yaml'], cwd);
    expect(ended.stderr).not.toContain('manifest-missing');
  });
});

describe('a manifest that was never run', () => {
  const commands = ['status', 'verify', 'resolve', 'unlock', 'lock repair', 'collect'];

  it.each(commands)('leaves nothing for %s to do and gets no folder', async (command) => {
    const cwd = folder();
    writeManifest(cwd, 1);
    for (const more of [[], ['--sandbox']]) {
      const { code, stdout } = await run([...command.split(' '), 'album.yaml', ...more], cwd);
      expect([code, stdout === '']).toEqual([0, false]);
      expect(readdirSync(cwd)).toEqual(['album.yaml']);
    }
  });

  it('has no attempt to resolve and gets no folder', async () => {
    const cwd = folder();
    writeManifest(cwd, 1);
    const ended = await run(['resolve', 'album.yaml', 'abcdef', '--charged', '--sandbox'], cwd);
    expect([ended.code, readdirSync(cwd)]).toEqual([2, ['album.yaml']]);
  });
});

describe('a manifest of which only a sandbox run exists', () => {
  it.each([
    ['resolve', 'album.yaml'],
    ['release', 'album.yaml', '--to', 'release'],
    ['collect', 'album.yaml'],
    ['tidy', 'album.yaml'],
    ['tidy', 'album.yaml', '--dry-run'],
    ['accept', 'album.yaml', 'track-1'],
  ])('is the reason that %s finds nothing', async (...command) => {
    const cwd = folder();
    writeManifest(cwd, 1);
    mkdirSync(path.join(cwd, 'album.sandbox'));
    writeFileSync(path.join(cwd, 'album.sandbox', 'album.lock.jsonl'), '');
    const { stderr } = await run(command, cwd);
    expect(stderr).toContain(`: a sandbox run is in ${path.join(cwd, 'album.sandbox')}: `);
    expect(stderr).toContain(`: venice-batch ${command.join(' ')} --sandbox\n`);
    expect((await run([...command, '--sandbox'], cwd)).stderr).not.toContain('a sandbox run is in');
  });
});

describe('a file where a folder has to be', () => {
  it.each(['run', 'collect', 'plan', 'status', 'verify', 'resolve', 'unlock', 'lock repair'])(
    'is reported by %s, and not as a bug',
    async (command) => {
      const cwd = folder();
      writeManifest(cwd, 1);
      writeFileSync(path.join(cwd, 'album.sandbox'), '');
      const ended = await run([...command.split(' '), 'album.yaml', '--sandbox'], cwd);
      const nothingToDo = command === 'unlock' || command === 'lock repair';
      expect([ended.code === 0, ended.stderr.includes('error[')]).toEqual([nothingToDo, !nothingToDo]);
      expect(ended.stderr).not.toContain('error[unexpected]');
    },
  );

  it('is reported before anything is bought if it is in the place of the output folder', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    writeFileSync(path.join(cwd, 'mine'), '');
    const flags = ['--sandbox', '--yes', '--out-dir', 'mine/deep'];
    const ended = await run(['run', manifest, ...flags], cwd);
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/error\[storage\]: mine is a file/);
    expect(ended.stderr).toContain('venice-batch run album.yaml --yes --sandbox --out-dir mine/deep');
  });
});

describe('a run that is refused', () => {
  it('leaves no folder behind', async () => {
    const cwd = folder();
    writeManifest(cwd, 1, 'promt: x\n');
    expect((await run(['run', 'album.yaml', '--sandbox', '--yes'], cwd)).code).toBe(3);
    expect(readdirSync(cwd)).toEqual(['album.yaml']);
  });

  it('leaves no output folder behind', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    expect((await run(['run', manifest, '--sandbox'], cwd)).code).toBe(2);
    expect(readdirSync(cwd, { recursive: true })).not.toContain('album.sandbox/out');
  });
});

describe('a plan without any price', () => {
  it.each([
    ['plan', 'stdout'],
    ['run', 'stderr'],
  ] as const)('shows only the errors with %s', async (command, stream) => {
    const cwd = folder();
    writeManifest(cwd, 1, 'defaults: { speed: 1.5 }\n');
    const ended = await run([command, 'album.yaml', '--sandbox'], cwd);
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('error[speed-unsupported]');
    expect(ended.stdout + ended.stderr).not.toMatch(/TAKE +WHY|To buy/);
    expect(ended[stream]).toMatch(/(^|\n\n)No plan: nothing was priced\n$/);
  });
});

it('shows only the error if a name on the command line matches no track', async () => {
  const cwd = folder();
  writeManifest(cwd, 1);
  const ended = await run(['plan', 'album.yaml', '--sandbox', '--only', 'nobody'], cwd);
  expect([ended.code, ended.stdout]).toEqual([2, '']);
  expect(ended.stderr).toContain('error[unknown-track]');
});

describe('the document of --json', () => {
  const refusals: [string, number, ...string[]][] = [
    ['approval-needed', 2],
    ['usage', 2, '--budget', 'much'],
    ['plan-unreadable', 2, '--plan', 'nope.json'],
    ['over-budget', 5, '--budget', '0.01'],
    ['not-frozen', 10, '--frozen'],
    ['unknown-track', 2, '--only', 'nobody'],
    ['nothing-selected', 2, '--only', '*', '--except', '*'],
  ];

  it.each(refusals)('contains the error %s', async (code, exitCode, ...flags) => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    const ended = await run(['run', manifest, '--sandbox', '--json', ...flags], cwd);
    expect(ended.code).toBe(exitCode);
    const document = JSON.parse(ended.stdout) as {
      summary: { exit_code: number };
      diagnostics: { code: string }[];
    };
    expect(document.summary.exit_code).toBe(exitCode);
    expect(document.diagnostics.map((diagnostic) => diagnostic.code)).toEqual([code]);
  });

  it('cannot share stdout with events', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    const ended = await run(['run', manifest, '--sandbox', '--json', '--events', 'ndjson'], cwd);
    expect([ended.code, ended.stdout]).toEqual([2, '']);
    expect(ended.stderr).toContain('error[usage]');
  });
});

describe('the file of --suggestions', () => {
  it('stays as it is if nothing was suggested', async () => {
    const cwd = folder();
    const manifest = writeManifest(cwd, 1);
    const patch = path.join(cwd, 'mine.patch');
    const kept = 'diff --git a/album.yaml b/album.yaml\n--- a/album.yaml\n+++ b/album.yaml\n';
    writeFileSync(patch, kept);
    const flags = ['--sandbox', '--sandbox-speed', '1000', '--yes', '--suggestions', 'mine.patch'];
    expect((await run(['run', manifest, ...flags], cwd)).code).toBe(0);
    expect(readFileSync(patch, 'utf8')).toBe(kept);
  });
});

describe('the JUnit report of a run that was refused', () => {
  it.each([
    ['refused for its budget', 5, 'over-budget', ['--sandbox', '--yes', '--budget', '0.01']],
    ['started without a key', 4, 'no-key', ['--yes']],
    ['started with a missing plan', 2, 'plan-unreadable', ['--sandbox', '--plan', 'none.json']],
    ['given conflicting flags', 2, 'usage', ['--json', '--events', 'ndjson']],
  ])('has an error if the run was %s', async (_, code, type, words) => {
    const cwd = folder();
    writeManifest(cwd, 2);
    const env = { VENICE_BASE_URL: 'http://127.0.0.1:9/api/v1' };
    const ended = await run(['run', 'album.yaml', '--junit', 'junit.xml', ...words], cwd, env);
    expect(ended.code).toBe(code);
    const text = readFileSync(path.join(cwd, 'junit.xml'), 'utf8');
    expect(text).toContain('errors="1"');
    expect(text).toContain(`name="venice-batch" classname="venice-batch"><error type="${type}" message=`);
  });
});

describe('the next command', () => {
  const next = async (...words: string[]) => {
    const cwd = folder();
    writeManifest(cwd, 2);
    const { stdout, stderr } = await run(['run', 'album.yaml', '--sandbox', '--yes', ...words], cwd);
    return { next: /^Next\n {2}(.+)$/m.exec(stdout)?.[1], stderr };
  };

  it('never repeats a mistyped flag', async () => {
    const ended = await next('--only', 'nothing*');
    expect(ended.stderr).toContain('error[unknown-track]');
    expect(ended.next).toBeUndefined();
  });

  it('keeps the flags if only the key is missing', async () => {
    const cwd = folder();
    writeManifest(cwd, 1);
    const env = { VENICE_BASE_URL: 'http://127.0.0.1:9/api/v1' };
    const { code, stderr } = await run(['run', 'album.yaml', '--yes', '--retry-failed'], cwd, env);
    expect(code).toBe(4);
    expect(stderr.replace(/\s+/g, ' ')).toContain(
      'set VENICE_API_KEY and run: venice-batch run album.yaml --yes --retry-failed',
    );
  });

  it('keeps the flags of this run', async () => {
    const ended = await next('--retry-failed', '--force', 'track-0', '--budget', '0.01');
    expect(ended.next).toBe(
      'venice-batch run album.yaml --yes --budget 0.21 --retry-failed --force track-0 --sandbox',
    );
  });
});
