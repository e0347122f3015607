import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { wmOf } from '../../cli/wm.ts';
import { cleanCell, newCell, startManager } from '../../support/manager.ts';

// The file was accepted and never read: the API stood open.
test('a manager with a token in a file answers no request without it, and never prints it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-token-'));
  const API_TOKEN_FILE = join(home, 'token');
  writeFileSync(API_TOKEN_FILE, 'of-the-file\n');
  const options = { redisUrl: inject('redisUrl'), cell: newCell(), home };
  const manager = await startManager({ ...options, env: { RUNTIME: 'process', API_TOKEN_FILE } });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell(options);
  });
  const status = async (path: string, token?: string, method = 'GET') =>
    (await fetch(manager.url + path, { method, headers: token ? { authorization: `Bearer ${token}` } : {} }))
      .status;
  for (const token of [undefined, 'of-another']) {
    expect(await status('/v1/pools', token)).toBe(401);
    expect(await status('/task/submit', token, 'POST')).toBe(401);
  }
  expect(await status('/v1/pools', 'of-the-file')).toBe(200);
  expect(await status('/livez')).toBe(200);
  expect(manager.log()).not.toContain('of-the-file');
});

// Loopback is not authentication: any user and any program of the machine could run commands.
test('a manager without a token of the operator makes one, which wm of the same home knows', async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-token-'));
  const options = { redisUrl: inject('redisUrl'), cell: newCell(), home };
  const manager = await startManager(options);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell(options);
  });
  const status = async (path: string, headers = {}) => (await fetch(manager.url + path, { headers })).status;
  for (const path of ['/v1/pools', '/task/any']) expect(await status(path)).toBe(401);
  for (const path of ['/livez', '/readyz', '/healthz', '/metrics']) expect(await status(path)).not.toBe(401);

  // As from another shell, which knows neither Redis nor the manager.
  const { start } = wmOf(options);
  const wm = (...args: string[]) => start(args, undefined, { REDIS_URL: '' }).done;
  await expect.poll(async () => (await wm('context')).out, { timeout: 20_000 }).toContain(manager.url);
  expect(manager.token).not.toBe('');
  const { out } = await wm('context', '--token');
  expect(out).toBe(`${manager.token}\n`);
  expect(await status('/v1/pools', { authorization: `Bearer ${out.trim()}` })).toBe(200);
  expect((await wm('context', '-o', 'json')).out).not.toContain(manager.token);
  expect((await wm('config')).out).toMatch(new RegExp(`REDIS_URL +${options.redisUrl} +context file`));
  expect(await wm('ps')).toMatchObject({ code: 0, err: '' });
  expect(manager.log()).not.toContain(manager.token);
});

test('wm without a manager says that there is no token', async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-token-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const { wm } = wmOf({ redisUrl: inject('redisUrl'), cell: newCell(), home });
  expect(await wm('context', '--token')).toMatchObject({ code: 1, err: expect.stringContaining('WM_TOKEN') });
});

test('a manager that others may reach does not start without a token', async () => {
  const home = mkdtempSync(join(tmpdir(), 'wm-token-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const env = { HTTP_HOST: '0.0.0.0' };
  const { code, err } = await wmOf({ redisUrl: inject('redisUrl'), cell: newCell(), home, env }).wm('serve');
  expect({ code, err }).toEqual({
    code: 2,
    err: expect.stringMatching(/^error: HTTP_HOST is 0\.0\.0\.0, .* Set API_TOKEN or API_TOKEN_FILE/),
  });
});
