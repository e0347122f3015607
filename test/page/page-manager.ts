/** A browser and a manager of the test's own, for tests of views of the page. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, inject, onTestFinished } from 'vitest';
import { bundlePage } from '../../scripts/bundle-page.ts';
import { bundleWrapper } from '../../scripts/bundle-wrapper.ts';
import { freePort } from '../support/free-port.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { launchBrowser, type OpenedPage, openThePage } from './browser.ts';

export const TOKEN = 'token-of-the-page';
export const PHONE = { width: 390, height: 760 };
export const PATIENCE = { timeout: 40_000, interval: 100 };

type Cell = { redisUrl: string; cell: string; env: Record<string, string>; home?: string };

/** Call it in a `describe`: all is started before its tests, and ended after them. */
export function usePageManager() {
  let browser: Browser;
  let manager: Manager;
  let cell: Cell | undefined;

  beforeAll(async () => {
    await Promise.all([bundlePage(), bundleWrapper()]);
    const env = { API_TOKEN: TOKEN, HTTP_PORT: String(await freePort()) };
    const started: Cell = { redisUrl: inject('redisUrl'), cell: newCell(), env };
    cell = started;
    [browser, manager] = await Promise.all([launchBrowser(), startManager(started)]);
    started.home = manager.home;
  });
  afterAll(async () => {
    await browser?.close();
    await manager?.stop();
    if (cell?.home) await cleanCell({ ...cell, home: cell.home });
  });

  const send = async (method: string, path: string, body?: object) => {
    const response = await fetch(manager.url + path, {
      method,
      headers: { ...manager.headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
    return response;
  };
  return {
    /** The one that runs now. */
    manager: () => manager,
    /** SIGKILL, and another manager of the same cell at the same address. */
    replaceManager: async () => {
      manager.kill('SIGKILL');
      await manager.exited;
      manager = await startManager(cell as Cell);
    },
    send,
    createWorker: (name: string) =>
      send('POST', '/v1/workers?wait=ready', { agent_type: 'CUSTOM', name, command_line: ['cat'] }),
    open: async (): Promise<OpenedPage> => {
      const opened = await openThePage(browser, { url: manager.url, token: TOKEN });
      onTestFinished(() => opened.close());
      return opened;
    },
  };
}
