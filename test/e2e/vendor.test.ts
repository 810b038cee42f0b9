import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fastNowMs, runFast } from './fast-program.js';
import { audioFiles, folder, lockLines } from './program.js';
import { startVendorServer, type VendorServer } from './vendor-server.js';

/** By the program's clock: a failure reported by 500 alone has to last for a minute, and the machine may be slow. */
const RUN_MS_MAX = 900_000;

let server: VendorServer;
beforeAll(async () => {
  server = await startVendorServer(fastNowMs);
});
afterAll(() => server.close());

function album(tracks: Readonly<Record<string, { readonly model?: string; readonly prompt: string }>>) {
  const cwd = folder();
  const lines = Object.entries(tracks).map(
    ([id, { model = 'stand-in', prompt }]) => `  - { id: ${id}, model: ${model}, prompt: ${prompt} }`,
  );
  writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\nbudget: 5\ntracks:\n${lines.join('\n')}\n`);
  return {
    cwd,
    run: (...words: readonly string[]) => runFast(words, cwd, { url: server.url, ownMsMax: RUN_MS_MAX }),
  };
}

describe('the program against a stand-in for the newest version of the API', { timeout: 120_000 }, () => {
  it('settles every job by its response and reports the same cost everywhere', async () => {
    const { cwd, run: batch } = album({
      good: { prompt: 'Good morning' },
      refused: { prompt: 'Refused by the provider' },
      forbidden: { prompt: 'Forbidden by its policy' },
      forgotten: { prompt: 'Forgotten at the clean-up' },
      retired: { model: 'retired', prompt: 'Retired model' },
    });
    const before = server.charges();
    const ended = await batch('run', 'album.yaml', '--yes', '--json', '--junit', 'junit.xml');
    expect(ended.code, ended.stderr).toBe(100);
    expect(server.charges() - before).toBe(4);
    expect(audioFiles(cwd)).toHaveLength(2);

    const takes = Object.fromEntries(
      lockLines(cwd).map(({ track, state, refund_ground }) => [track, [state, refund_ground]]),
    );
    expect(takes).toEqual({
      good: ['done', undefined],
      refused: ['failed', 'documented'],
      forbidden: ['failed', 'documented'],
      forgotten: ['done', undefined],
      retired: ['rejected', undefined],
    });
    const document = JSON.parse(ended.stdout);
    const money = Object.fromEntries(
      document.takes.map((take: { track: string; money: string }) => [take.track, take.money]),
    );
    expect(money).toEqual({
      good: 'charged',
      refused: 'refunded (as documented)',
      forbidden: 'refunded (as documented)',
      forgotten: 'charged',
      retired: 'not charged',
    });
    const junit = readFileSync(path.join(cwd, 'junit.xml'), 'utf8');
    expect(junit.match(/refunded \$[\d.]+ as documented/g)).toHaveLength(2);
    expect(ended.stderr.match(/refunded \$[\d.]+ as documented/g)?.length).toBeGreaterThanOrEqual(2);
  });

  it('gives up on jobs that are provably lost or failed', async () => {
    const { cwd, run: batch } = album({
      good: { prompt: 'Good morning' },
      unknown: { prompt: 'Unknown id' },
      broken: { prompt: 'Broken worker' },
      unavailable: { prompt: 'Unavailable worker' },
    });
    const ended = await batch('run', 'album.yaml', '--yes', '--json');
    expect(ended.code, ended.stderr).toBe(100);
    const takes = JSON.parse(ended.stdout).takes as { track: string; state: string; money: string }[];
    expect(Object.fromEntries(takes.map(({ track, state, money }) => [track, [state, money]]))).toEqual({
      good: ['done', 'charged'],
      unknown: ['lost', 'charged'],
      broken: ['failed', 'refunded (as documented)'],
      unavailable: ['failed', 'refunded (as documented)'],
    });
    expect(lockLines(cwd).map(({ state }) => state)).not.toContain('queued');
  });

  it('stops collecting at once when the balance is too low, and loses nothing', async () => {
    const { cwd, run: batch } = album({ one: { prompt: 'Unpaid song' }, two: { prompt: 'Unpaid tune' } });
    const from = server.requests.length;
    const ended = await batch('run', 'album.yaml', '--yes', '--json');
    expect(ended.code, ended.stderr).toBe(6);
    const polls = server.requests.slice(from).filter((request) => request === 'POST /audio/retrieve').length;
    // Before the jobs are done, and then at most one for each that was sent before the first was answered.
    expect(polls).toBeLessThanOrEqual(6);
    expect(lockLines(cwd).map(({ state }) => state)).toEqual(['queued', 'queued']);
    expect(ended.stderr).toContain('Insufficient USD or Diem balance');
    expect(JSON.parse(ended.stdout).summary.next_command).toMatch(/^venice-batch collect album\.yaml /);
  });

  it.each([
    ['closed', 4],
    ['retired', 100],
  ])('submits nothing more to a model once it is %s, and makes the rest', async (model, code) => {
    const { run: batch } = album({
      ...Object.fromEntries(
        Array.from({ length: 15 }, (_, at) => [`${model}-${at}`, { model, prompt: `Rain number ${at}` }]),
      ),
      good: { prompt: 'Good morning' },
    });
    const from = server.requests.length;
    const ended = await batch('run', 'album.yaml', '--yes', '--json');
    expect(ended.code, ended.stderr).toBe(code);
    const submits = server.requests.slice(from).filter((request) => request === 'POST /audio/queue').length;
    expect(submits).toBeLessThanOrEqual(5);
    const takes = JSON.parse(ended.stdout).takes as { state: string; money: string }[];
    const outcomes = takes.map(({ state, money }) => `${state}, ${money}`);
    expect(outcomes.filter((outcome) => outcome === 'done, charged')).toHaveLength(1);
    expect(new Set(outcomes)).toEqual(new Set(['done, charged', 'rejected, not charged']));
  });

  it('refuses a voice-changer model with the reason and requests no quote', async () => {
    const { run: batch } = album({ one: { model: 'voices', prompt: 'Some prompt' } });
    const from = server.requests.length;
    const ended = await batch('run', 'album.yaml', '--yes');
    expect(ended.code).toBe(3);
    expect(ended.stderr + ended.stdout).toMatch(/voice-changer.*changes the voice of a recording/s);
    expect(server.requests.slice(from)).not.toContain('POST /audio/quote');
    expect(server.requests.slice(from)).not.toContain('POST /audio/queue');
  });
});
