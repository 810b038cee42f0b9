import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { m4a } from '../node/container-bytes.js';
import { run as runProgram } from './in-process.js';
import { folder } from './program.js';
import { type StandIn, startStandIn } from './stand-in.js';

const MODEL = { id: 'some-music', formats: ['m4a'] };
const SONG = { type: 'audio/mp4', body: m4a(90) };
const PRIVATE_KEY = '4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318';
const ADDRESS = '0x2c7536E3605D9C16a7a3D7b1898e529396a65c23';

/** Two takes at one cent each. */
function album(standIn: StandIn, env: Readonly<Record<string, string>>) {
  const cwd = folder();
  const tracks = ['one', 'two'].map(
    (id) => `  - { id: ${id}, model: ${MODEL.id}, duration_seconds: 2, prompt: A calm piano piece ${id} }\n`,
  );
  writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\nbudget: 5\ntracks:\n${tracks.join('')}`);
  const run = (...words: readonly string[]) =>
    runProgram(['run', 'album.yaml', '--yes', ...words, '--base-url', standIn.url], cwd, env);
  return { run };
}

const key = (kind: 'INFERENCE' | 'ADMIN') => ({ VENICE_API_KEY: `VENICE_${kind}_KEY_x` });

function limits(accessPermitted: boolean, balances: Record<string, number>) {
  return { data: { accessPermitted, balances, rateLimits: [] } };
}

function account(balances: Record<string, number | null>) {
  return { canConsume: true, consumptionCurrency: 'USD', balances, diemEpochAllocation: 0 };
}

describe('an INFERENCE key', { timeout: 120_000 }, () => {
  it.each([
    ['on an empty account', limits(false, { USD: 0, DIEM: 0, BUNDLED_CREDITS: 0 }), 'cannot-consume'],
    ['on a short account', limits(true, { USD: 0.01, DIEM: 0, BUNDLED_CREDITS: 0 }), 'over-balance'],
  ])('buys nothing and exits with 6 %s', async (_, answer, code) => {
    const standIn = await startStandIn(MODEL, SONG);
    standIn.answers['/api_keys/rate_limits'] = answer;
    const ended = await album(standIn, key('INFERENCE')).run();
    expect([ended.code, ended.stderr]).toEqual([6, expect.stringContaining(`error[${code}]`)]);
    expect(standIn.seen).not.toContain('POST /audio/queue');
    expect(standIn.seen).not.toContain('GET /billing/balance');
  });

  it.each([
    ['if another wallet balance may cover it', limits(true, { USD: 0.01, DIEM: 5, BUNDLED_CREDITS: 0 }), []],
    ['if a balance is not listed', limits(true, { USD: 0.01 }), []],
    [
      'if the user says that earned credits cover it',
      limits(true, { USD: 0.01, DIEM: 0, BUNDLED_CREDITS: 0 }),
      ['--ignore-balance'],
    ],
  ])('buys the plan %s', async (_, answer, flags) => {
    const standIn = await startStandIn(MODEL, SONG);
    standIn.answers['/api_keys/rate_limits'] = answer;
    const ended = await album(standIn, key('INFERENCE')).run(...flags);
    expect(ended.code, ended.stderr).toBe(0);
  });
});

describe('an ADMIN key', { timeout: 120_000 }, () => {
  it('counts earned credits', async () => {
    const standIn = await startStandIn(MODEL, SONG);
    standIn.answers['/api_keys/rate_limits'] = limits(true, { USD: 0.001, DIEM: 0, BUNDLED_CREDITS: 0 });
    standIn.answers['/billing/balance'] = account({
      usd: 0.001,
      diem: null,
      bundledCredits: null,
      earnedCredits: 100,
    });
    const ended = await album(standIn, key('ADMIN')).run();
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/Balance +\$100\.00.*earned credits/);
    expect(ended.stderr).toMatch(/Paid from +\$0\.02 earned credits/);
  });
});

describe('a wallet', { timeout: 120_000 }, () => {
  const wallet = { VENICE_API_KEY: '', VENICE_WALLET_KEY: PRIVATE_KEY };
  const balance = (balanceUsd: number) => ({
    data: { balanceUsd, canConsume: balanceUsd >= 0.1, minimumTopUpUsd: 5, suggestedTopUpUsd: 10 },
  });

  it('signs each request and never sends its key', async () => {
    const standIn = await startStandIn(MODEL, SONG);
    standIn.answers[`/x402/balance/${ADDRESS}`] = balance(10);
    const ended = await album(standIn, wallet).run('--debug');
    expect(ended.code, ended.stderr).toBe(0);
    const signed = standIn.headers.flatMap((headers) => headers['sign-in-with-x'] ?? []);
    const jobs = standIn.seen.filter((request) => /audio\/(queue|retrieve|complete)/.test(request)).length;
    expect(signed).toHaveLength(jobs + 1);
    const messages = signed.map(
      (text) => JSON.parse(Buffer.from(String(text), 'base64').toString('utf8')).message,
    );
    expect(new Set(messages.map((text) => /^Nonce: (.*)$/m.exec(text)?.[1])).size).toBe(signed.length);
    expect(standIn.headers.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(`${ended.stdout}${ended.stderr}${JSON.stringify(standIn.headers)}`).not.toContain(PRIVATE_KEY);
  });

  it('with too little money buys nothing and shows the minimum top-up', async () => {
    const standIn = await startStandIn(MODEL, SONG);
    standIn.answers[`/x402/balance/${ADDRESS}`] = balance(0.05);
    const ended = await album(standIn, wallet).run();
    expect([ended.code, ended.stderr]).toEqual([
      6,
      expect.stringContaining('at least $5.00, $10.00 suggested'),
    ]);
    expect(standIn.seen).not.toContain('POST /audio/queue');
  });

  it('is refused beside an API key, as only one can pay', async () => {
    const standIn = await startStandIn(MODEL, SONG);
    const ended = await album(standIn, { ...wallet, ...key('ADMIN') }).run();
    expect([ended.code, standIn.seen]).toEqual([2, []]);
  });
});
