/** Uses what the metrics of doors, checkpoints, webhooks and tools are about, and makes them fail. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { expect, vi } from 'vitest';
import { computeDigest, formatInstant, type PendingWebhook } from '../../src/model/index.ts';
import { getKeys } from '../../src/store/index.ts';
import type { Manager } from '../support/manager.ts';

/** A workspace is measured every HEALTH_CHECK_INTERVAL, which is 25 s in the test of alerts. */
const PATIENCE = { timeout: 90_000, interval: 100 };
/** More than an alert waits for. */
const LONG_AGO_MS = 2 * 3_600_000;
/** Nothing listens here. */
const AWAY = 'http://127.0.0.1:9/';

type Ask = (method: string, path: string, body?: object) => Promise<Record<string, unknown>>;

/** A receiver that accepts the first message and wants no others, and one that is away and that a message waits for. */
export async function startWebhooks(redisUrl: string, cell: string) {
  let count = 0;
  const server = createServer((request, response) => {
    count += 1;
    request.resume();
    response.writeHead(count === 1 ? 204 : 410).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const waiting: PendingWebhook = {
    message_id: 'msg_old',
    type: 'worker.failed',
    worker_id: '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11',
    reason: 'Error',
    url: new URL(AWAY).origin,
    setting: computeDigest({ url: AWAY }),
    body: '{}',
    created_at: formatInstant(Date.now() - LONG_AGO_MS),
    attempts: 0,
  };
  const redis = new Redis(redisUrl);
  await redis.hset(getKeys(cell).webhooks, 'msg_old.0', JSON.stringify(waiting));
  redis.disconnect();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return {
    env: { WEBHOOK_URLS: `${url} ${AWAY}`, WEBHOOK_SECRET: `whsec_${'AAAA'.repeat(8)}` },
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Limits that the worker below exceeds. */
export const LIMITS = { CHECKPOINT_BUDGET: '1m' };

/** A worker with a command, a checkpoint and a fork; then its workspace is too large for itself and for checkpoints. */
export async function useDoors(ask: Ask, { url, headers }: Manager): Promise<void> {
  const spec = { agent_type: 'CUSTOM', runtime: 'process', command_line: ['cat'], workspace: { size: '1m' } };
  const { worker_id } = await ask('POST', '/v1/workers?wait=ready&timeout_seconds=30', spec);
  const path = `/v1/workers/${worker_id}`;
  await ask('POST', `${path}/exec`, { command: ['true'] });
  const { checkpoint_id } = await ask('POST', `${path}/checkpoints`);
  await ask('POST', '/v1/workers?wait=ready&timeout_seconds=30', { ...spec, from_checkpoint: checkpoint_id });
  await ask('POST', `${path}/exec`, { command: ['dd', 'if=/dev/urandom', 'of=big', 'bs=1M', 'count=3'] });
  for (let n = 0; n < 3; n += 1) {
    const refused = await fetch(`${url}${path}/checkpoints`, { method: 'POST', headers });
    expect(refused.status, await refused.text()).toBe(429);
  }
  // One without a token does not reach the API, one to a path that does not exist does.
  expect((await fetch(`${url}/v1/workers`, { method: 'POST', body: '{}' })).status).toBe(401);
  expect((await fetch(`${url}/v1/nothing`, { headers })).status).toBe(404);
  const tools = await fetch(`${url}/mcp`, {
    method: 'POST',
    headers: {
      ...headers,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
  });
  expect(await tools.text()).toContain('read_file');
  await vi.waitFor(
    async () => expect(await ask('GET', path)).toMatchObject({ reason: 'WorkspaceFull' }),
    PATIENCE,
  );
}
