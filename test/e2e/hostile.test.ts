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
import { type Ended, launchProgram } from './launch.js';
import { audioFiles } from './program.js';
import { passOn, type Relay, startRelay, type Treat } from './relay.js';
import { edit, type Scene, scene } from './scene.js';
import { KEY } from './service.js';

const SECRET = 'VENICE-inference-key-7Qx0_T4+b/9w==';

interface Stage {
  readonly album: Scene;
  readonly relay: Relay;
  /** Runs a command through the relay, and looks for the key in everything that came of it. */
  run(verb: string, ...words: readonly string[]): Promise<Ended>;
}

/** An album of one track, and a service behind something that does not mean well. */
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
    const ended = await launchProgram(args, album.cwd, { VENICE_API_KEY: SECRET }).ended;
    expectNoKey(album.cwd, ended);
    return ended;
  };
  return { album, relay, run };
}

/** The key in any form that a program might write it in. */
const FORMS = [SECRET, encodeURIComponent(SECRET), Buffer.from(SECRET).toString('base64').slice(0, 40)];

function expectNoKey(cwd: string, ended: Ended): void {
  const files = readdirSync(cwd, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const written = files.map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'latin1'));
  for (const text of [...written, ended.stdout, ended.stderr])
    for (const form of FORMS) expect(text.includes(form)).toBe(false);
}

/** A stage with one job queued and not collected, of so many seconds where that matters. */
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

