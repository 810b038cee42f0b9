import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeAlbum } from './album.js';
import { json, only } from './hostile-server.js';
import { CLI, launch } from './launch.js';
import { afterTests, folder } from './program.js';
import { startRelay } from './relay.js';
import { edit, scene } from './scene.js';
import { KEY } from './service.js';
import { atTerminal } from './terminal.js';

interface Summary {
  readonly exit_code: number;
  readonly next_command: string | null;
}

describe('a price far below the declared one', () => {
  async function stage(quote: number) {
    const album = await scene({});
    const relay = await startRelay(album.service.url, only('/audio/quote', json(200, { quote })), KEY);
    const run = async (verb: string, ...words: readonly string[]) => {
      const args = [verb, 'album.yaml', ...words, '--base-url', relay.url, '--json'] as const;
      const ended = await launch([process.execPath, CLI, ...args], album.cwd, album.service.env).ended;
      return { ...ended, summary: (JSON.parse(ended.stdout) as { summary: Summary }).summary };
    };
    return { album, run };
  }

  it.each([0, 0.0001])('of $%s is paid only if it is accepted', async (quote) => {
    const { album, run } = await stage(quote);
    const refused = await run('run', '--yes', '--budget', '0.01');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('error[price-unconfirmed]');
    expect(refused.stderr).toContain('warning[price-suspicious]');
    expect(await album.charges()).toBe(0);
    expect(refused.summary.next_command).toMatch(/^venice-batch run album.yaml --yes --accept-price /);
    expect((await run('run', '--yes', '--budget', '0.01', '--accept-price')).code).toBe(0);
    expect(await album.charges()).toBe(2);
  });

  it('is not paid by a saved plan alone', async () => {
    const { album, run } = await stage(0);
    expect((await run('plan', '--out', 'plan.json')).code).toBe(0);
    const refused = await run('run', '--plan', 'plan.json');
    expect(refused.code).toBe(2);
    expect(refused.summary.next_command).toMatch(/--plan plan.json --accept-price /);
    expect(await album.charges()).toBe(0);
  });
});

describe('the question for approval', () => {
  const QUESTION = /anything else cancels: ?/;

  function stage(tracks = 1, more = '') {
    const cwd = folder();
    writeAlbum(
      cwd,
      Array.from({ length: tracks }, (_, at) => [`t${at}`, 'Solo piano, slow', more] as const),
    );
    edit(path.join(cwd, 'album.yaml'), (text) => text.replace('budget: 20', 'budget: 99'));
    return cwd;
  }

  it.each(['yes\n', 'yes'])('is not answered by %j typed before it appears', async (early) => {
    const cwd = stage();
    // A real terminal, whose line discipline keeps typed text until it is read.
    const line = `${process.execPath} ${CLI} run album.yaml --sandbox`;
    const script =
      process.platform === 'darwin'
        ? (['script', '-q', '/dev/null', 'sh', '-c', line] as const)
        : (['script', '-qec', line, path.join(cwd, 'typescript')] as const);
    const started = launch(script, cwd, {}, { typed: true });
    afterTests(started.kill);
    started.child.stdin!.write(early);
    await started.seen(QUESTION);
    started.child.stdin!.write('\n');
    const { stdout, code } = await started.ended;
    expect(stdout).toContain('not-approved');
    expect(code).toBe(2);
  });

  it('asks for the total itself if it is large', async () => {
    const cwd = stage(15, ', model: elevenlabs-music, duration_seconds: 120');
    const asked = atTerminal(['run', 'album.yaml', '--sandbox'], cwd, 100);
    expect(await asked.seen(/Type the total, \d+\.\d\d, to buy/)).toContain('20.70');
    asked.type('yes\n');
    expect(await asked.ended).toBe(2);
  });

  it('names one next command, with the flags of this run, if it is declined', async () => {
    const cwd = stage();
    const asked = atTerminal(['run', 'album.yaml', '--sandbox', '--retry-failed'], cwd, 100);
    await asked.seen(QUESTION);
    asked.type('');
    expect(await asked.ended).toBe(2);
    const { lines } = await asked.screen();
    const reported = lines.flatMap((one) => /venice-batch .*/.exec(one)?.[0] ?? []);
    expect([...new Set(reported)]).toEqual(['venice-batch run album.yaml --retry-failed --sandbox']);
  });
});
