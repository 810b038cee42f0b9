import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { openPageServer } from '../../src/node/page-server.js';
import type { ReviewData, ReviewTake, ReviewTrack } from '../../src/review/data.js';
import { SAFE_HEADERS } from '../../src/review/guard.js';
import { answer, type PageWorld } from '../../src/review/routes.js';
import { HAS_BROWSER, launchBrowser } from '../e2e/browser.js';

/*
 * How long the review page takes to open with a large album compared to an empty one, and how smoothly it scrolls
 * compared to a page without content. In a real browser. The program's reading of lockfile and audio is not included.
 */

const TRACKS = 200;
const TAKES = 3;
const ROUNDS = 3;
const SCROLL_PX = 120;
/** Frames of one scroll: enough for a median. */
const FRAMES_MAX = 200;
/** Ratios to the empty page in the same browser, so that they hold on a slow machine too. */
const TARGETS = { open: 2.5, frame: 1.5, work: 18 };
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

/** A page in which functions of this file can run: tsx wraps named functions. */
async function newPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  await page.addInitScript('globalThis.__name = (named) => named');
  return page;
}

/** From the start of navigation until the page has been painted with its data, ms, as measured by the page. */
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

interface Scrolling {
  /** Median time between two frames, ms. */
  readonly frameMs: number;
  /** Work of the page's main thread for one frame, ms. */
  readonly workMs: number;
}

/** Scrolls down, one notch of a mouse wheel per frame. */
async function scroll(page: Page): Promise<Scrolling> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const workedSeconds = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const before = await workedSeconds();
  const times = await page.evaluate(
    ({ stepPx, framesMax }) =>
      new Promise<number[]>((resolve) => {
        const between: number[] = [];
        let last = performance.now();
        const step = (now: number) => {
          between.push(now - last);
          last = now;
          window.scrollBy(0, stepPx);
          const { scrollHeight } = document.documentElement;
          const isEnd = window.scrollY + window.innerHeight >= scrollHeight - 1;
          if (!isEnd && between.length < framesMax) requestAnimationFrame(step);
          else resolve(between);
        };
        requestAnimationFrame(step);
      }),
    { stepPx: SCROLL_PX, framesMax: FRAMES_MAX },
  );
  return {
    frameMs: median(times),
    workMs: ((await workedSeconds()) - before) * (1000 / times.length),
  };
}

/** Through the album, and then through an empty page of the same height. */
async function scrolled(browser: Browser, address: string): Promise<Record<'empty' | 'full', Scrolling>> {
  const page = await newPage(browser);
  await page.goto(address);
  await page.locator(`.track:nth-child(${TRACKS})`).waitFor({ state: 'attached' });
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const full = await scroll(page);
  await page.goto('about:blank');
  await page.setContent(`<div style="height: ${height}px"></div>`);
  const empty = await scroll(page);
  await page.close();
  return { empty, full };
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Prints both and their ratio. Returns whether the target is met. */
function compare(name: string, all: readonly Record<'empty' | 'full', number>[], target: number): boolean {
  const [empty, full] = [median(all.map((one) => one.empty)), median(all.map((one) => one.full))];
  const ratio = full / empty;
  const [a, b] = [empty, full].map((ms) => `${ms.toFixed(1)} ms`.padStart(10));
  const verdict = ratio <= target ? '' : '   missed';
  console.log(
    `  ${name.padEnd(26)}${a}${b}${ratio.toFixed(2).padStart(8)}${String(target).padStart(8)}${verdict}`,
  );
  return ratio <= target;
}

async function main(): Promise<void> {
  const browser = await launchBrowser();
  const [empty, full] = [await serve(0), await serve(TRACKS)];
  const opening: Record<'empty' | 'full', number>[] = [];
  const scrolling: Record<'empty' | 'full', Scrolling>[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    opening.push({
      empty: await opened(browser, empty.address),
      full: await opened(browser, full.address),
    });
    scrolling.push(await scrolled(browser, full.address));
  }
  console.log(`review page, ${TRACKS} tracks of ${TAKES} takes; median of ${ROUNDS} rounds`);
  console.log(`  ${''.padEnd(26)}${'empty'.padStart(10)}${'album'.padStart(10)}   ratio  target`);
  const of = (key: keyof Scrolling) =>
    scrolling.map((one) => ({ empty: one.empty[key], full: one.full[key] }));
  const kept = [
    compare('open', opening, TARGETS.open),
    compare('scroll: time per frame', of('frameMs'), TARGETS.frame),
    compare('scroll: work per frame', of('workMs'), TARGETS.work),
  ];
  await Promise.all([browser.close(), empty.close(), full.close()]);
  if (kept.includes(false)) process.exitCode = 1;
}

if (HAS_BROWSER) await main();
