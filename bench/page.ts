/**
 * The page of a real manager in a real Chromium: the time until something is shown, and the bytes that are transferred for it; and
 * what the streams that a page follows cost the manager, for a hundred pages compared with one.
 */
import { randomUUID } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { bundlePage } from '../scripts/bundle-page.ts';
import { bundleWrapper } from '../scripts/bundle-wrapper.ts';
import { launchBrowser, missingBrowser } from '../test/page/browser.ts';
import { cpuSeconds } from './cpu-seconds.ts';
import { type BenchManager, startManager } from './manager.ts';
import { BenchOrchestrator } from './orchestrator.ts';
import { median, type Result, reported } from './result.ts';

const LOADS = 9;
const PAGES = 100;
/** Lines that the shown worker prints in a second: a busy agent, and a test run. */
const RATES = [20, 200];
const WATCHED_MS = 8000;
/** For the compilers, after the streams were opened. */
const SETTLE_MS = 3000;
const TOKEN = 'bench-token';
/** Of the cell's history and of the output of a worker, as the page begins with them. */
const STREAMS = (id: string) => ['/v1/events?tail=300', `/v1/workers/${id}/output?tail=1000`];

export async function benchPage({ redisUrl }: { redisUrl: string }): Promise<Result[]> {
  if (missingBrowser) throw new Error(missingBrowser);
  await Promise.all([bundlePage(), bundleWrapper()]);
  const cell = `bench-${randomUUID().slice(0, 8)}`;
  const orchestrator = new BenchOrchestrator(redisUrl, cell);
  const env = { REDIS_URL: redisUrl, CELL: cell, RUNTIME: 'process', API_TOKEN: TOKEN };
  const manager = await startManager(env);
  const browser = await launchBrowser();
  try {
    const loads: { paint: number; bytes: number }[] = [];
    // The first load compresses the files.
    for (let n = -1; n < LOADS; n += 1) {
      const load = await measureLoad(browser, manager.url);
      if (n >= 0) loads.push(load);
    }
    await browser.close();
    const paint = median(loads.map((load) => load.paint));
    const kilobytes = median(loads.map(({ bytes }) => bytes)) / 1000;
    const results: Result[] = [
      {
        name: 'page, from the request to the first paint, p50',
        value: paint,
        unit: 'ms',
        goal: '<= 500',
        met: paint <= 500,
      },
      {
        name: 'page, compressed files until the list of workers',
        value: kilobytes,
        unit: 'kB',
        goal: '<= 200',
        met: kilobytes <= 200,
      },
    ];
    for (const rate of RATES) results.push(...(await measureFanOut(manager, orchestrator, rate)));
    return results;
  } finally {
    await browser.close();
    await manager.stop();
    await orchestrator.close(cell);
  }
}

/** Loads the page with an empty cache, enters the token, and waits for the view of workers. */
async function measureLoad(browser: Browser, url: string): Promise<{ paint: number; bytes: number }> {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(`${url}/`);
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('navigation', { name: 'Views' }).waitFor();
    return await page.evaluate<{ paint: number; bytes: number }>(`({
      paint: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .filter(({ name }) => !name.includes('/v1/'))
        .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    })`);
  } finally {
    await context.close();
  }
}

async function measureFanOut(
  manager: BenchManager,
  orchestrator: BenchOrchestrator,
  rate: number,
): Promise<Result[]> {
  const program = `let n = 0; setInterval(() => console.log('line ' + ++n + ' ' + '.'.repeat(60)), ${1000 / rate});`;
  const id = orchestrator.create({ command_line: [process.execPath, '-e', program], runtime: 'process' });
  await orchestrator.running(id);
  try {
    const none = await measureCpu(manager, id, 0);
    const one = await measureCpu(manager, id, 1);
    const many = await measureCpu(manager, id, PAGES);
    const ratio = many / one;
    return [
      {
        name: `CPU of the manager for the streams of ${PAGES} pages, over that of one, at ${rate} lines a second`,
        value: ratio,
        unit: 'times',
        goal: '<= 2',
        met: ratio <= 2,
        note: `${many.toFixed(1)} and ${one.toFixed(1)} ms a second`,
      },
      reported(`CPU of the manager without a page, at ${rate} lines a second`, none, 'ms a second'),
    ];
  } finally {
    await orchestrator.delete([id]);
  }
}

/** Milliseconds of CPU in a second while that many pages follow the worker. Fails if one of them gets nothing. */
async function measureCpu(
  { url, process: { pid } }: BenchManager,
  id: string,
  pages: number,
): Promise<number> {
  const paths = Array.from({ length: pages }, () => STREAMS(id)).flat();
  const open: IncomingMessage[] = [];
  // One after the other, as people open pages.
  for (const path of paths) open.push(await openStream(url + path));
  const received = open.map((response) => {
    const count = { bytes: 0 };
    response.on('data', (part: Buffer) => {
      count.bytes += part.length;
    });
    return count;
  });
  await delay(SETTLE_MS);
  const [before, began, bytes] = [cpuSeconds(pid), performance.now(), received.map((one) => one.bytes)];
  await delay(WATCHED_MS);
  const used = cpuSeconds(pid) - before;
  const seconds = (performance.now() - began) / 1000;
  const grew = received.filter((one, at) => one.bytes > (bytes[at] ?? 0)).length;
  for (const response of open) response.destroy();
  if (grew < pages) throw new Error(`Only ${grew} of ${pages} pages received output.`);
  return (used * 1000) / seconds;
}

function openStream(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { authorization: `Bearer ${TOKEN}` }, agent: false }, (response) => {
      if (response.statusCode === 200) resolve(response);
      else reject(new Error(`${url}: ${response.statusCode}`));
    });
    sent.on('error', reject);
    sent.end();
  });
}
