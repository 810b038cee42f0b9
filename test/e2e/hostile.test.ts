import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { wav } from '../storage/audio-bytes.js';
import {
  afterTheEffect,
  cutOff,
  endlessJson,
  first,
  hangUpAfterwards,
  html,
  json,
  only,
  redirect,
} from './hostile-server.js';
import { run as runProgram } from './in-process.js';
import type { Ended } from './launch.js';
import { audioFiles } from './program.js';
import { passOn, type Relay, startRelay, type Treat } from './relay.js';
import { edit, type Scene, scene } from './scene.js';
import { KEY } from './service.js';

const SECRET = 'VENICE-inference-key-7Qx0_T4+b/9w==';

interface Stage {
  readonly album: Scene;
  readonly relay: Relay;
  /** Runs a command through the relay, and searches all its output for the key. */
  run(verb: string, ...words: readonly string[]): Promise<Ended>;
}

/** An album of one track, and a service behind a hostile proxy. */
async function stage(treat: Treat = passOn): Promise<Stage> {
  const album = await scene({ prompts: { one: 'A door falls shut' } });
  const relay = await startRelay(album.service.url, treat, KEY);
  const run = async (verb: string, ...words: readonly string[]) => {
    const args = [
      verb,
      'album.yaml',
      ...(verb === 'run' ? ['--yes'] : []),
      ...words,
      '--base-url',
      relay.url,
    ];
    const ended = await runProgram(args, album.cwd, { VENICE_API_KEY: SECRET });
    expectNoKey(album.cwd, ended);
    return ended;
  };
  return { album, relay, run };
}

/** The key in any form in which a program might write it. */
const FORMS = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64').slice(0, 40)];

function expectNoKey(cwd: string, ended: Ended): void {
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const written = files.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
  for (const text of [...written, ended.stdout, ended.stderr])
    for (const form of FORMS) expect(text.includes(form)).toBe(false);
}

/** A stage with one job queued and not collected, of this length if it matters. */
async function inFlight(seconds?: number): Promise<Stage> {
  const set = await stage();
  if (seconds !== undefined)
    edit(path.join(set.album.cwd, 'album.yaml'), (text) =>
      text.replace('prompt:', `duration_seconds: ${seconds}, prompt:`),
    );
  expect((await set.run('run', '--detach')).code).toBe(11);
  return set;
}

const stateOf = ({ album }: Stage) => album.lock()[0]?.state;

describe('a service that misbehaves before anything is bought', () => {
  it.each<[string, Treat]>([
    ['a proxy that answers 502 to everything', html(502)],
    ['a page that answers 403 to everything', html(403)],
    ['a page with status 200', html(200)],
    ['JSON of something else', json(200, { hello: 'world' })],
    ['headers of a megabyte', html(200, { 'x-long': 'x'.repeat(1024 * 1024) })],
    ['an answer in an encoding that was not asked for', html(200, { 'content-encoding': 'gzip' })],
  ])('lets nothing be bought, and the run says why: %s', async (_, treat) => {
    const set = await stage(treat);
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(12);
    expect(ended.stderr).toMatch(/error\[service\]: could not fetch the models/);
    expect(set.relay.seen).not.toContain('POST /audio/queue');
    expect(await set.album.charges()).toBe(0);
  });

  it('may hide the balance from the key: the run buys and warns that the balance is unknown', async () => {
    const no = json(403, { error: 'This key may not see the balance' });
    const set = await stage(only('/billing/balance', no));
    const { treat } = set.relay;
    set.relay.treat = (passing) => (passing.path === '/api_keys/rate_limits' ? no(passing) : treat(passing));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('warning[balance-unknown]');
    expect(await set.album.charges()).toBe(1);
  });

  it('lets nothing be submitted if it refuses the key', async () => {
    const no = json(401, { error: 'Authentication failed' });
    const set = await stage(only('/billing/balance', no));
    const { treat } = set.relay;
    set.relay.treat = (passing) => (passing.path === '/api_keys/rate_limits' ? no(passing) : treat(passing));
    const ended = await set.run('run');
    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain('error[authentication]');
    expect(set.relay.seen).not.toContain('POST /audio/queue');
  });

  it('may be slow to quote: the balance is requested meanwhile', async () => {
    let asked = () => {};
    const balance = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const set = await stage(async (passing) => {
      if (passing.path === '/billing/balance') asked();
      if (passing.path === '/audio/quote') await balance;
      await passOn(passing);
    });
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
  });

  it('is read only up to a limit if its JSON never ends', async () => {
    const sent = { bytes: 0 };
    const set = await stage(endlessJson(sent));
    const ended = await set.run('run');
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/more than \d+ bytes/);
    // 8 MiB for the models, tried four times, plus buffers.
    expect(sent.bytes).toBeLessThan(100 * 1024 * 1024);
  });

  it('is not followed to another host, which never gets the key', async () => {
    const thief = await startRelay('http://127.0.0.1:9');
    const set = await stage(redirect(308, thief.url));
    const ended = await set.run('run');
    expect(ended.code).toBe(12);
    expect(ended.stderr).toContain('redirect');
    expect(thief.seen).toEqual([]);
  });
});

