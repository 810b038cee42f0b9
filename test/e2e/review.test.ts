import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ReviewData } from '../../src/review/data.js';
import { folderWith, writeAlbum } from './album.js';
import { accessibilityFaults, HAS_BROWSER, launchBrowser, openPage } from './browser.js';
import { folder, lockLines, runProcess as run, start } from './program.js';
import { edit } from './scene.js';

const SANDBOX = ['--sandbox', '--sandbox-speed', '1000'];
const TRACKS = [
  ['opening', 'Slow piano, 80 BPM, C major', ', duration_seconds: 30, takes: 3'],
  ['ending', 'Fast <b>drums</b> & bass, 140 BPM', ', duration_seconds: 20'],
] as const;

let made: Promise<string> | undefined;

/** A copy of an album that is made once. */
async function madeAlbum(): Promise<string> {
  made ??= makeAlbum();
  return folderWith(await made);
}

async function makeAlbum(): Promise<string> {
  const cwd = folder();
  writeAlbum(cwd, TRACKS);
  const { code, stderr } = await run(['run', 'album.yaml', ...SANDBOX, '--yes', '--progress', 'quiet'], cwd);
  expect(code, stderr).toBe(0);
  return cwd;
}

async function startReview(cwd: string) {
  const started = start(['review', 'album.yaml', '--no-open', ...SANDBOX], cwd);
  return { ...started, address: await started.seen(/(http:\/\/127\.0\.0\.1:\d+\/\S+)/) };
}

