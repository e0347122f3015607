/** A development server with hot reload in a worker, in a real browser, at the host of its port. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { connect } from '../../src/client/index.ts';
import { wmOf } from '../cli/wm.ts';
import { freePort } from '../support/free-port.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';
import { launchBrowser, missingBrowser } from './browser.ts';

const LONG = 120_000;
const soon = { timeout: 30_000, interval: 50 };
const require = createRequire(createRequire(import.meta.url).resolve('vitest'));
const VITE = join(dirname(require.resolve('vite/package.json')), 'bin/vite.js');

test.skipIf(missingBrowser)(
  'a page of Vite reloads a module while it is open, and cannot use the API',
  { timeout: LONG },
  async () => {
    const options = { redisUrl: inject('redisUrl'), cell: newCell() };
    const manager = await startManager(options);
    const root = await mkdtemp(join(tmpdir(), 'vite-'));
    const browser = await launchBrowser();
    onTestFinished(async () => {
      await browser.close();
      await manager.stop();
      await cleanCell({ ...options, home: manager.home });
      await rm(root, { recursive: true });
    });
    // In place: a file that is empty for a moment would be another module.
    const write = (text: string, flag = 'r+') =>
      writeFile(
        join(root, 'text.js'),
        `export const text = ${JSON.stringify(text)};\nif (import.meta.hot) import.meta.hot.accept((next) => { document.querySelector('h1').textContent = next.text; });\n`,
        { flag },
      );
    await writeFile(
      join(root, 'index.html'),
      '<h1></h1><script type="module">import { text } from "/text.js"; document.querySelector("h1").textContent = text; window.loads = (window.loads ?? 0) + 1;</script>',
    );
    await write('before', 'w');
    const port = await freePort();
    const client = connect({ url: manager.url, token: manager.token });
    const worker = await client.workers.create(
      {
        agent_type: 'CUSTOM',
        name: 'dev',
        command_line: [
          process.execPath,
          VITE,
          root,
          '--port',
          String(port),
          '--strictPort',
          '--host',
          '127.0.0.1',
        ],
      },
      { wait: 'running' },
    );
    const ready = () =>
      fetch(`${manager.url}/v1/workers/dev/ports/${port}/text.js`, { headers: manager.headers });
    await vi.waitFor(async () => expect((await ready()).status).toBe(200), soon);
    const { start } = wmOf({ ...options, home: manager.home });
    const printed = await start(['url', 'dev', String(port)], undefined, {
      WM_URL: manager.url,
      WM_TOKEN: manager.token,
    }).done;
    expect(printed.code).toBe(0);

    const page = await browser.newPage();
    // Before that, an update would not reach the page.
    const connected = page.waitForEvent('console', (message) => message.text().includes('[vite] connected'));
    await page.goto(printed.out.trim());
    const { origin } = new URL(page.url());
    expect(page.url()).toBe(`${origin}/`);
    expect(origin).toContain(`${port}-${worker.id}.localhost`);
    await page.getByRole('heading', { name: 'before' }).waitFor();
    await page.evaluate('window.mark = "same page"');
    await connected;
    // It does not say from when on it watches files.
    const afterWrite = async () => {
      await write('after!');
      return page.getByRole('heading').textContent();
    };
    await expect.poll(afterWrite, { ...soon, interval: 1000 }).toBe('after!');
    expect(await page.evaluate('window.mark')).toBe('same page');

    // A program in the worker writes this page; it must not reach the API as the user.
    const tried = (await page.evaluate(`Promise.all(
    ['${manager.url}', 'http://localhost:${new URL(manager.url).port}'].map((url) =>
      fetch(url + '/v1/workers', { credentials: 'include' }).then((answer) => answer.status, () => 'refused')))`)) as unknown[];
    expect(tried).toEqual(['refused', 'refused']);
    const posted = await page.evaluate(
      `fetch('http://localhost:${new URL(manager.url).port}/v1/workers/dev/stop', { method: 'POST', mode: 'no-cors', credentials: 'include' }).then(() => 'sent', () => 'refused')`,
    );
    expect(['sent', 'refused']).toContain(posted);
    expect((await worker.refresh()).status).toBe('RUNNING');

    // Below the API's own origin, the same page is in a sandbox.
    const context = await browser.newContext({ extraHTTPHeaders: manager.headers });
    const boxed = await context.newPage();
    await boxed.goto(`${manager.url}/v1/workers/dev/ports/${port}/`);
    expect(await boxed.evaluate('self.origin')).toBe('null');
    expect(await boxed.evaluate('try { localStorage.length; "open" } catch { "closed" }')).toBe('closed');
  },
);
