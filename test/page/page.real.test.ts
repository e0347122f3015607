/**
 * The page in a real Chromium, with real managers: a worker's whole life next to 1,000 others, output across a killed manager,
 * 10,000 workers, accessibility, and nothing that its policy forbids.
 *
 * `WRITE_PICTURES=1` also writes the pictures in docs/images/.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { bundlePage } from '../../scripts/bundle-page.ts';
import { bundleWrapper } from '../../scripts/bundle-wrapper.ts';
import { freePort } from '../support/free-port.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import {
  checkView,
  expectConsecutive,
  goTo,
  launchBrowser,
  measureKeystrokes,
  missingBrowser,
  type OpenedPage,
  openThePage,
  readSeqs,
} from './browser.ts';
import { holdLease, writeRecords } from './records.ts';

const PATIENCE = { timeout: 40_000, interval: 100 };
const TOKEN = 'token-of-the-page';
const PHONE = { width: 390, height: 760 };

/** A JSON agent that prints all the time, and answers with a tool use and with text that attacks the page. */
const AGENT = `
import { createInterface } from 'node:readline';
let count = 0;
if (process.argv[2] !== 'quiet') setInterval(() => console.log('tick ' + ++count), 50);
const say = (entry) => console.log(JSON.stringify(entry));
for await (const line of createInterface({ input: process.stdin })) {
  const { type, content } = JSON.parse(line);
  if (type !== 'prompt') continue;
  say({ type: 'tool_use', tool_use_id: '1', tool: 'Bash', input: { command: 'git status' } });
  say({ type: 'tool_result', tool_use_id: '1', content: 'clean\\nnothing to commit' });
  say({ type: 'message', content: 'You asked: ' + content + ' \\u001b[31mred\\u001b[0m \\u202e<img src=x onerror=alert(1)>' });
  say({ type: 'turn_completed', content: 'done' });
}
`;

if (missingBrowser) console.error(`[page] skipped: ${missingBrowser}`);

