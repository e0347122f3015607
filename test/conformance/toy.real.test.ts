/**
 * A worker's life in a runtime that the manager does not know, which only needs a line in the table of names.
 */
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { openHandlers } from '../../src/config/handlers-dir.ts';
import { openSecrets } from '../../src/config/secrets-dir.ts';
import { readSettings } from '../../src/config/settings.ts';
import { serve } from '../../src/manager/serve.ts';
import { withWorkerToken } from '../../src/manager/worker-secrets.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { openCell } from '../store/cell.ts';
import { createToyRuntime, ToyEngine } from './toy-runtime.ts';

vi.mock(import('../../src/model/runtime-table.ts'), async (original) => {
  const [table, { TOY }] = await Promise.all([original(), import('./toy-runtime.ts')]);
  return { ...table, RUNTIMES: { ...table.RUNTIMES, toy: TOY } as typeof table.RUNTIMES };
});

const PATIENCE = { timeout: 30_000, interval: 20 };
const WRAPPER = new URL('../../dist/wrapper.mjs', import.meta.url).pathname;

test('a worker is created, answers a prompt, is stopped and deleted in a toy runtime', async () => {
  const cell = openCell();
  const engine = new ToyEngine();
  const manager = startManager(cell.name, engine);
  onTestFinished(async () => {
    await manager.stop();
    for (const held of engine.bodies.values()) await engine.remove(held);
    rmSync(engine.root, { recursive: true });
  });
  const worker_id = randomUUID();
  const push = (command: string, more: object = {}) =>
    cell.push({ request_id: randomUUID(), command, worker_id, ...more });
  const status = async () => (await cell.store.status(worker_id))?.status;
  const output = () => cell.read(cell.store.keys.output(worker_id));

  await push('create', { agent_type: 'CUSTOM', command_line: ['cat'], runtime: 'toy', prompt: 'hello' });
  await vi.waitFor(
    async () => expect(await status()).toMatchObject({ status: 'RUNNING', runtime: 'toy' }),
    PATIENCE,
  );
  await vi.waitFor(
    async () =>
      expect(await output()).toContainEqual(expect.objectContaining({ type: 'stdout', content: 'hello' })),
    PATIENCE,
  );
  expect([...engine.bodies.values()].map(({ body }) => body)).toMatchObject([
    { worker_id, state: 'running' },
  ]);

  await push('stop');
  await vi.waitFor(async () => expect(await status()).toMatchObject({ status: 'STOPPED' }), PATIENCE);
  await push('delete');
  await vi.waitFor(async () => expect(await status()).toMatchObject({ phase: 'deleted' }), PATIENCE);
  expect(engine.bodies.size).toBe(0);
  for (const { success, error } of await cell.answers()) expect(success, JSON.stringify(error)).toBe(true);
});

/** A whole manager in this process, whose only runtime is the toy. */
function startManager(cell: string, engine: ToyEngine) {
  const redisUrl = inject('redisUrl');
  const settings = readSettings({
    REDIS_URL: redisUrl,
    CELL: cell,
    RUNTIME: 'toy',
    HTTP_PORT: '0',
    LEASE_SECONDS: '1',
  });
  const end = new AbortController();
  const running = serve({
    settings: { ...settings, apiToken: randomUUID() },
    version: 'test',
    runtimes: [createToyRuntime(engine, { cell, argv: [process.execPath, WRAPPER] })],
    bodyRedisUrl: async () => redisUrl,
    secrets: withWorkerToken(openSecrets(undefined), 'toy-token'),
    handlers: openHandlers(undefined),
    diskSpaceError: async () => undefined,
    imageDisk: async () => ({ free: undefined, watermark: undefined }),
    imageUnavailableReason: () => async () => undefined,
    metrics: createMetrics({ version: 'test' }),
    log: createLogger({ level: 'silent', version: 'test', secrets: [] }),
    signal: end.signal,
  });
  return {
    stop: async () => {
      end.abort();
      await running;
    },
  };
}