describe.concurrent('before anything is bought', () => {
  it.each<[string, Treat]>([
    ['a proxy that answers 502 to everything', html(502)],
    ['a page that answers 403 to everything', html(403)],
    ['a page with status 200', html(200)],
    ['JSON of something else', json(200, { hello: 'world' })],
    ['headers of a megabyte', html(200, { 'x-long': 'x'.repeat(1024 * 1024) })],
    ['an answer in an encoding that was not asked for', html(200, { 'content-encoding': 'gzip' })],
  ])('%s: nothing is bought, and the run says why', async (_, treat) => {
    const set = await stage(treat);
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(12);
    expect(ended.stderr).toMatch(/error\[service\]: could not fetch the models/);
    expect(set.relay.seen).not.toContain('POST /audio/queue');
    expect(await set.album.charges()).toBe(0);
  });

  it('a key that may not see the balance: buys all the same, and says what is not known', async () => {
    const no = json(403, { error: 'This key may not see the balance' });
    const set = await stage(only('/billing/balance', no));
    const { treat } = set.relay;
    set.relay.treat = (passing) => (passing.path === '/api_keys/rate_limits' ? no(passing) : treat(passing));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain('warning[balance-unknown]');
    expect(await set.album.charges()).toBe(1);
  });

  it('a key that is refused by all that needs one: nothing is submitted', async () => {
    const no = json(401, { error: 'Authentication failed' });
    const set = await stage(only('/billing/balance', no));
    const { treat } = set.relay;
    set.relay.treat = (passing) => (passing.path === '/api_keys/rate_limits' ? no(passing) : treat(passing));
    const ended = await set.run('run');
    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain('error[authentication]');
    expect(set.relay.seen).not.toContain('POST /audio/queue');
  });

  it('a price that takes its time: the balance is asked for meanwhile', async () => {
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

  it('JSON without an end: read up to a limit', async () => {
    const sent = { bytes: 0 };
    const set = await stage(endlessJson(sent));
    const ended = await set.run('run');
    expect(ended.code).toBe(12);
    expect(ended.stderr).toMatch(/more than \d+ bytes/);
    // 8 MiB for the models, tried four times, and what fits into the buffers between.
    expect(sent.bytes).toBeLessThan(100 * 1024 * 1024);
  });

  it('a redirect: not followed, and the key goes nowhere else', async () => {
    const thief = await startRelay('http://127.0.0.1:9');
    const set = await stage(redirect(308, thief.url));
    const ended = await set.run('run');
    expect(ended.code).toBe(12);
    expect(ended.stderr).toContain('redirect');
    expect(thief.seen).toEqual([]);
  });
});

describe.concurrent('an answer to the submit that says nothing certain', () => {
  it.each<[string, Treat]>([
    ['a 502', html(502)],
    ['a 403 that is a page', html(403)],
    ['a page with status 200', html(200)],
    ['a 200 without an id', json(200, { status: 'QUEUED' })],
    ['an id that is none', json(200, { queue_id: '\u001b[2J\u0007', model: 'x' })],
    ['an id of many lines', json(200, { queue_id: 'a\nb' })],
    ['an id that reads backwards', json(200, { queue_id: 'abc\u202edef' })],
    ['headers of a megabyte', html(200, { 'x-long': 'x'.repeat(1024 * 1024) })],
    ['an encoding that was not asked for', html(200, { 'content-encoding': 'br' })],
  ])('%s: in doubt, sent once', async (_, treat) => {
    const set = await stage(only('/audio/queue', afterTheEffect(treat)));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(8);
    expect(stateOf(set)).toBe('in_doubt');
    expect(set.relay.seen.filter((request) => request === 'POST /audio/queue')).toHaveLength(1);
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/[\u001b\u0007\u202e]/);
    expect((await set.run('run')).code).toBe(8);
    expect(await set.album.charges()).toBe(1);
  });

  it('a 202 with an id: in doubt, and the id is shown to whoever may know', async () => {
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

  it('a redirect: in doubt, and posted nowhere else', async () => {
    const thief = await startRelay('http://127.0.0.1:9');
    const set = await stage(only('/audio/queue', redirect(307, thief.url)));
    expect((await set.run('run')).code).toBe(8);
    expect(stateOf(set)).toBe('in_doubt');
    expect(thief.seen).toEqual([]);
  });

  it('JSON without an end: in doubt, read up to a limit', async () => {
    const sent = { bytes: 0 };
    const set = await stage(only('/audio/queue', afterTheEffect(endlessJson(sent))));
    expect((await set.run('run')).code).toBe(8);
    expect(sent.bytes).toBeLessThan(16 * 1024 * 1024);
  });
});

describe.concurrent('what stands in the way of collecting', () => {
  it.each<[string, Treat]>([
    ['a proxy that answers 502 to everything', html(502)],
    ['a page that answers 403 to everything', html(403)],
    ['a page with status 200', html(200)],
    ['a redirect', redirect(302, 'http://127.0.0.1:9')],
    ['JSON of something else', json(200, { hello: 'world' })],
  ])('%s: nothing is lost, and a later run collects', async (_, treat) => {
    const set = await inFlight();
    set.relay.treat = treat;
    const ended = await set.run('run', '--timeout', '0.05');
    expect([11, 12]).toContain(ended.code);
    expect(stateOf(set)).toBe('queued');
    set.relay.treat = passOn;
    expect((await set.run('run')).code).toBe(0);
    expect(await set.album.charges()).toBe(1);
  });

  it('one stray 404: asked again, and collected', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', first(1, json(404, { error: 'Media could not be found' })));
    expect((await set.run('run')).code).toBe(0);
    expect(audioFiles(set.album.cwd)).toHaveLength(1);
  });

  it('another key, which cannot see the job: nothing is concluded from any number of 404s', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', json(404, { error: 'Media could not be found' }));
    const args = ['run', 'album.yaml', '--yes', '--progress', 'plain', '--base-url', set.relay.url];
    const other = await launchProgram(args, set.album.cwd, { VENICE_API_KEY: 'another-key' }).ended;
    expect(other.code).toBe(11);
    expect(other.stderr).toContain('submitted under another API key');
    expect(stateOf(set)).toBe('queued');
    set.relay.treat = passOn;
    expect((await set.run('run')).code).toBe(0);
  });

  it('connections that the service closes after each answer: nothing is in doubt', async () => {
    const set = await stage(hangUpAfterwards);
    expect((await set.run('run')).code).toBe(0);
    expect(await set.album.charges()).toBe(1);
  });

  it('a key that the service names in its refusal: taken out of what is told', async () => {
    const set = await stage(json(401, { error: `Invalid API key: ${SECRET}` }));
    const ended = await set.run('run', '--debug', '--progress', 'plain');
    expect(ended.code).toBe(4);
    expect(ended.stderr).toContain('Invalid API key: [redacted]');
  });

  it('text that moves the cursor and colours the screen: shown, not obeyed', async () => {
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

describe.concurrent('audio that is not what it seems', () => {
  it('a page under the type of audio: kept aside, not deleted there, and fetched again', async () => {
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

  it('cut without an error: noticed, and fetched again before it is deleted there', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', first(1, cutOff(0.5)));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    const asked = set.relay.seen.filter((request) => request === 'POST /audio/retrieve');
    expect(asked.length).toBeGreaterThanOrEqual(2);
    expect(await whole(set)).toBe(true);
  });

  it('whole, but with no mark of its end: fetched twice, and alike', async () => {
    const set = await inFlight();
    set.relay.treat = only('/audio/retrieve', cutOff(1));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    const asked = set.relay.seen.filter((request) => request === 'POST /audio/retrieve');
    expect(asked).toHaveLength(2);
    expect(await whole(set)).toBe(true);
  });

  it('shorter than asked for: fetched again, and the whole one is kept', async () => {
    const set = await inFlight(10);
    set.relay.treat = only('/audio/retrieve', first(1, audio(5)));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).not.toContain('were asked for');
    expect(secondsOf(set)).toBeCloseTo(10, 1);
  });

  it('shorter than asked for, twice alike: that is how it was made, and told', async () => {
    const set = await inFlight(10);
    set.relay.treat = only('/audio/retrieve', audio(5));
    const ended = await set.run('run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(set.relay.seen.filter((request) => request === 'POST /audio/retrieve')).toHaveLength(2);
    expect(ended.stderr).toContain('one is 5 s long; 10 s were requested');
    expect(secondsOf(set)).toBeCloseTo(5, 1);
  });

  it('shorter than asked for, and made anew for each request: taken at the second time', async () => {
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

  it('always cut: never taken for whole, and never deleted there', async () => {
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

  /** A WAV file says how long it is. */
  async function whole({ album }: Stage): Promise<boolean> {
    const [file = ''] = audioFiles(album.cwd);
    const bytes = readFileSync(path.join(album.cwd, file));
    return bytes.readUInt32LE(4) + 8 === bytes.byteLength;
  }
});
