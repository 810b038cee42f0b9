import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { html, json, only } from './hostile-server.js';
import { run as runProgram } from './in-process.js';
import type { Ended } from './launch.js';
import { audioFiles } from './program.js';
import { passOn, type Relay, startRelay, type Treat } from './relay.js';
import { type Scene, scene } from './scene.js';
import { KEY } from './service.js';

interface Stage {
  readonly album: Scene;
  readonly relay: Relay;
  run(verb: string, ...words: readonly string[]): Promise<Ended>;
  /** The command named at the end of the last screen. */
  next(ended: Ended): readonly string[] | undefined;
}

/** `one` and `two` are made, through a relay that can change responses from now on. */
async function made(): Promise<Stage> {
  const album = await scene();
  const relay = await startRelay(album.service.url, passOn, KEY);
  const run = (verb: string, ...words: readonly string[]) =>
    runProgram([verb, 'album.yaml', ...words, '--base-url', relay.url], album.cwd, { VENICE_API_KEY: KEY });
  const next = ({ stdout }: Ended) =>
    /^(?:Next\n {2}|Next: )venice-batch (.+)$/m
      .exec(stdout)?.[1]
      ?.replace(/ --base-url \S+/, '')
      .split(' ');
  expect((await run('run', '--yes')).code).toBe(0);
  return { album, relay, run, next };
}

const FAILED = json(200, { status: 'FAILED', error: 'the worker died' });
const REFUSED = json(422, { error: 'The prompt violates the content policy' });

const fates: [string, string, Treat, readonly string[] | undefined][] = [
  [
    'fails',
    'failed',
    only('/audio/retrieve', FAILED),
    ['run', 'album.yaml', '--force', 'one', '--junit', 'junit.xml'],
  ],
  // No command helps until the prompt is changed.
  ['is refused', 'rejected', only('/audio/queue', REFUSED), undefined],
];

describe('a track that is made again', () => {
  it.each(fates)('is reported once and made by the next command if it %s', async (_, state, treat, next) => {
    const set = await made();
    set.relay.treat = treat;
    const words = ['--yes', '--force', 'one', '--events', 'ndjson', '--junit', 'junit.xml'];
    const ended = await set.run('run', ...words);
    expect(ended.code, ended.stderr).toBe(100);
    const events = ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const reported = events
      .filter(({ type, key }) => type === 'take' && key === 'one')
      .map(({ state }) => state);
    expect(reported.filter((state) => ['failed', 'lost', 'rejected', 'done'].includes(state))).toEqual([
      state,
    ]);
    expect(events.at(-1)).toMatchObject({ total: 2, done: 1, failed: 1, exit_code: 100 });
    expect(readFileSync(path.join(set.album.cwd, 'junit.xml'), 'utf8')).toMatch(/failures="1"/);
    const command = (events.at(-1).next_command as string | null)?.replace(/ --base-url \S+/, '');
    expect(command?.split(' ').slice(1)).toEqual(next);
    expect(audioFiles(set.album.cwd)).toHaveLength(2);

    // The earlier file is good: every command says so, and none suggests one that would do nothing.
    set.relay.treat = passOn;
    const before = await set.album.charges();
    const later = await set.run('run', '--yes');
    expect([later.code, set.next(later)]).toEqual([0, undefined]);
    expect((await set.run('plan', '--detailed-exitcode')).code).toBe(0);
    const status = await set.run('status');
    expect(status.stdout).toMatch(new RegExp(`^one +done; a newer one ${state}.* out/01-one`, 'm'));
    expect(set.next(status)).toBeUndefined();
    expect((await set.run('verify')).code).toBe(0);
    expect(await set.album.charges()).toBe(before);

    if (next === undefined) return;
    const again = await set.run(next[0]!, ...next.slice(2), '--yes');
    expect(again.code, again.stderr).toBe(0);
    expect(await set.album.charges()).toBe(before + 1);
    expect(audioFiles(set.album.cwd)).toHaveLength(3);
  });

  it('is fetched again by the next run if it cannot be verified', async () => {
    const set = await made();
    set.relay.treat = only('/audio/retrieve', (passing) =>
      passing.answer({ status: 200, headers: { 'content-type': 'audio/wav' }, body: '<!doctype html>' }),
    );
    const ended = await set.run('run', '--yes', '--force', 'one', '--json');
    expect(ended.code, ended.stderr).toBe(100);
    expect(JSON.parse(ended.stdout).takes[0]).toMatchObject({ key: 'one', state: 'unverified' });
    set.relay.treat = passOn;
    expect((await set.run('collect')).code).toBe(0);
    expect(audioFiles(set.album.cwd)).toHaveLength(3);
  });

  it('counts as failed in the run that collects it', async () => {
    const set = await made();
    expect((await set.run('run', '--yes', '--force', 'one', '--detach')).code).toBe(11);
    set.relay.treat = only('/audio/retrieve', FAILED);
    const ended = await set.run('collect');
    expect([ended.code, set.next(ended)]).toEqual([100, ['run', 'album.yaml', '--force', 'one']]);
    expect(ended.stdout).not.toContain('--retry-failed');
  });

  it.each(['--charged', '--not-charged', '--requeue'])(
    'is followed by the next command when it was in doubt and resolved with %s',
    async (word) => {
      const set = await made();
      set.relay.treat = only('/audio/queue', html(502));
      expect((await set.run('run', '--yes', '--force', 'one')).code).toBe(8);
      set.relay.treat = passOn;
      const attempt = String(set.album.lock().find(({ state }) => state === 'in_doubt')?.attempt);
      const { stdout } = await set.run('resolve', attempt, word);
      expect(stdout).toContain('Next: venice-batch run album.yaml --force one --base-url');
      expect((await set.run('run', '--yes', '--force', 'one')).code).toBe(0);
      expect(await set.album.charges()).toBe(3);
    },
  );

  it('counts as not bought, and is still requested, if the failure of another one stopped the run', async () => {
    const set = await made();
    set.relay.treat = only('/audio/retrieve', FAILED);
    const words = ['--force', 'one,two', '--fail-fast', '--concurrency', '1', '--json'];
    const { summary } = JSON.parse((await set.run('run', '--yes', ...words)).stdout);
    expect(summary).toMatchObject({ exit_code: 100, done: 0, failed: 1, not_bought: 1 });
    expect(summary.next_command).toMatch(/^venice-batch run album.yaml --force one --force two /);
  });

  it('is part of the suggested command if it was refused for now', async () => {
    const set = await made();
    set.relay.treat = only('/audio/queue', json(402, { error: 'Insufficient balance' }));
    const ended = await set.run('run', '--yes', '--force', 'one');
    expect([ended.code, set.next(ended)]).toEqual([6, ['plan', 'album.yaml', '--force', 'one']]);
  });

  it('counts only as failed if its file was missing before', async () => {
    const set = await made();
    const [file = ''] = audioFiles(set.album.cwd);
    rmSync(path.join(set.album.cwd, file));
    set.relay.treat = only('/audio/retrieve', FAILED);
    const ended = await set.run('run', '--yes', '--retry-failed', '--json');
    const { summary, takes } = JSON.parse(ended.stdout);
    expect(takes[0]).toMatchObject({ key: 'one', state: 'failed' });
    expect(summary).toMatchObject({ exit_code: 100, failed: 1, missing: 0 });
    expect(summary.next_command).toMatch(/^venice-batch run album.yaml --retry-failed/);
  });
});