function hashOf(cwd: string, track: string, take: number): string {
  const line = lockLines(cwd, 'album.sandbox/album.lock.jsonl').find(
    (one) => one.track === track && one.take === take,
  );
  return (line as { file: { sha256: string } }).file.sha256;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** Sends any headers, even those that `fetch` refuses. */
function ask(
  address: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(address, { method, headers }, async (response) => {
      const pieces: Buffer[] = [];
      for await (const piece of response) pieces.push(piece as Buffer);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe('the server of the review page', () => {
  let cwd: string;
  let address: string;
  beforeAll(async () => {
    cwd = await madeAlbum();
    ({ address } = await startReview(cwd));
  });

  it('serves parts of a file, and nothing that the lockfile does not name', async () => {
    const sha256 = hashOf(cwd, 'opening', 1);
    const whole = await ask(`${address}audio/${sha256}`);
    expect(whole.headers['content-type']).toMatch(/^audio\//);
    const part = await ask(`${address}audio/${sha256}`, { range: 'bytes=1000-1999' });
    expect(part).toMatchObject({
      status: 206,
      headers: { 'content-range': `bytes 1000-1999/${whole.body.length}` },
    });
    expect(part.body.equals(whole.body.subarray(1000, 2000))).toBe(true);
    for (const other of [
      `audio/${'0'.repeat(64)}`,
      'audio/../album.lock.jsonl',
      'album.yaml',
      'audio/%2e%2e/x',
    ])
      expect(await ask(address + other)).toMatchObject({ status: 404 });
  });

  it('refuses a wrong token, another site and DNS rebinding', async () => {
    const { origin, host, port } = new URL(address);
    expect(await ask(address)).toMatchObject({ status: 200 });
    expect(await ask(`${origin}/wrong/`)).toMatchObject({ status: 403 });
    expect(await ask(`${origin}/`)).toMatchObject({ status: 403 });
    expect(await ask(`${address}data.json`, { origin: 'https://evil.example' })).toMatchObject({
      status: 403,
    });
    expect(await ask(address, { host: `evil.example:${port}` })).toMatchObject({ status: 403 });
    const pick = JSON.stringify({ track: 'opening', sha256: hashOf(cwd, 'opening', 1) });
    const json = { host, 'content-type': 'application/json' };
    for (const from of [undefined, 'https://evil.example', 'null'])
      expect(
        await ask(`${address}pick`, { ...json, ...(from && { origin: from }) }, 'POST', pick),
      ).toMatchObject({
        status: 403,
      });
    expect(
      await ask(`${address}pick`, { host, origin, 'content-type': 'text/plain' }, 'POST', pick),
    ).toMatchObject({ status: 400 });
    expect(existsSync(path.join(cwd, 'album.sandbox/album.picks.yaml'))).toBe(false);
  });

  it('forbids content from other hosts', async () => {
    const { headers } = await ask(address);
    expect(headers['content-security-policy']).toMatch(/^default-src 'none';/);
    expect(String(headers['content-security-policy'])).not.toMatch(/https?:|\*/);
  });
});

/** The page's audio elements are not in the document, so they are recorded when created. */
const VOICES = `globalThis.voices = []; globalThis.Audio = class extends Audio {
  constructor() { super(); globalThis.voices.push(this); }
};`;

interface Voices {
  readonly voices: readonly HTMLAudioElement[];
}

describe('a report with the audio inside', () => {
  it('contains only what was bought: a lockfile may name any file below the output folder', async () => {
    const cwd = await madeAlbum();
    const file = path.join(cwd, 'album.sandbox/out/01-opening.wav');
    const secret = Buffer.alloc(statSync(file).size, 'topsecret');
    writeFileSync(file, secret);
    const words = ['report', 'album.yaml', '--out', 'report.html', '--embed', ...SANDBOX];
    const { code, stderr } = await run(words, cwd);
    expect([code, stderr]).toEqual([0, expect.stringContaining('changed since it was stored')]);
    const report = readFileSync(path.join(cwd, 'report.html'), 'utf8');
    expect(report.match(/data-media-type=/g)).not.toBeNull();
    expect(report).not.toContain(secret.toString('base64', 0, 90));
  });
});

describe.skipIf(!HAS_BROWSER)('the review page in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  const position = (page: Page) =>
    page.locator('.bar input[type=range]').evaluate((one: HTMLInputElement) => one.valueAsNumber);
  const playsBeyond = (page: Page, seconds: number) =>
    page.waitForFunction(
      (from) => document.querySelector<HTMLInputElement>('.bar input')!.valueAsNumber > from,
      seconds,
    );

  it('plays, switches takes at the same position and picks by keyboard alone', async () => {
    const cwd = await madeAlbum();
    const review = await startReview(cwd);
    const { page, addresses, errors } = await openPage(browser, review.address);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press(' ');
    await playsBeyond(page, 0);
    await page.keyboard.press(' ');
    await page.keyboard.press('ArrowRight');
    const before = await position(page);
    expect(before).toBeGreaterThan(5);
    await page.keyboard.press('2');
    expect(await page.getByRole('button', { name: 'Take 2', exact: true }).getAttribute('aria-pressed')).toBe(
      'true',
    );
    expect(await position(page)).toBeCloseTo(before, 1);
    await page.keyboard.press(' ');
    await playsBeyond(page, before);
    await page.keyboard.press('3');
    await page.keyboard.press('2');
    expect(await position(page)).toBeGreaterThan(before);
    await page.keyboard.press('Enter');
    await page.getByText('1 picked').waitFor();
    await page.keyboard.press('n');
    await page.keyboard.type('warmer');
    await page.keyboard.press('Escape');
    const picks = path.join(cwd, 'album.sandbox/album.picks.yaml');
    await expect
      .poll(() => parse(readFileSync(picks, 'utf8')))
      .toMatchObject({
        version: 1,
        picks: { opening: { sha256: hashOf(cwd, 'opening', 2), note: 'warmer' } },
      });
    await page.reload();
    const picked = page.getByRole('button', { name: 'Picked: take 2 of opening' });
    expect(await picked.first().getAttribute('aria-pressed')).toBe('true');
    expect(await page.getByLabel('Note').first().inputValue()).toBe('warmer');
    expect(addresses.filter((one) => !one.startsWith(review.address))).toEqual([]);
    expect(errors).toEqual([]);
    review.child.kill('SIGINT');
    expect(await review.ended).toMatchObject({ code: 0 });
  });

  it('matches the loudness of takes to the quietest unless that is turned off', async () => {
    const review = await startReview(await madeAlbum());
    const { page } = await openPage(browser, review.address, {}, VOICES);
    await page.getByText('LUFS').nth(3).waitFor();
    await page.keyboard.press('ArrowDown');
    const { tracks } = (await (await page.request.get(`${review.address}data.json`)).json()) as ReviewData;
    const levels = tracks[0]!.takes.map(({ file }) => file!.sound!.loudnessLufs!);
    expect(new Set(levels).size).toBe(3);
    const volumes = () =>
      page.evaluate(() => (globalThis as unknown as Voices).voices.map(({ volume }) => volume));
    const loudness = (await volumes()).map((volume, index) => levels[index]! + 20 * Math.log10(volume));
    for (const level of loudness) expect(level).toBeCloseTo(Math.min(...levels), 2);
    await page.getByLabel('Match loudness').uncheck();
    expect(await volumes()).toEqual([1, 1, 1]);
  });

  it('shows what the quality check says, and filters by it', async () => {
    const cwd = await madeAlbum();
    const measured = path.join(
      cwd,
      'album.sandbox/.venice-batch/audio',
      `${hashOf(cwd, 'ending', 1)}.qc-v3.json`,
    );
    edit(measured, (text) => JSON.stringify({ ...JSON.parse(text), clippedRuns: 2 }));
    const review = await startReview(cwd);
    const { page } = await openPage(browser, review.address);
    await page.getByText('It clips in 2 places').waitFor();
    await page.getByRole('radio', { name: 'With warnings 1' }).check();
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual(['ending']);
  });

  it('shows a take in flight and the same take when it is done, and filters', async () => {
    const cwd = await madeAlbum();
    const review = await startReview(cwd);
    const { page } = await openPage(browser, review.address);
    writeAlbum(cwd, [...TRACKS, ['late', 'A gong, struck once', ', duration_seconds: 10']]);
    await page.getByText('not made yet').waitFor();
    const words = ['run', 'album.yaml', '--yes', '--progress', 'quiet'];
    // At the pace of the real service it stays in flight long enough for this test.
    const slow = start([...words, '--sandbox', '--sandbox-speed', '1'], cwd);
    await page.getByText('3 tracks, 0 picked, 1 take in flight').waitFor();
    expect(await page.getByRole('button', { name: 'Pick: take 1 of late' }).count()).toBe(0);
    slow.child.kill('SIGINT');
    expect(await slow.ended).toMatchObject({ code: 130 });
    const made = await run([...words, ...SANDBOX], cwd);
    expect(made.code, made.stderr).toBe(0);
    await page.getByText('Arrived: late, take 1').waitFor();
    await page.getByRole('button', { name: 'Pick: take 1 of late' }).click();
    await page.getByText('1 picked').waitFor();
    await page.getByRole('radio', { name: /Not picked/ }).check();
    expect(await page.getByRole('heading', { level: 2 }).allTextContents()).toEqual(['opening', 'ending']);
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('has no accessibility fault: %s, %i px', async (colorScheme, width) => {
    const review = await startReview(await madeAlbum());
    const options = { colorScheme, viewport: { width, height: 900 } };
    const { page, context } = await openPage(browser, review.address, options);
    await page.getByRole('button', { name: 'Pick: take 2 of opening' }).click();
    await page.getByText('Request').first().click();
    await page.keyboard.press('ArrowDown');
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    await page.getByRole('button', { name: 'Keyboard' }).click();
    expect(await accessibilityFaults(page)).toEqual([]);
    await context.close();
    review.kill();
  });

  it.each([
    ['beside the audio', []],
    ['with the audio inside', ['--embed']],
  ])('writes a report that plays from disk: %s', async (_how, words) => {
    const cwd = await madeAlbum();
    const { code, stderr } = await run(
      ['report', 'album.yaml', '--out', 'report.html', ...words, ...SANDBOX],
      cwd,
    );
    expect(code, stderr).toBe(0);
    const { page, addresses, errors } = await openPage(
      browser,
      pathToFileURL(path.join(cwd, 'report.html')).href,
    );
    await page.getByRole('button', { name: 'Play take 1 of opening' }).click();
    await playsBeyond(page, 0);
    expect(await page.getByRole('button', { name: /^Pick/ }).count()).toBe(0);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(addresses.filter((one) => !/^(file|blob|data):/.test(one))).toEqual([]);
    expect(errors).toEqual([]);
  });
});
