import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { openPageServer } from '../../src/node/page-server.js';
import type { ReviewData, ReviewTake, ReviewTrack } from '../../src/review/data.js';
import { SAFE_HEADERS } from '../../src/review/guard.js';
import { answer, type PageWorld } from '../../src/review/routes.js';
import { HAS_BROWSER, launchBrowser } from '../e2e/browser.js';

/*
 * How long the review page takes to open with a large album, as a multiple of the same page with an empty one, and how
 * evenly it scrolls. In a real browser; without the program's own reading of lockfile and audio.
 */

const TRACKS = 200;
const TAKES = 3;
const ROUNDS = 5;
const HEIGHTS = Uint8Array.from({ length: 800 }, (_, index) => (index * 7919) % 256);

function take(track: number, number: number): ReviewTake {
  const sha256 = createHash('sha256').update(`${track} ${number}`).digest('hex');
  const sound = {
    durationSeconds: 60,
    loudnessLufs: -14 - number,
    truePeakDb: -1,
    warnings: ['it clips in 3 places'],
  };
  return {
    key: `${track}#${number}`,
    name: `Take ${number}`,
    state: 'ready',
    stateText: 'done',
    model: 'elevenlabs-music',
    price: '$0.69',
    boughtAt: '2026-10-01T10:00:00.000Z',
    file: { sha256, url: `audio/${sha256}`, path: `out/${sha256}.wav`, mediaType: 'audio/wav', sound },
  };
}

function track(number: number): ReviewTrack {
  const prompt = `Uplifting indie-folk, acoustic guitars, ${60 + (number % 120)} BPM, major key, no. ${number}`;
  return {
    id: `track-${number}`,
    title: `Track number ${number}`,
    request: { model: 'elevenlabs-music', prompt, settings: [['duration_seconds', '60']] },
    takes: Array.from({ length: TAKES }, (_, index) => take(number, index + 1)),
  };
}

async function serve(tracks: number): Promise<{ address: string; close(): Promise<void> }> {
  const data: ReviewData = {
    title: 'Benchmark',
    manifest: 'album.yaml',
    sandbox: true,
    tracks: Array.from({ length: tracks }, (_, index) => track(index + 1)),
  };
  const asset = (name: string) => readFileSync(new URL(`../../dist/page/${name}`, import.meta.url), 'utf8');
  const world: PageWorld = {
    assets: { script: asset('page.js'), style: asset('page.css') },
    data: async () => ({ ok: true, data, tag: String(tracks) }),
    audio: async () => undefined,
    peaks: async () => HEIGHTS,
    pick: async () => undefined,
  };
  const { port, close } = await openPageServer({
    port: 0,
    headers: SAFE_HEADERS,
    answer: (request) => answer(request, world),
    failed: (error) => {
      throw error;
    },
  });
  return { address: `http://127.0.0.1:${port}/`, close };
}

/** A page in which functions of this file can run: tsx wraps those that have a name. */
async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.addInitScript('globalThis.__name = (named) => named');
  return page;
}

/** From the start of the navigation until the page has been painted with its data, ms, as the page sees it. */
async function opened(browser: Browser, address: string): Promise<number> {
  const page = await newPage(browser);
  await page.goto(address);
  const ms = await page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const look = () => {
          if (document.querySelector('.totals')?.textContent === '') requestAnimationFrame(look);
          else requestAnimationFrame(() => resolve(performance.now()));
        };
        look();
      }),
  );
  await page.close();
  return ms;
}

/** The times between frames while the page scrolls from top to bottom, ms, sorted. */
async function frames(browser: Browser, address: string): Promise<readonly number[]> {
  const page = await newPage(browser);
  await page.goto(address);
  await page.locator('.track').first().waitFor();
  const times = await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const between: number[] = [];
        let before = performance.now();
        const step = (now: number) => {
          between.push(now - before);
          before = now;
          window.scrollBy(0, 400);
          if (window.scrollY + window.innerHeight < document.documentElement.scrollHeight - 1)
            requestAnimationFrame(step);
          else resolve(between);
        };
        requestAnimationFrame(step);
      }),
  );
  await page.close();
  return times.sort((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

async function main(): Promise<void> {
  const browser = await launchBrowser();
  const [empty, full] = [await serve(0), await serve(TRACKS)];
  const times: Record<'empty' | 'full', number[]> = { empty: [], full: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    times.empty.push(await opened(browser, empty.address));
    times.full.push(await opened(browser, full.address));
  }
  const scrolled = await frames(browser, full.address);
  const [none, all] = [median(times.empty), median(times.full)];
  console.log(`review page, ${TRACKS} tracks of ${TAKES} takes, median of ${ROUNDS} rounds`);
  console.log(`  empty album   ${none.toFixed(0).padStart(6)} ms   1.00`);
  console.log(`  this album    ${all.toFixed(0).padStart(6)} ms   ${(all / none).toFixed(2)}`);
  const at = (part: number) => scrolled[Math.min(scrolled.length - 1, Math.floor(part * scrolled.length))]!;
  console.log(
    `  scrolling     ${scrolled.length} frames: median ${at(0.5).toFixed(1)} ms, 95 % ${at(0.95).toFixed(1)} ms, longest ${at(1).toFixed(1)} ms`,
  );
  await Promise.all([browser.close(), empty.close(), full.close()]);
}

if (HAS_BROWSER) await main();
