import { existsSync } from 'node:fs';
import axe from 'axe-core';
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';

/** Debian's path. */
const CHROMIUM = '/usr/bin/chromium';

/** Browser tests are skipped, with a message, if there is no browser: `apt-get install chromium`. */
export const HAS_BROWSER = existsSync(CHROMIUM);
if (!HAS_BROWSER) console.warn(`no ${CHROMIUM}: the tests of the review page in a browser are skipped`);

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--autoplay-policy=no-user-gesture-required',
    ],
  });
}

/** A page, with the requests and errors that it has caused so far. */
export interface Watched {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly addresses: readonly string[];
  readonly errors: readonly string[];
}

/** @param before a script that runs before the page's own */
export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
  before = '',
): Promise<Watched> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  await page.addInitScript(before);
  const addresses: string[] = [];
  const errors: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  await page.goto(address);
  await page.locator('.track').first().waitFor();
  return { context, page, addresses, errors };
}

/** What axe-core finds wrong with the page as it is now, one line each. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ['violations'] }),
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}
