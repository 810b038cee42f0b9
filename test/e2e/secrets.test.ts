import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, only } from './hostile-server.js';
import { run as runProgram } from './in-process.js';
import type { Ended } from './launch.js';
import { folder } from './program.js';
import { passOn, startRelay, type Treat } from './relay.js';
import { scene, writePrompts } from './scene.js';
import { KEY } from './service.js';

/** Made of characters that XML, Markdown, JSON, URLs and shells escape in different ways. */
const SECRET = 'VENICE_key<7Qx0>&"T4|b*9\\w%2F==';

/** Not even its beginning: text is cut where space is short. */
const START = SECRET.slice(0, 10);

const FORMS = [
  START,
  START.replaceAll('_', '\\_'),
  START.replaceAll('<', '&lt;'),
  encodeURIComponent(START),
  Buffer.from(SECRET).toString('base64').slice(0, 12),
];

/** Everything that the program printed or wrote, by place. */
function reportedBy(cwd: string, { stdout, stderr }: Ended): Map<string, string> {
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const written = files.map(
    ({ parentPath, name }) => [name, readFileSync(path.join(parentPath, name), 'latin1')] as const,
  );
  return new Map([...written, ['stdout', stdout], ['stderr', stderr]]);
}

function whereTheKeyIs(reported: ReadonlyMap<string, string>): string[] {
  return [...reported].filter(([, text]) => FORMS.some((form) => text.includes(form))).map(([name]) => name);
}

/** Echoes the key in each error text, at several places in case it is cut. */
const echo: Treat = (passing) => {
  const shown = `Authorization: ${passing.headers.authorization}`;
  passing.answer({
    status: 422,
    headers: { 'content-type': 'application/json', 'x-venice-echo': shown, location: shown },
    body: JSON.stringify({
      error: `${'x'.repeat(270)} ${shown} ${shown}`,
      code: shown,
      suggested_prompt: `Rain. ${shown}`,
      details: { _errors: [shown] },
    }),
  });
};

async function stage(treat: Treat) {
  const { cwd, service } = await scene({ prompts: { one: 'A door falls shut' } });
  const relay = await startRelay(service.url, treat, KEY);
  const run = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const ended = await runProgram([...args, '--base-url', relay.url], cwd, {
      VENICE_API_KEY: SECRET,
      ...env,
    });
    return { ...ended, reported: reportedBy(cwd, ended) };
  };
  return { cwd, run, relay };
}

