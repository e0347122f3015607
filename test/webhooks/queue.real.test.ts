/** The queue of webhooks on a real Redis and with real receivers. */
import { createHmac, randomUUID } from 'node:crypto';
import pino from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Decision, Observation, StatusRecord, WorkerRecord } from '../../src/model/index.ts';
import { WebhookStore } from '../../src/store/index.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { Webhooks, type WebhooksOptions } from '../../src/webhooks/index.ts';
import { WAITING } from '../../src/webhooks/queue.ts';
import { type Cell, openCell } from '../store/cell.ts';
import { freePort } from '../support/free-port.ts';
import { startReceiver } from './receiver.ts';

const SOON = { timeout: 20_000, interval: 20 };
const KEY = new Uint8Array(32).fill(1);
const SECRET = `whsec_${Buffer.from(KEY).toString('base64')}`;

interface World {
  cell: Cell;
  store: WebhookStore;
  webhooks: Webhooks;
  /** Records an end of a worker, with the messages that report it. */
  end(targets?: string[]): Promise<string>;
  lead(): { stop(): Promise<void> };
  metrics(): Promise<string>;
}

function openWebhookWorld(settings: Partial<WebhooksOptions['settings']>): World {
  const cell = openCell();
  const store = new WebhookStore(cell.redis, cell.store.keys);
  const metrics = createMetrics({ processMetrics: false });
  const webhooks = new Webhooks({
    store,
    cell: cell.name,
    version: '1',
    settings: {
      webhookUrls: [],
      webhookSecret: [KEY],
      webhookTypes: ['worker.failed'],
      webhookTimeoutSeconds: 1,
      webhookGiveUpSeconds: 3600,
      webhookAllowPrivate: true,
      ...settings,
    },
    secrets: async () => ({ hook: SECRET }),
    metrics,
    log: pino({ level: 'silent' }),
    now: Date.now,
  });
  return {
    cell,
    store,
    webhooks,
    metrics: () => metrics.text(),
    async end(targets = []) {
      const worker = randomUUID();
      const created = failure(webhooks, worker, targets);
      // As record.lua does, without the rest of a worker's record.
      for (const [id, pending] of Object.entries(created ?? {}))
        await cell.redis.hset(cell.store.keys.webhooks, id, JSON.stringify(pending));
      if (created) webhooks.stored(created);
      return worker;
    },
    lead() {
      const end = new AbortController();
      const run = webhooks.run(end.signal);
      const stop = () => {
        end.abort();
        return run;
      };
      onTestFinished(stop);
      return { stop };
    },
  };
}

function failure(webhooks: Webhooks, worker_id: string, targets: string[] = []) {
  const status: StatusRecord = {
    status: 'FAILED',
    phase: 'finished',
    reason: 'OOMKilled',
    message: 'It exceeded its memory limit and was killed.',
    exit_code: 137,
    incarnation: 1,
    restarts: 0,
    runtime: 'process',
    observed_generation: 1,
  };
  const spec = { agent_type: 'CUSTOM', webhooks: targets.map((url) => ({ url, secret: 'hook' })) };
  const desired = { spec, created_at: '2026-01-01T00:00:00.000Z' };
  const observation = { worker_id, desired, status: undefined, now: Date.now() } as unknown as Observation;
  return webhooks.create({ revision: 3 } as WorkerRecord, observation, { status } as Decision);
}

test('a message is signed, and says why the worker ended', async () => {
  const receiver = await startReceiver();
  const world = openWebhookWorld({ webhookUrls: [receiver.url], webhookSecret: [KEY, new Uint8Array(24)] });
  world.lead();
  const worker_id = await world.end();
  await vi.waitFor(() => expect(receiver.received).toHaveLength(1), SOON);
  const [{ headers, body, message }] = receiver.received as [(typeof receiver.received)[0]];
  expect(message).toMatchObject({
    type: 'worker.failed',
    data: { worker_id, cell: world.cell.name, reason: 'OOMKilled', exit_code: 137, revision: 4 },
  });
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signatures } = headers;
  expect(Math.abs(Number(at) - Date.now() / 1000)).toBeLessThan(30);
  const sign = (key: Uint8Array) => createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
  expect(signatures).toBe(`v1,${sign(KEY)} v1,${sign(new Uint8Array(24))}`);
  await vi.waitFor(async () => expect(await world.store.list(5)).toHaveLength(1), SOON);
  await vi.waitFor(async () => expect(await world.store.count()).toBe(0), SOON);
  expect(await world.store.list(5)).toMatchObject([
    { state: 'delivered', worker_id, attempts: 1, response_status: 204, message_id: id },
  ]);
  expect(await world.metrics()).toMatch(/webhooks_total{source="setting",result="delivered"} 1/);
});

test('a receiver that is away gets everything when it is back, once each', async () => {
  const port = await freePort();
  const world = openWebhookWorld({ webhookUrls: [`http://127.0.0.1:${port}/`] });
  world.lead();
  const workers = await Promise.all(Array.from({ length: 20 }, () => world.end()));
  // The first attempts failed, and one at a time is tried from then on.
  await vi.waitFor(
    async () => expect((await world.store.list(50)).some(({ error }) => error)).toBe(true),
    SOON,
  );
  expect((await world.store.list(50)).every(({ state }) => state === 'pending')).toBe(true);
  const receiver = await startReceiver(undefined, port);
  await vi.waitFor(async () => expect(await world.store.count()).toBe(0), SOON);
  expect(new Set(receiver.received.map(({ message }) => message.data.worker_id))).toEqual(new Set(workers));
  expect(receiver.received).toHaveLength(20);
});

