/** Real managers with webhooks: one is killed while messages are on their way, and one leads with a full queue. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { computeDigest, type PendingWebhook } from '../../src/model/index.ts';
import { getKeys } from '../../src/store/index.ts';
import { WAITING } from '../../src/webhooks/queue.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { startReceiver } from './receiver.ts';

const SOON = { timeout: 40_000, interval: 50 };
const WORKERS = 20;
const redisUrl = inject('redisUrl');
const signed = { WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}` };

async function create(manager: Manager, query: string, command: string): Promise<string> {
  const response = await fetch(`${manager.url}/v1/workers${query}`, {
    method: 'POST',
    headers: { ...manager.headers, 'content-type': 'application/json' },
    body: JSON.stringify({ agent_type: 'CUSTOM', command_line: ['sh', '-c', command] }),
  });
  const answer = (await response.json()) as { worker_id: string };
  expect(response.status, JSON.stringify(answer)).toBe(201);
  return answer.worker_id;
}

test('a manager that is killed in the middle of deliveries loses none, and repeats them under the same ID', {
  timeout: 120_000,
}, async () => {
  let silent = true;
  const receiver = await startReceiver((response) => {
    if (!silent) response.writeHead(204).end();
  });
  const env = { ...signed, WEBHOOK_URLS: receiver.url, WEBHOOK_TYPES: 'worker.failed' };
  const options = { redisUrl, cell: newCell(), env };
  const first = await startManager(options);
  onTestFinished(() => cleanCell({ ...options, home: first.home }));
  const workers = await Promise.all(Array.from({ length: WORKERS }, () => create(first, '', 'exit 3')));
  // Some messages are on their way, some wait, and some workers have not ended yet.
  await vi.waitFor(() => expect(receiver.received.length).toBeGreaterThan(0), SOON);
  first.kill('SIGKILL');
  await first.exited;
  const interrupted = receiver.received.map(({ headers }) => headers['webhook-id']);
  silent = false;
  const second = await startManager({ ...options, home: first.home });
  onTestFinished(async () => void (await second.stop()));
  const answered = () => receiver.received.slice(interrupted.length);
  await vi.waitFor(() => {
    const reported = new Set(answered().map(({ message }) => message.data.worker_id));
    expect(reported).toEqual(new Set(workers));
  }, SOON);
  expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(WORKERS);
  expect(answered().map(({ headers }) => headers['webhook-id'])).toEqual(expect.arrayContaining(interrupted));
});

test('with a full queue and a receiver that does not respond, workers start as always', {
  timeout: 180_000,
}, async () => {
  let silent = true;
  const receiver = await startReceiver((response) => {
    if (!silent) response.writeHead(204).end();
  });
  const cell = newCell();
  const redis = new Redis(redisUrl);
  onTestFinished(() => redis.disconnect());
  await fillQueue(redis, cell, receiver.url);
  const env = {
    ...signed,
    WEBHOOK_URLS: receiver.url,
    WEBHOOK_TYPES: 'worker.ready',
    WEBHOOK_TIMEOUT_SECONDS: '1',
  };
  const started = performance.now();
  const manager = await startManager({ redisUrl, cell, env });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl, cell, home: manager.home });
  });
  const read = async (name: string) => {
    const text = await (await fetch(`${manager.url}/metrics`)).text();
    return Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    );
  };
  const pending = () => read('worker_manager_webhooks_pending{source="setting"}');
  await vi.waitFor(async () => expect(await pending()).toBe(WAITING.setting), SOON);
  const began = performance.now();
  for (let n = 0; n < 5; n += 1) await create(manager, '?wait=ready&timeout_seconds=30', 'sleep 600');
  const each = (performance.now() - began) / 5;
  const blocked = await read('worker_manager_loop_blocked_seconds');
  console.info(`[webhooks] full queue: ${each.toFixed(0)} ms a create`);
  expect(each).toBeLessThan(2000);
  expect(blocked).toBe(0);
  // The new messages have no place.
  expect(await read('worker_manager_webhooks_total{source="setting",result="dropped"}')).toBe(5);
  // Four at first, and one at a time, each for a second, once they have failed.
  expect(receiver.received.length).toBeLessThan(8 + (performance.now() - started) / 1000);
  silent = false;
  await vi.waitFor(async () => expect(await pending()).toBeLessThan(WAITING.setting - 1000), SOON);
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(new Set(ids).size).toBeGreaterThan(1000);
});

/** As many messages as may wait for a URL, as an earlier manager has stored them. */
async function fillQueue(redis: Redis, cell: string, url: string): Promise<void> {
  const pipeline = redis.pipeline();
  for (let n = 0; n < WAITING.setting; n += 1) {
    const pending: PendingWebhook = {
      message_id: `msg_${randomUUID()}`,
      type: 'worker.ready',
      worker_id: randomUUID(),
      reason: '',
      url: new URL(url).origin,
      setting: computeDigest({ url }),
      body: JSON.stringify({ type: 'worker.ready', data: {}, filler: 'x'.repeat(500) }),
      created_at: new Date().toISOString(),
      attempts: 0,
    };
    pipeline.hset(getKeys(cell).webhooks, `${pending.message_id}.0`, JSON.stringify(pending));
  }
  await pipeline.exec();
}
