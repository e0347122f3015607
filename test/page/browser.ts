/** A real browser that shows the page of a manager, and notes everything that the page must not do. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const PICTURES = join(import.meta.dirname, '..', '..', 'docs', 'images');
/** Debian's package; `scripts/test.ts` installs it. */
const PROGRAM = '/usr/bin/chromium';
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A busy machine needs seconds for what takes milliseconds. */
const PATIENCE_MS = 30_000;

/** Why there is no browser; `undefined` if there is one. */
export const missingBrowser = existsSync(PROGRAM)
  ? undefined
  : `${PROGRAM} is missing: install the package chromium.`;

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: PROGRAM, args: FLAGS });

export interface OpenedPage {
  page: Page;
  /** Violations of the policy, requests to other hosts, requests with the token in the URL, and exceptions. */
  offences: string[];
  close(): Promise<void>;
}

/** Opens the page and enters the token. Requests that fail while the manager is away are no offence. */
export async function openThePage(
  browser: Browser,
  { url, token }: { url: string; token: string },
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 760 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const offences: string[] = [];
  page.on('pageerror', (error) => offences.push(`exception: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (
      message.type() === 'error' &&
      !/^Failed to load resource|^WebSocket connection to .* failed/.test(text)
    )
      offences.push(`console: ${text}`);
  });
  page.on('request', (request) => {
    const address = request.url();
    if (!address.startsWith(`${url}/`)) offences.push(`request to ${address}`);
    if (address.includes(token)) offences.push(`the token is in ${address}`);
  });
  page.on('websocket', (socket) => {
    const address = socket.url();
    if (!address.startsWith(`${url.replace(/^http/, 'ws')}/`)) offences.push(`socket to ${address}`);
    if (address.includes(token)) offences.push(`the token is in ${address}`);
  });
  await page.goto(`${url}/`);
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('navigation', { name: 'Views' }).waitFor();
  return { page, offences, close: () => context.close() };
}

/** Opens a view of a page that has its token. */
export async function goTo({ page }: OpenedPage, path: string, heading: string | RegExp): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(path)}`);
  await page.getByRole('heading', { level: 1, name: heading }).waitFor();
}

/**
 * Milliseconds from a key in a field to the next frame that shows its effect, for each character. The key is dispatched in the
 * page, because the way from this process to the browser is not the page's.
 */
export function measureKeystrokes(page: Page, label: string, text: string): Promise<number[]> {
  return page.evaluate(`(async () => {
    const field = document.querySelector(${JSON.stringify(`[aria-label="${label}"]`)});
    const times = [];
    for (const character of ${JSON.stringify(text)}) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const began = performance.now();
      field.value += character;
      field.dispatchEvent(new InputEvent('input', { bubbles: true }));
      await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
      times.push(performance.now() - began);
    }
    return times;
  })()`);
}

/** The numbers of the output's entries on the page, in their order; joined entries have two. */
export async function readSeqs(page: Page): Promise<number[]> {
  const ranges = await page.evaluate<[first: number, last: number][]>(
    `[...document.querySelectorAll('[data-seq]')].map(({ dataset }) => [+dataset.seq, +dataset.lastSeq])`,
  );
  return ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, at) => first + at));
}

/** Each number once, without a hole. */
export function expectConsecutive(seqs: readonly number[]): void {
  const [first = 0] = seqs;
  expect(seqs).toEqual(seqs.map((_, at) => first + at));
}

/** Finds no problem of accessibility, in light and in dark. */
export async function checkView(page: Page, name: string, picture?: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    const violations = await page.evaluate<string[]>(`axe.run({ resultTypes: ['violations'] }).then((found) =>
      found.violations.map(({ id, nodes }) => id + ': ' + nodes[0]?.html + ' ' + nodes[0]?.failureSummary))`);
    expect(violations, `${name}, ${colorScheme}`).toEqual([]);
    if (picture && process.env.WRITE_PICTURES) {
      await mkdir(PICTURES, { recursive: true });
      await page.screenshot({ path: join(PICTURES, `page-${picture}-${colorScheme}.png`) });
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
}