describe('a key that the service echoes', () => {
  const reports = ['--junit', 'junit.xml', '--suggestions', 'prompts.patch', '--debug'];

  it.each([
    ['the last screen', ['--progress', 'plain']],
    ['the live view', ['--progress', 'tty']],
    ['--events ndjson', ['--events', 'ndjson']],
    ['--json', ['--json']],
  ])('is in no output of a run: %s', async (_, how) => {
    const { cwd, run } = await stage(only('/audio/queue', echo));
    const summary = path.join(cwd, 'summary.md');
    const { code, reported } = await run(['run', 'album.yaml', '--yes', ...how, ...reports], {
      GITHUB_ACTIONS: 'true',
      GITHUB_STEP_SUMMARY: summary,
    });
    expect(code).toBe(100);
    for (const name of ['stderr', 'stdout', 'junit.xml', 'summary.md', 'prompts.patch', 'album.lock.jsonl'])
      expect(reported.get(name), name).not.toBe('');
    expect(reported.get('junit.xml')).toContain('[redacted]');
    expect(reported.get('prompts.patch')).toContain('[redacted]');
    expect(whereTheKeyIs(reported)).toEqual([]);
  });

  it.each([
    ['run', '/models'],
    ['run', '/audio/quote'],
    ['run', '/billing/balance'],
    ['plan', '/models'],
    ['plan', '/audio/quote'],
    ['validate', '/models'],
    ['models', '/models'],
  ])('is in no output of %s about %s', async (verb, at) => {
    const { run } = await stage(only(at, echo));
    const words = { run: ['--yes', ...reports], plan: ['--debug'], validate: ['--live'], models: [] };
    const args = [verb, ...(verb === 'models' ? [] : ['album.yaml']), ...words[verb as keyof typeof words]];
    const { stderr, reported } = await run(args);
    expect(stderr).toMatch(/\[redacted\]|could not fetch/);
    expect(whereTheKeyIs(reported)).toEqual([]);
    expect(whereTheKeyIs((await run([...args, '--json'])).reported)).toEqual([]);
  });

  it('is nowhere if it comes from a file', async () => {
    const { run } = await stage(only('/models', echo));
    const file = path.join(folder(), 'key.env');
    writeFileSync(file, `VENICE_API_KEY='${SECRET}'\n`);
    for (const [verb, ...words] of [['models'], ['plan', 'album.yaml']] as const) {
      const { stderr, reported } = await run([verb, ...words, '--env-file', file], { VENICE_API_KEY: '' });
      expect(stderr).toContain('[redacted]');
      expect(whereTheKeyIs(reported)).toEqual([]);
    }
  });

  it('is nowhere if a failed job or a charge echoes it', async () => {
    const { cwd, run, relay } = await stage(passOn);
    expect((await run(['run', 'album.yaml', '--yes', '--detach'])).code).toBe(11);
    relay.treat = only('/audio/retrieve', (passing) =>
      json(200, { status: 'FAILED', error: { code: 'X', message: `not ${passing.headers.authorization}` } })(
        passing,
      ),
    );
    const { reported } = await run(['collect', 'album.yaml', ...reports]);
    expect(whereTheKeyIs(reported)).toEqual([]);
    writePrompts(cwd, { one: 'A door falls shut', two: 'Rain on a tin roof' });
    relay.treat = only('/audio/queue', ({ response }) => {
      response.destroy();
    });
    expect((await run(['run', 'album.yaml', '--yes'])).code).toBe(8);
    relay.treat = only('/billing/usage-history', echo);
    for (const more of [[], ['--json'], ['--debug']])
      expect(whereTheKeyIs((await run(['resolve', 'album.yaml', ...more])).reported)).toEqual([]);
  });
});

describe('a manifest that would send a secret to the service', () => {
  it.each([
    ['the key', SECRET],
    ['a key of someone else', 'VENICE_INFERENCE_KEY_somebodyElses'],
  ])('is refused before any request: %s', async (_, secret) => {
    const { cwd, run, relay } = await stage(passOn);
    writePrompts(cwd, { one: `A door falls shut ${secret}`, two: 'Rain on a tin roof' });
    for (const words of [
      ['validate', 'album.yaml', '--live'],
      ['plan', 'album.yaml'],
      ['run', 'album.yaml', '--yes'],
    ]) {
      const { code, stderr } = await run(words);
      expect(code).toBe(3);
      expect(stderr).toContain('error[secret-in-request]: `prompt` contains an API key or another secret');
      expect(stderr).toContain('[redacted]');
      expect(stderr).not.toContain(secret);
    }
    expect(relay.seen.filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  it('is not refused for the word that stands in for a key', async () => {
    const { cwd, run } = await stage(passOn);
    writePrompts(cwd, { one: 'A placeholder falls over', two: 'Rain on a tin roof' });
    const { code, stderr } = await run(['validate', 'album.yaml'], { VENICE_API_KEY: 'placeholder' });
    expect(code, stderr).toBe(0);
  });

  it('is refused if the secret is in a lyrics file', async () => {
    const { cwd, run, relay } = await stage(passOn);
    writeFileSync(path.join(cwd, 'song.txt'), `la la ${SECRET}\n`);
    const manifest =
      'version: 1\nbudget: 5\ntracks:\n  - { id: a, model: minimax-music-v2, prompt: A song, lyrics_file: song.txt }\n';
    writeFileSync(path.join(cwd, 'album.yaml'), manifest);
    const { code, stderr } = await run(['run', 'album.yaml', '--yes']);
    expect(code).toBe(3);
    expect(stderr).toContain('error[secret-in-request]: the lyrics contain an API key or another secret');
    expect(relay.seen.filter((request) => request.startsWith('POST'))).toEqual([]);
  });
});