describe('a price that is refused', () => {
  it('because of its model leaves out only the takes of that model', async () => {
    const set = await stage(async (passing) => {
      if (passing.path === '/audio/quote' && passing.body.includes('mmaudio'))
        return json(403, { error: 'This model is not allowed for your API key' })(passing);
      await passOn(passing);
    });
    edit(
      path.join(set.album.cwd, 'album.yaml'),
      (text) => `${text}  - { id: two, model: mmaudio-v2-text-to-audio, prompt: Rain on a tin roof }\n`,
    );
    const ended = await set.run('run', '--json');
    expect(ended.code, ended.stderr).toBe(4);
    expect(ended.stderr).toContain('warning[model-refused]');
    expect(ended.stderr).toMatch(/run album\.yaml .*--except two/);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      takes: [{ key: 'one', state: 'done' }],
      summary: { total: 2, done: 1, not_bought: 1 },
    });
    expect(await set.album.charges()).toBe(1);
  });
});

describe('an ambiguous response to a submit', () => {
  it.each<[string, Treat]>([
    ['a 502', html(502)],
    ['a 403 that is a page', html(403)],
    ['a page with status 200', html(200)],
    ['a 200 without an id', json(200, { status: 'QUEUED' })],
    ['an invalid id', json(200, { queue_id: '\u001b[2J\u0007', model: 'x' })],
    ['an id of many lines', json(200, { queue_id: 'a\nb' })],
    ['an id with bidi controls', json(200, { queue_id: 'abc\u202edef' })],
    ['headers of a megabyte', html(200, { 'x-long': 'x'.repeat(1024 * 1024) })],
    ['an encoding that was not asked for', html(200, { 'content-encoding': 'br' })],
  ])('leaves the attempt in doubt, submitted once: %s', async (_, treat) => {
    const set = await stage(only('/audio/queue', afterTheEffect(treat)));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(8);
    expect(stateOf(set)).toBe('in_doubt');
    expect(set.relay.seen.filter((request) => request === 'POST /audio/queue')).toHaveLength(1);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/[\u001b\u0007\u202e]/);
    expect((await set.run('run')).code).toBe(8);
    expect(await set.album.charges()).toBe(1);
  });

  it('leaves the attempt in doubt and has its id shown if it is a 202 with an id', async () => {
    const set = await stage(
      only('/audio/queue', afterTheEffect(json(202, { queue_id: 'job-17', model: 'x' }))),
    );
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(8);
    const [line] = set.album.lock();
    expect(line).toMatchObject({ state: 'in_doubt' });
    expect(line).not.toHaveProperty('queue_id');
    expect(ended.stderr).toContain(`resolve album.yaml ${String(line?.attempt)} --queue-id job-17`);
  });

  it('leaves the attempt in doubt and is not followed if it is a redirect', async () => {
    const thief = await startRelay('http://127.0.0.1:9');
    const set = await stage(only('/audio/queue', redirect(307, thief.url)));
    expect((await set.run('run')).code).toBe(8);
    expect(stateOf(set)).toBe('in_doubt');
    expect(thief.seen).toEqual([]);
  });

  it('leaves the attempt in doubt and is read up to a limit if its JSON never ends', async () => {
    const sent = { bytes: 0 };
    const set = await stage(only('/audio/queue', afterTheEffect(endlessJson(sent))));
    expect((await set.run('run')).code).toBe(8);
    expect(sent.bytes).toBeLessThan(16 * 1024 * 1024);
  });
});

