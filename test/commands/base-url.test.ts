import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../src/commands/main.js';

const URLS = [
  'https://anna:hunter2-pass@api.example/v1',
  'https://anna:hunter2-pass/with@api.example/v1',
  'anna:hunter2-pass@api.example',
  'https://api.example/v1?token=hunter2-pass',
  'https://api.example/v1#hunter2-pass',
];

describe('an address that holds a secret', () => {
  let cwd = '';
  let reported = '';
  let printed = '';
  beforeEach(() => {
    cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
    writeFileSync(
      path.join(cwd, 'album.yaml'),
      'version: 1\nbudget: 1\ntracks:\n  - { id: one, model: elevenlabs-sound-effects-v2, prompt: Rain }\n',
    );
    // Does not depend on the host: refused commands name the command that unblocks them.
    writeFileSync(path.join(cwd, 'album.lock.jsonl.guard'), '');
    writeFileSync(path.join(cwd, 'album.lock.jsonl'), '{}\n');
    printed = '';
    reported = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      reported += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    for (const stream of [process.stdout, process.stderr]) stream.removeAllListeners('error');
    rmSync(cwd, { recursive: true, force: true });
  });

  const manifest = () => path.join(cwd, 'album.yaml');
  const COMMANDS = [
    ['run', '--yes', '--events', 'ndjson'],
    ['run', '--yes', '--json'],
    ['run', '--yes', '--only', '', '--events', 'ndjson'],
    ['collect', '--events', 'ndjson'],
    ['plan', '--json'],
    ['config', '--json'],
    ['validate', '--live'],
    ['status', '--json'],
    ['verify', '--json'],
    ['unlock', '--json'],
    ['resolve', 'abcdef', '--charged', '--json'],
    ['lock repair', '--json'],
  ];

  it.each(COMMANDS.map((command) => [command] as const))(
    'does not show it anywhere: %j',
    async ([verb = '', ...words]) => {
      const junit = path.join(cwd, 'junit.xml');
      const more = verb === 'run' ? ['--junit', junit] : [];
      for (const url of URLS) {
        const line = [...verb.split(' '), manifest(), ...words, ...more];
        await main([...line, '--base-url', url]);
        await main([...line, `--base-url=${url}`]);
        vi.stubEnv('VENICE_BASE_URL', url);
        await main(line);
        vi.unstubAllEnvs();
      }
      expect(printed + reported).not.toBe('');
      expect(printed + reported).not.toContain('hunter2');
      if (verb === 'run') expect(readFileSync(junit, 'utf8')).not.toContain('hunter2');
    },
  );

  it('appears as its host in the first event, and the run still reports what is wrong with it', async () => {
    expect(await main(['run', manifest(), '--events', 'ndjson', '--base-url', URLS[0]!])).toBe(2);
    const [first] = printed.split('\n');
    expect(JSON.parse(first!)).toMatchObject({ type: 'version', endpoint: 'https://api.example' });
    expect(reported).toContain('the base URL contains credentials');
  });
});
