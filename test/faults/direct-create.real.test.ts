/** A create over HTTP whose manager is killed before it answers is repeated by its client, and exists once. */
import { randomUUID } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import type { Manager } from '../support/manager.ts';
import { openWorld, PATIENCE } from './world.ts';

const SPEC = { agent_type: 'CUSTOM', command_line: ['sleep', '600'], stop_grace_seconds: 1 };

const leads = ({ url }: Manager) =>
  vi.waitFor(async () => expect(await (await fetch(`${url}/readyz`)).text()).toContain('leader'), PATIENCE);

const create = ({ url, headers }: Manager, key: string) =>
  fetch(`${url}/v1/workers`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': key },
    body: JSON.stringify(SPEC),
  });

test.for([
  { point: 'command:read', stored: 0 },
  { point: 'command:settled', stored: 1 },
])('killed at $point, the next manager accepts the repeated request once', async ({ point, stored }) => {
  const world = await openWorld('process');
  const key = randomUUID();
  const first = await world.start(`${point}@2`);
  await leads(first);
  // Leading begins before commands are read; a create that was answered shows that they are.
  expect((await create(first, randomUUID())).status).toBe(201);
  await expect(create(first, key)).rejects.toThrow();
  await first.exited;
  const before = await world.cell.store.ids();
  expect(before).toHaveLength(1 + stored);
  // It did not go through the stream.
  expect(await world.cell.redis.xlen(world.cell.store.keys.commands)).toBe(0);
  const second = await world.start();
  await leads(second);
  const repeated = await Promise.all([create(second, key), create(second, key)]);
  const answers = await Promise.all(
    repeated.map(async (response) => {
      const { worker_id } = (await response.json()) as { worker_id: string };
      return { status: response.status, worker_id };
    }),
  );
  const ids = await world.cell.store.ids();
  expect(ids).toHaveLength(2);
  expect(ids.slice(0, before.length)).toEqual(before);
  expect(answers).toEqual([201, 201].map((status) => ({ status, worker_id: ids[1] })));
  await world.reach(ids[1] ?? '', { status: 'RUNNING' });
});
