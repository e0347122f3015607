/** The files of a worker in the page, in a real Chromium. */
import { readFile } from 'node:fs/promises';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { bundlePage } from '../../scripts/bundle-page.ts';
import { bundleWrapper } from '../../scripts/bundle-wrapper.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { goTo, launchBrowser, missingBrowser, openThePage } from './browser.ts';

const TOKEN = 'token-of-the-page';

describe.skipIf(missingBrowser)('the files of a worker in the page', () => {
  let browser: Browser;
  let manager: Manager;
  const cell = { redisUrl: inject('redisUrl'), cell: newCell(), env: { API_TOKEN: TOKEN } };

  beforeAll(async () => {
    await Promise.all([bundlePage(), bundleWrapper()]);
    [browser, manager] = await Promise.all([launchBrowser(), startManager(cell)]);
  });
  afterAll(async () => {
    await browser?.close();
    await manager?.stop();
    if (manager) await cleanCell({ ...cell, home: manager.home });
  });

  const send = async (method: string, path: string, body: object) => {
    const response = await fetch(manager.url + path, {
      method,
      headers: { ...manager.headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
  };

  test('files are uploaded, opened, downloaded and removed', { timeout: 120_000 }, async () => {
    await send('POST', '/v1/workers?wait=ready', {
      agent_type: 'CUSTOM',
      name: 'with-files',
      command_line: ['cat'],
    });
    const opened = await openThePage(browser, { url: manager.url, token: TOKEN });
    onTestFinished(() => opened.close());
    const { page } = opened;
    await goTo(opened, '#/workers/with-files?tab=files', 'with-files');
    const main = page.locator('main');
    await main.getByText('The folder is empty.').or(main.getByRole('row').first()).waitFor();
    const content = 'one <b>two</b>\n'.repeat(30_000);
    const odd = 'a b?<i>#.txt';
    await main.getByLabel('Upload files').setInputFiles([
      { name: odd, mimeType: 'text/plain', buffer: Buffer.from(content) },
      { name: 'empty', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
    ]);
    await main.getByRole('button', { name: odd, exact: true }).click();
    await main.getByRole('region', { name: 'Content' }).getByText('one <b>two</b>').first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      main.getByRole('button', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toContain('a b');
    expect(await readFile(await download.path(), 'utf8')).toBe(content);
    await main.getByRole('button', { name: 'empty', exact: true }).click();
    await main.getByRole('heading', { name: 'empty' }).waitFor();
    await send('POST', '/v1/workers/with-files/exec', {
      shell: 'mkdir -p src/deep; echo inside >src/deep/file',
    });
    await main.getByRole('button', { name: 'src/' }).click();
    await main.getByRole('button', { name: 'deep/' }).click();
    await main.getByRole('button', { name: 'file', exact: true }).click();
    await main.getByRole('region', { name: 'Content' }).getByText('inside').waitFor();
    await main.getByRole('navigation', { name: 'Folder' }).getByRole('button', { name: 'workspace' }).click();
    await main.getByRole('button', { name: 'Remove src' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await main.getByRole('button', { name: 'src/' }).waitFor({ state: 'detached' });
    expect(await page.locator('main b, main i').count()).toBe(0);
    expect(opened.offences).toEqual([]);
  });
});
