import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const [redisUrl, cell] = [inject('redisUrl'), newCell()];
let manager: Manager;

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, env: { CANARY_SECONDS: '1' } });
});
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home: manager.home });
});

test('the canary passes every step in a real body', async () => {
  const metrics = async () => (await fetch(`${manager.url}/metrics`)).text();
  await expect.poll(metrics, { timeout: 30_000 }).toMatch(/canary_runs_total{[^}]*result="ok"} [1-9]/);
  for (const step of ['ready', 'first_output', 'exec', 'deleted'])
    expect(await metrics()).toMatch(new RegExp(`canary_duration_seconds_count{[^}]*step="${step}"} [1-9]`));
});
