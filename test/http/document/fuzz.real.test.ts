/** Generated requests never fail the manager, and its answers are as documented. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { newCell, startManager } from '../../support/manager.ts';
import { startRedis } from '../../support/redis.ts';
import { findSchemathesis, fuzz } from '../schemathesis.ts';

const SECONDS = 30;

test('a fuzzer finds no server error, and no answer that the document does not have', async (context) => {
  const found = await findSchemathesis();
  if ('missing' in found) return context.skip(`Schemathesis cannot be installed from PyPI: ${found.missing}`);
  const redis = await startRedis({ appendonly: false });
  const cwd = await mkdtemp(join(tmpdir(), 'wm-fuzz-'));
  // Without an engine, nothing that it declares ever runs: neither random commands nor hundreds of workers.
  const env = { RUNTIME: 'docker', DOCKER_HOST: `unix://${join(cwd, 'none.sock')}` };
  const manager = await startManager({
    redisUrl: redis.url,
    cell: newCell(),
    home: cwd,
    env,
  });
  onTestFinished(async () => {
    await manager.stop();
    await redis.stop();
    await rm(cwd, { recursive: true, force: true });
  });
  const { url, token } = manager;
  const { passed, report } = await fuzz(found.program, { url, token, seconds: SECONDS, cwd });
  expect(passed, report.slice(-20_000)).toBe(true);
  expect(report).toMatch(/[1-9]\d* generated/);
  expect(manager.log()).not.toContain('HTTP request failed');
  expect((await fetch(`${url}/livez`)).status).toBe(200);
}, 300_000);
