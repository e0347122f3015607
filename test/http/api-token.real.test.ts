import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, newCell, startManager } from '../support/manager.ts';

// The file was accepted and never read: the API stood open.
test('a manager with a token in a file answers nobody without it, and never tells it', async () => {
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
