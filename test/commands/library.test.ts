import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, plan, run, status } from '../../src/index.js';

describe('the library', () => {
  let cwd = '';
  beforeAll(() => {
    cwd = mkdtempSync(path.join(os.tmpdir(), 'venice-batch-'));
    const track = (id: string) =>
      `  - { id: ${id}, model: elevenlabs-sound-effects-v2, prompt: A door falls shut }\n`;
    writeFileSync(path.join(cwd, 'album.yaml'), `version: 1\ntracks:\n${track('one')}${track('two')}`);
  });
  afterAll(() => rmSync(cwd, { recursive: true, force: true }));

  it.each([
    ['everything without a selection', {}, ['one', 'two']],
    ['the selected tracks', { only: ['two'] }, ['two']],
    ['nothing for an empty selection', { only: [] }, []],
    ['everything if nothing is excluded', { except: [], force: [] }, ['one', 'two']],
  ])('plans to buy %s', async (_, selection, keys) => {
    const { prepared } = await plan({
      manifest: path.join(cwd, 'album.yaml'),
      sandbox: true,
      ...selection,
    });
    expect(prepared?.plan.purchases.map(({ take }) => take.key)).toEqual(keys);
  });

  const album = (): string => path.join(cwd, 'album.yaml');

  it('leaves no listener on the streams of its host, which hears about a closed pipe', async () => {
    const count = () => [process.stdout, process.stderr].map((stream) => stream.listenerCount('error'));
    const before = count();
    await plan({ manifest: album(), sandbox: true });
    await status({ manifest: album(), sandbox: true });
    expect(count()).toEqual(before);
  });

  it('accepts undefined for every option', async () => {
    const options = {
      manifest: album(),
      sandbox: true,
      signal: undefined,
      only: undefined,
      budgetUsd: undefined,
    };
    const report = await run({ ...options, approve: undefined, onEvent: undefined, outDir: undefined });
    expect(report.takes.map(({ key, state }) => [key, state])).toEqual([
      ['one', 'not_bought'],
      ['two', 'not_bought'],
    ]);
  });

  it.each([
    [{ concurrency: 0.5 }, '`concurrency` is not a whole number from 1 to 64: 0.5'],
    [{ budgetUsd: -1 }, '`budgetUsd` is not an amount above 0: -1'],
    [{ baseUrl: 'https://x.test' }, '`sandbox` and `baseUrl` cannot be combined'],
    [{ budgetUSD: 1 }, '`budgetUSD` is not an option'],
    [{ only: 'one' as unknown as string[] }, '`only` must be an array of strings'],
  ])('refuses %j with a message about its options', async (options, message) => {
    await expect(plan({ manifest: album(), sandbox: true, ...options })).rejects.toMatchObject({
      code: 'usage',
      message,
    });
  });

  it('leaves paths as they are', async () => {
    const manifest = path.join(cwd, 'my--only.yaml');
    await expect(run({ manifest, sandbox: true })).rejects.toMatchObject({
      message: expect.stringContaining('my--only.yaml'),
    });
  });

  it('suggests options, not flags', async () => {
    const { prepared } = await plan({ manifest: album(), sandbox: true, only: ['thre'] });
    const reported = JSON.stringify(prepared?.diagnostics);
    expect(reported).toContain('only');
    expect(reported).not.toMatch(/--[a-z]/);
    const { saved } = await plan({ manifest: album(), sandbox: true, only: ['one'] });
    const stale = await apply({
      manifest: album(),
      sandbox: true,
      plan: { ...saved!, manifest_sha256: '0'.repeat(64) },
    });
    expect(stale.exitCode).toBeGreaterThan(0);
    expect(stale.diagnostics).toMatchObject([{ code: 'plan-stale' }]);
    expect(JSON.stringify(stale.diagnostics)).not.toMatch(/--[a-z]/);
  });

  it('names the first fault of a picks file that cannot be read, and prints nothing', async () => {
    const folder = path.join(cwd, 'album.sandbox');
    mkdirSync(folder, { recursive: true });
    const picks = path.join(folder, 'album.picks.yaml');
    writeFileSync(picks, 'one: [\n');
    try {
      await expect(plan({ manifest: album(), sandbox: true, onlyUnpicked: true })).rejects.toMatchObject({
        message: expect.stringMatching(/album\.picks\.yaml:\d+:\d+: /),
        exitCode: 3,
      });
    } finally {
      rmSync(picks);
    }
  });
});
