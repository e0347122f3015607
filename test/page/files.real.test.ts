/** The files of a worker in the page, in a real Chromium. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { goTo, missingBrowser } from './browser.ts';
import { usePageManager } from './page-manager.ts';

describe.skipIf(missingBrowser)('the files of a worker in the page', () => {
  const { createWorker, open, send } = usePageManager();

  test('files are uploaded, opened, downloaded and removed', { timeout: 120_000 }, async () => {
    await createWorker('with-files');
    const opened = await open();
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