test('another manager continues with what waits, under the same ID', async () => {
  let fails = true;
  const receiver = await startReceiver((response) => response.writeHead(fails ? 500 : 204).end());
  const world = openWebhookWorld({ webhookUrls: [receiver.url] });
  const first = world.lead();
  await world.end();
  await vi.waitFor(async () => expect(await world.store.list(1)).toMatchObject([{ attempts: 1 }]), SOON);
  await first.stop();
  expect(world.webhooks.waiting).toBe(0);
  fails = false;
  world.lead();
  await vi.waitFor(
    async () => expect(await world.store.list(1)).toMatchObject([{ state: 'delivered' }]),
    SOON,
  );
  const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
  expect(ids.length).toBeGreaterThan(1);
  expect(new Set(ids).size).toBe(1);
});

test('a slow receiver and one that refuses a message delay only their own', { timeout: 60_000 }, async () => {
  const slow = await startReceiver(() => {});
  const picky = await startReceiver((response, { message }) =>
    response.writeHead(message.data.worker_id === refused ? 400 : 204).end(),
  );
  const good = await startReceiver();
  let refused = '';
  const world = openWebhookWorld({ webhookUrls: [slow.url, good.url, picky.url] });
  refused = await world.end();
  world.lead();
  for (let n = 0; n < 30; n += 1) await world.end();
  const began = performance.now();
  await vi.waitFor(() => expect(good.received.length).toBe(31 - 1), SOON);
  await vi.waitFor(() => {
    const others = picky.received.filter(({ message }) => message.data.worker_id !== refused);
    expect(others).toHaveLength(30);
  }, SOON);
  // All four slots of the slow one wait for its first second, and then one at a time: it would take half a minute.
  const took = performance.now() - began;
  expect(took).toBeLessThan(8000);
  expect(slow.received.length).toBeLessThanOrEqual(6 + took / 1000);
});

test('a flood is bounded, and costs the caller nothing', { timeout: 120_000 }, async () => {
  const world = openWebhookWorld({ webhookUrls: ['http://127.0.0.1:9/'] });
  world.lead();
  const { redis, store } = world.cell;
  const took: number[] = [];
  let refused = 0;
  for (let n = 0; n < WAITING.setting + 500; n += 1) {
    const began = performance.now();
    const created = failure(world.webhooks, randomUUID());
    took.push(performance.now() - began);
    if (!created || Object.keys(created).length === 0) refused += 1;
    else {
      const [[id, pending]] = Object.entries(created) as [[string, unknown]];
      void redis.hset(store.keys.webhooks, id, JSON.stringify(pending));
      world.webhooks.stored(created);
    }
    if (n % 500 === 0) await new Promise(setImmediate);
  }
  expect(refused).toBe(500);
  expect(world.webhooks.waiting).toBe(WAITING.setting);
  expect(await world.metrics()).toMatch(/webhooks_total{source="setting",result="dropped"} 500/);
  took.sort((a, b) => a - b);
  expect(took[Math.floor(took.length / 2)]).toBeLessThan(1);
  await vi.waitFor(async () => expect(await world.store.count()).toBe(WAITING.setting), SOON);
});

test('a URL of a worker does not reach a private address, not even by a name', async () => {
  const receiver = await startReceiver();
  const world = openWebhookWorld({ webhookAllowPrivate: false });
  world.lead();
  await world.end([receiver.url, `http://localhost:${receiver.port}/`]);
  await vi.waitFor(async () => expect(await world.store.count()).toBe(0), SOON);
  const list = await world.store.list(5);
  expect(list.map(({ state, error }) => [state, error])).toEqual([
    ['failed', expect.stringContaining('private address')],
    ['failed', expect.stringContaining('private address')],
  ]);
  expect(receiver.received).toEqual([]);
});

test('what is too old is given up, and 410 ends at once', async () => {
  const away = await startReceiver((response) => response.writeHead(503).end());
  const gone = await startReceiver((response) => response.writeHead(410).end());
  const moved = await startReceiver((response) => response.writeHead(302, { location: gone.url }).end());
  const world = openWebhookWorld({ webhookUrls: [away.url, gone.url, moved.url], webhookGiveUpSeconds: 1 });
  world.lead();
  await world.end();
  await vi.waitFor(async () => expect(await world.store.count()).toBe(0), SOON);
  const list = await world.store.list(5);
  const byUrl = Object.fromEntries(list.map((delivery) => [delivery.url, delivery]));
  expect(byUrl[new URL(away.url).origin]).toMatchObject({ state: 'failed', response_status: 503 });
  expect(byUrl[new URL(gone.url).origin]).toMatchObject({ state: 'failed', attempts: 1 });
  expect(byUrl[new URL(moved.url).origin]?.error).toContain('redirects are not followed');
  expect(gone.received).toHaveLength(1);
});

test('an entry that cannot be read is removed, and the others are delivered', async () => {
  const receiver = await startReceiver();
  const world = openWebhookWorld({ webhookUrls: [receiver.url] });
  await world.cell.redis.hset(world.cell.store.keys.webhooks, 'broken', '{"message_id": 1');
  world.lead();
  await world.end();
  await vi.waitFor(async () => expect(await world.store.count()).toBe(0), SOON);
  expect(receiver.received).toHaveLength(1);
});