describe('an obstacle to collecting', () => {
  it.each<[string, Treat]>([
    ['a proxy that answers 502 to everything', html(502)],
    ['a page that answers 403 to everything', html(403)],
    ['a page with status 200', html(200)],
    ['a redirect', redirect(302, 'http://127.0.0.1:9')],
    ['JSON of something else', json(200, { hello: 'world' })],
  ])('loses nothing, and a later run collects: %s', async (_, treat) => {
    const set = await inFlight();
    set.relay.treat = treat;
    const ended = await set.run('run', '--timeout', '0.05');
    expect([11, 12]).toContain(ended.code);
    expect(stateOf(set)).toBe('queued');
    set.relay.treat = passOn;
    expect((await set.run('run')).code).toBe(0);
    expect(await set.album.charges()).toBe(1);
  });

  it('such as one stray 404 is retried, and the job is collected', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', first(1, json(404, { error: 'Media could not be found' })));
    expect((await set.run('run')).code).toBe(0);
    expect(audioFiles(set.album.cwd)).toHaveLength(1);
  });

  it('such as another key, which cannot see the job, never makes a job count as lost', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', json(404, { error: 'Media could not be found' }));
    const args = ['run', 'album.yaml', '--yes', '--progress', 'plain', '--base-url', set.relay.url];
    const other = await runProgram(args, set.album.cwd, { VENICE_API_KEY: 'another-key' });
    expect(other.code).toBe(11);
    expect(other.stderr).toContain('submitted under another API key');
    expect(stateOf(set)).toBe('queued');
    set.relay.treat = passOn;
    expect((await set.run('run')).code).toBe(0);
  });

  it('such as connections closed after each response leaves nothing in doubt', async () => {
    const set = await stage(hangUpAfterwards);
    expect((await set.run('run')).code).toBe(0);
    expect(await set.album.charges()).toBe(1);
  });

  it('such as a refusal that quotes the key is shown without the key', async () => {
    const set = await stage(json(401, { error: `Invalid API key: ${SECRET}` }));
    const ended = await set.run('run', '--debug', '--progress', 'plain');
    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain('Invalid API key: [redacted]');
  });

  it('such as text with control sequences is shown without them', async () => {
    const error = '\u001b]0;owned\u0007\u001b[2J\u202eoops\r\n\u009b31m';
    const set = await stage(only('/audio/queue', json(422, { error, suggested_prompt: error })));
    const ended = await set.run('run', '--progress', 'plain', '--debug');
    expect(ended.code).toBe(100);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/[\u001b\u0007\u009b\u202e\r]/);
    expect(ended.stderr).toContain('oops');
    const reported = await set.run('run', '--json', '--retry-failed');
    expect(reported.stdout).not.toMatch(/[\u001b\u0007\u009b\r]/);
  });
});

describe('suspicious audio', () => {
  it('that is a web page is kept aside, not deleted remotely, and downloaded again', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', html(200, { 'content-type': 'audio/wav' }));
    const ended = await set.run('run');
    expect(ended.code).toBe(100);
    expect(stateOf(set)).toBe('unverified');
    expect(set.relay.seen).not.toContain('POST /audio/complete');
    expect(readdirSync(path.join(set.album.cwd, 'out')).join()).toMatch(/\.unverified$/);
    set.relay.treat = passOn;
    expect((await set.run('run')).code).toBe(0);
    expect(audioFiles(set.album.cwd)).toHaveLength(1);
    expect(await set.album.charges()).toBe(1);
  });

  it('that was cut without an error is downloaded again before the remote copy is deleted', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', first(1, cutOff(0.5)));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    const asked = set.relay.seen.filter((request) => request === 'POST /audio/retrieve');
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(await whole(set)).toBe(true);
  });

  it('without an end mark is downloaded twice and compared', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', cutOff(1));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    const asked = set.relay.seen.filter((request) => request === 'POST /audio/retrieve');
    expect(asked).toHaveLength(2);
    expect(await whole(set)).toBe(true);
  });

  it('that is shorter than requested is downloaded again, and the complete file is kept', async () => {
    const set = await inFlight(10);
    set.relay.treat = only('/audio/retrieve', first(1, audio(5)));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain('were asked for');
    expect(secondsOf(set)).toBeCloseTo(10, 1);
  });

  it('that is shorter than requested twice in the same way is kept, with a warning', async () => {
    const set = await inFlight(10);
    set.relay.treat = only('/audio/retrieve', audio(5));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(set.relay.seen.filter((request) => request === 'POST /audio/retrieve')).toHaveLength(2);
    expect(ended.stderr).toContain('one is 5 s long; 10 s were requested');
    expect(secondsOf(set)).toBeCloseTo(5, 1);
  });

  it('that is shorter than requested and different each time is kept after the second download', async () => {
    const set = await inFlight(10);
    let asked = 0;
    const anew: Treat = (exchange) => {
      asked += 1;
      const body = wav(5);
      body.writeInt16LE(asked, 100);
      return exchange.answer({ status: 200, headers: { 'content-type': 'audio/wav' }, body });
    };
    set.relay.treat = only('/audio/retrieve', anew);
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(asked).toBe(2);
    expect(stateOf(set)).toBe('done');
  });

  it('that is always cut never counts as complete and is never deleted remotely', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', cutOff(0.5));
    const ended = await set.run('run');
    expect(ended.code).toBe(100);
    expect(stateOf(set)).toBe('unverified');
    expect(set.relay.seen).not.toContain('POST /audio/complete');
    set.relay.treat = passOn;
    expect((await set.run('run')).code).toBe(0);
    expect(await whole(set)).toBe(true);
  });

  function audio(seconds: number): Treat {
    return ({ answer }) =>
      answer({ status: 200, headers: { 'content-type': 'audio/wav' }, body: wav(seconds) });
  }

  function secondsOf({ album }: Stage): number {
    const [file = ''] = audioFiles(album.cwd);
    const bytes = readFileSync(path.join(album.cwd, file));
    return (bytes.byteLength - 44) / bytes.readUInt32LE(28);
  }

  /** The declared length of a WAV file. */
  async function whole({ album }: Stage): Promise<boolean> {
    const [file = ''] = audioFiles(album.cwd);
    const bytes = readFileSync(path.join(album.cwd, file));
    return bytes.readUInt32LE(4) + 8 === bytes.byteLength;
  }
});