describe.skipIf(missingBrowser)('the page', () => {
  let browser: Browser;
  let manager: Manager;
  let folder: string;
  let cell: { redisUrl: string; cell: string; env: Record<string, string>; home?: string };

  beforeAll(async () => {
    await Promise.all([bundlePage(), bundleWrapper()]);
    folder = await mkdtemp(join(tmpdir(), 'wm-page-'));
    await writeFile(join(folder, 'agent.mjs'), AGENT);
    const redisUrl = inject('redisUrl');
    cell = { redisUrl, cell: newCell(), env: { API_TOKEN: TOKEN, HTTP_PORT: String(await freePort()) } };
    await writeRecords({ ...cell, count: 1000, status: () => ({ status: 'STOPPED', phase: 'finished' }) });
    [browser, manager] = await Promise.all([launchBrowser(), startManager(cell)]);
    cell.home = manager.home;
  });
  afterAll(async () => {
    await browser?.close();
    await manager?.stop();
    if (cell?.home) await cleanCell({ ...cell, home: cell.home });
    await rm(folder, { recursive: true, force: true });
  });

  const send = async (method: string, path: string, body: object) => {
    const response = await fetch(manager.url + path, {
      method,
      headers: manager.headers,
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  };
  const open = async (to: Manager, options?: Parameters<typeof openThePage>[2]): Promise<OpenedPage> => {
    const opened = await openThePage(browser, { url: to.url, token: TOKEN }, options);
    onTestFinished(() => opened.close());
    return opened;
  };
  const entry = (page: Page, text: string) => page.getByRole('log').getByText(text, { exact: true });

  test('a worker is created, watched across a killed manager, prompted and deleted among 1,000', {
    timeout: 120_000,
  }, async () => {
    const opened = await open(manager);
    const { page } = opened;
    await page.getByRole('button', { name: 'All 1,000' }).waitFor();
    const times = await measureKeystrokes(page, 'Filter workers', 'worker-0099');
    console.info(`[page] 1,000 workers: ${median(times).toFixed(0)} ms a keystroke`);
    expect(median(times)).toBeLessThan(100);
    await expect.poll(() => page.locator('[data-worker]').count(), PATIENCE).toBe(10);
    await page.getByLabel('Filter workers').fill('');

    await page.getByRole('button', { name: 'New worker' }).click();
    await page.getByLabel('Name').fill('reviewer');
    await page.getByLabel('Command').fill(`exec ${process.execPath} ${join(folder, 'agent.mjs')}`);
    await page.getByText('More fields, as JSON').first().click();
    await page.getByLabel('More fields, as JSON').fill('{"protocol": "json", "labels": {"team": "<b>"}}');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByRole('heading', { level: 1, name: 'reviewer' }).waitFor();
    await entry(page, 'tick 5').waitFor();

    await page.getByLabel('Prompt').fill('What is <b>this</b>?');
    await page.keyboard.press('Control+Enter');
    await entry(page, 'You asked: What is <b>this</b>? red <img src=x onerror=alert(1)>').waitFor();
    await entry(page, 'What is <b>this</b>?').waitFor();
    await page.getByRole('log').getByText('git status').first().waitFor();
    await page.getByRole('log').getByText('nothing to commit').waitFor({ state: 'hidden' });
    expect(await page.locator('main b, main i, main img').count()).toBe(0);

    manager.kill('SIGKILL');
    await manager.exited;
    await page.getByText('Connection lost; reconnecting …').waitFor();
    manager = await startManager(cell);
    await page.locator('.log-state').getByText('Live').waitFor();
    const ticks = Number(
      /(\d+)$/.exec((await page.locator('.type-stdout .text').last().textContent()) ?? '')?.[1],
    );
    await entry(page, `tick ${ticks + 40}`).waitFor();
    const seqs = await readSeqs(page);
    expect(seqs[0]).toBe(1);
    expectConsecutive(seqs);

    await page.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { level: 1, name: 'Workers' }).waitFor();
    await page.getByLabel('Filter workers').fill('reviewer');
    await page.getByText('No worker matches the filter.').waitFor();
    expect(opened.offences).toEqual([]);
  });

  test('every view is accessible in light and dark, and on a phone', { timeout: 120_000 }, async () => {
    const command_line = [process.execPath, join(folder, 'agent.mjs'), 'quiet'];
    await send('POST', '/v1/workers?wait=ready', {
      agent_type: 'CUSTOM',
      protocol: 'json',
      name: 'shown',
      command_line,
    });
    await send('POST', '/v1/pools', { name: 'text', count: 2, execution_mode: 'direct', commands: true });
    await send('POST', '/v1/tasks', { task_id: 'wrong', pool: 'text', payload: { command: ['false'] } });
    await send('POST', '/v1/workers/shown/prompt', { content: 'Is it clean?' });
    const opened = await open(manager);
    const { page } = opened;
    const views: [path: string, heading: string, shown: string, picture?: string][] = [
      ['#/workers?group=status', 'Workers', 'shown'],
      ['#/workers/shown', 'shown', 'Turn completed', 'worker'],
      ['#/workers/shown?tab=life', 'shown', 'booting', 'life'],
      ['#/workers/shown?tab=files', 'shown', 'Upload files'],
      ['#/workers/shown?tab=explain', 'shown', 'Next check'],
      ['#/workers/shown?tab=spec', 'shown', '"protocol": "json"'],
      ['#/pools', 'Pools', 'Desired', 'pools'],
      ['#/tasks', 'Tasks', 'wrong'],
      ['#/images', 'Images', 'images'],
      ['#/events', 'Events', 'ready'],
      ['#/health', 'Health', 'leadership'],
    ];
    for (const [path, heading, shown, picture] of views) {
      await goTo(opened, path, heading);
      await page.locator('main').getByText(shown).first().waitFor();
      await checkView(page, path, picture);
    }
    await page.getByRole('button', { name: 'Keys' }).click();
    await checkView(page, 'the dialog');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').fill('wrong-token');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('The manager does not accept this token.').waitFor();
    await checkView(page, 'the form for the token');
    expect(await page.evaluate<string>('JSON.stringify({ ...sessionStorage, ...localStorage })')).toBe('{}');
    expect(opened.offences).toEqual([]);
  });

  test('10,000 workers do not freeze it, and keys move in their table', { timeout: 120_000 }, async () => {
    const many = { redisUrl: cell.redisUrl, cell: newCell(), env: { API_TOKEN: TOKEN } };
    await holdLease(many.redisUrl, many.cell);
    await writeRecords({ ...many, count: 10_000, status: mixedStatus });
    const standby = await startManager(many);
    onTestFinished(async () => {
      await standby.stop();
      await cleanCell({ ...many, home: standby.home });
    });
    const opened = await open(standby);
    const { page } = opened;
    await page.getByRole('button', { name: 'All 10,000' }).waitFor();
    const times = await measureKeystrokes(page, 'Filter workers', 'pool:');
    console.info(`[page] 10,000 workers: ${median(times).toFixed(0)} ms a keystroke`);
    expect(median(times)).toBeLessThan(100);
    await page.getByLabel('Filter workers').fill('');
    expect(await page.locator('[data-worker]').count()).toBeLessThan(100);

    // Between two rows the focus is on the body, whose text contains all of them.
    const focused = () =>
      page.evaluate<string>(`document.activeElement?.closest('[data-worker] a')?.textContent ?? ''`);
    await page.getByRole('link', { name: 'worker-09999' }).focus();
    // The first key only selects the row if the table has not seen its focus yet.
    const pressDown = async () => {
      await page.keyboard.press('ArrowDown');
      return focused();
    };
    await expect.poll(pressDown, PATIENCE).toMatch(/worker-0999[0-8]/);
    await page.keyboard.press('End');
    await expect.poll(focused, PATIENCE).toContain('worker-00000');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'worker-00000' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^FAILED/ }).click();
    await expect
      .poll(() => page.locator('[data-worker] .status-failed').count(), PATIENCE)
      .toBeGreaterThan(5);
    await page.getByRole('button', { name: /^All/ }).click();
    await checkView(page, '10,000 workers', 'workers');
    await page.setViewportSize(PHONE);
    await checkView(page, '10,000 workers on a phone', 'phone');
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      PHONE.width,
    );
    expect(opened.offences).toEqual([]);
  });
});

const mixedStatus = (at: number) => {
  if (at % 97 === 3)
    return {
      status: 'FAILED',
      phase: 'finished',
      reason: 'OOMKilled',
      message: 'It exceeded its memory limit of 512m.',
    };
  if (at % 23 === 5)
    return {
      status: 'STARTING',
      phase: 'queued',
      reason: 'Capacity',
      message: 'It waits for 3 others to start.',
    };
  if (at % 11 === 7)
    return { status: 'STOPPED', phase: 'finished', reason: 'Completed', message: 'It exited with code 0.' };
  return { status: 'RUNNING', phase: 'ready' };
};

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
