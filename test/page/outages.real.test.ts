/** What the page shows while something that it needs is away, in a real Chromium. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { bundlePage } from '../../scripts/bundle-page.ts';
import { freePort } from '../support/free-port.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';
import { startRedis } from '../support/redis.ts';
import { goTo, launchBrowser, missingBrowser, openThePage } from './browser.ts';
import { TOKEN } from './page-manager.ts';

describe.skipIf(missingBrowser)('the page during outages', () => {
  let browser: Browser;
  beforeAll(async () => {
    await bundlePage();
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test('it does not call itself live without Redis, and asks for the token when that has changed', {
    timeout: 120_000,
  }, async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const env = { API_TOKEN: TOKEN, HTTP_PORT: String(await freePort()) };
    const cell = { redisUrl: redis.url, cell: newCell() };
    let manager = await startManager({ ...cell, env });
    const { home } = manager;
    onTestFinished(async () => {
      await manager.stop();
      await cleanCell({ ...cell, home });
    });
    const opened = await openThePage(browser, { url: manager.url, token: TOKEN });
    onTestFinished(() => opened.close());
    const { page } = opened;
    const state = page.locator('.connection');
    await state.getByText('Live').waitFor();

    await redis.kill();
    await state.getByText('Not ready').waitFor();
    expect(await state.getByRole('link').getAttribute('title')).toMatch(/redis: /);
    await state.getByRole('link').click();
    await page.getByRole('heading', { level: 1, name: 'Health' }).waitFor();
    await redis.start();
    await state.getByText('Live').waitFor();

    await goTo(opened, '#/events', 'Events');
    await manager.stop();
    const changed = 'another-token-of-the-page';
    manager = await startManager({ ...cell, home, env: { ...env, API_TOKEN: changed } });
    await page.getByText('The manager does not accept this token.').waitFor();
    await page.getByLabel('Token').fill(changed);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('heading', { level: 1, name: 'Events' }).waitFor();
    expect(opened.offences).toEqual([]);
  });
});
