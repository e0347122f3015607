/** With RUNTIME=auto, Docker may be missing until something needs it; alerts depend on this. */
import { afterEach, expect, inject, test, vi } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const SOON = { timeout: 20_000, interval: 50 };
const redisUrl = inject('redisUrl');
const nowhere = { DOCKER_HOST: 'unix:///nowhere/docker.sock' };
let manager: Manager | undefined;

afterEach(async () => {
  if (!manager) return;
  const { cell, home } = manager;
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

/** The gauges of the runtime docker, once the manager leads and has checked it. */
async function readGauges(): Promise<{ up: string | undefined; expected: string | undefined }> {
  const text = await (await fetch(`${manager?.url}/metrics`)).text();
  expect(text).toContain('worker_manager_leader 1');
  const read = (name: string) =>
    new RegExp(`^worker_manager_runtime_${name}\\{runtime="docker"\\} (.*)$`, 'm').exec(text)?.[1];
  return { up: read('up'), expected: read('expected') };
}

test('with auto, Docker that never answered is not expected, until a worker is created for it', async () => {
  manager = await startManager({ redisUrl, cell: newCell(), env: { RUNTIME: 'auto', ...nowhere } });
  await vi.waitFor(async () => expect(await readGauges()).toEqual({ up: '0', expected: '0' }), SOON);
  const body = { agent_type: 'CUSTOM', command_line: ['true'], runtime: 'docker' };
  const created = await fetch(`${manager.url}/v1/workers`, {
    method: 'POST',
    headers: { ...manager.headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(created.status, await created.text()).toBe(201);
  await vi.waitFor(async () => expect(await readGauges()).toEqual({ up: '0', expected: '1' }), SOON);
});

test('a runtime that RUNTIME names is always expected', async () => {
  manager = await startManager({ redisUrl, cell: newCell(), env: { RUNTIME: 'docker', ...nowhere } });
  await vi.waitFor(async () => expect(await readGauges()).toEqual({ up: '0', expected: '1' }), SOON);
});
