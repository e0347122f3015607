/** Checkpoints, forks and ports of a worker in the page, in a real Chromium. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { checkView, goTo, missingBrowser } from './browser.ts';
import { PATIENCE, PHONE, usePageManager } from './page-manager.ts';

describe.skipIf(missingBrowser)('checkpoints and ports in the page', () => {
  const { manager, send, createWorker, open } = usePageManager();

  test('a checkpoint is saved, downloaded, forked and deleted', { timeout: 120_000 }, async () => {
    await createWorker('first');
    await send('POST', '/v1/workers/first/exec', { shell: 'echo saved >file' });
    const opened = await open();
    const { page } = opened;
    const main = page.locator('main');
    await goTo(opened, '#/workers/first?tab=checkpoints', 'first');
    await main.getByText('There are no checkpoints of this worker.').waitFor();
    await main.getByRole('button', { name: 'Save a checkpoint' }).click();
    await main.getByRole('button', { name: /^Fork from/ }).waitFor();
    await checkView(page, 'checkpoints', 'checkpoints');
    await page.setViewportSize(PHONE);
    await page.reload();
    await main.getByRole('button', { name: /^Fork from/ }).waitFor();
    await checkView(page, 'checkpoints on a phone');
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(
      PHONE.width,
    );
    const tabs = page.getByRole('tablist');
    const [tab, all] = [
      await tabs.getByRole('tab', { selected: true }).boundingBox(),
      await tabs.boundingBox(),
    ];
    expect((tab?.x ?? 0) + (tab?.width ?? 0)).toBeLessThanOrEqual((all?.x ?? 0) + (all?.width ?? 0) + 1);
    await page.setViewportSize({ width: 1280, height: 760 });
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      main.getByRole('button', { name: /^Download/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^[0-9a-f-]{36}\.tar\.(zst|gz)$/);
    expect((await readFile(await download.path())).length).toBeGreaterThan(50);

    await send('POST', '/v1/workers/first/exec', { shell: 'echo later >file' });
    await main.getByRole('button', { name: /^Fork from/ }).click();
    await page.getByRole('dialog').getByLabel('Name').fill('first');
    await checkView(page, 'the dialog of a fork');
    await page.getByRole('dialog').getByRole('button', { name: 'Fork' }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.getByRole('dialog').getByLabel('Name').fill('second');
    await page.getByRole('dialog').getByRole('button', { name: 'Fork' }).click();
    await page.getByRole('heading', { level: 1, name: 'second' }).waitFor();
    await expect
      .poll(
        async () => (await fetch(`${manager().url}/v1/workers/second/files/file`, manager())).text(),
        PATIENCE,
      )
      .toBe('saved\n');

    await goTo(opened, '#/workers/first?tab=checkpoints', 'first');
    await main.getByRole('button', { name: /^Delete [0-9a-f]/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await main.getByText('There are no checkpoints of this worker.').waitFor();
    expect(opened.offences).toEqual([]);
  });

  test('a link shows a server in the worker at an origin of its own', { timeout: 120_000 }, async () => {
    await createWorker('serving');
    const port = await freePort();
    const program = `require('http').createServer((_, answer) => answer.end('hello from the worker')).listen(${port}, '127.0.0.1')`;
    await send('POST', '/v1/workers/serving/exec', {
      command: [process.execPath, '-e', program],
      detach: true,
    });
    const served = async () =>
      (await fetch(`${manager().url}/v1/workers/serving/ports/${port}/`, manager())).status;
    await expect.poll(served, PATIENCE).toBe(200);
    const opened = await open();
    const { page } = opened;
    await goTo(opened, '#/workers/serving?tab=ports', 'serving');
    await page.getByRole('spinbutton', { name: 'Port' }).fill(String(port));
    await page.getByRole('button', { name: 'Create a link' }).click();
    const link = page.getByRole('link', { name: `Open port ${port}` });
    await link.waitFor();
    await checkView(page, 'a link to a port');
    const [shown] = await Promise.all([page.context().waitForEvent('page'), link.click()]);
    await shown.getByText('hello from the worker').waitFor();
    expect(new URL(shown.url()).host).not.toBe(new URL(manager().url).host);
    await link.waitFor({ state: 'detached' });
    await goTo(opened, '#/workers/serving?tab=dockerfile', 'serving');
    await page.getByText('A worker of the runtime process has no image.').waitFor();
    await checkView(page, 'a worker without a Dockerfile');
    expect(opened.offences).toEqual([]);
  });
});
