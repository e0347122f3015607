import { existsSync } from 'node:fs';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, newCell, startManager } from './manager.ts';

test('a manager leads, responds, shuts down on request, and leaves nothing behind', async () => {
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const manager = await startManager({ redisUrl, cell });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl, cell, home: manager.home });
    expect(existsSync(manager.home)).toBe(false);
  });
  await expect.poll(async () => (await fetch(`${manager.url}/readyz`)).status, { timeout: 10_000 }).toBe(200);
  await expect.poll(manager.log, { timeout: 10_000 }).toContain('"leading"');
  expect(await manager.stop()).toBe(0);
});

test('a manager that cannot start is reported with its own output', async () => {
  const options = { redisUrl: inject('redisUrl'), cell: newCell(), env: { HTTP_PORT: 'eighty' } };
  await expect(startManager({ ...options, home: '/tmp' })).rejects.toThrow(/HTTP_PORT is "eighty"/);
});
