import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { Resync, StoreLost } from '../../src/leader/resync.ts';
import { formatInstant } from '../../src/model/index.ts';
import { decide } from '../../src/reconcile/decide.ts';
import { LastSeen } from '../../src/reconcile/last-seen.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { ID, lifeOf, look, memoOf, NOW, specOf } from '../reconcile/observation.ts';
import { identityAt } from '../store/store-fixture.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';
import { MemoryStore } from '../support/memory-store.ts';

let now: number;
let engine: FakeEngine;
let store: MemoryStore;
let epoch: number;
let lastSeen: LastSeen;
let asked: Set<string>;
let metrics: ReturnType<typeof createMetrics>;
const order = (worker_id: string) => ({
  worker_id,
  incarnation: 1,
  spec: specOf(),
  spec_hash: '',
  epoch: 1,
  env: {},
});
const bodies = () => engine.list('default').map(({ worker_id }) => worker_id);
const command = (operation: 'create' | 'desire', workerId: string) =>
  store.settle(epoch, {
    requestId: randomUUID(),
    workerId,
    operation,
    answers: { ok: '{}' },
    desired: 'deleted',
    created: { spec: specOf(), at: formatInstant(now), ms: now, prompt: undefined },
  });

beforeEach(async () => {
  now = NOW;
  engine = new FakeEngine({ now: () => now });
  store = new MemoryStore(() => now);
  epoch = store.acquire();
  await store.identify(epoch, identityAt(NOW));
  lastSeen = new LastSeen();
  asked = new Set();
  metrics = createMetrics({ version: '0' });
});

async function resyncOf(seen: MemoryStore = store): Promise<Resync> {
  const identity = await store.identity();
  if (!identity) throw new Error('the store has no identity');
  return new Resync({
    store: seen,
    epoch,
    identity,
    now: () => now,
    mayAct: () => true,
    grace_ms: 1000,
    breaker_share: 0.5,
    runtimes: new Runtimes(
      [new FakeRuntime({ engine })],
      () => now,
      () => undefined,
    ),
    loop: { lastSeen, queue: { add: (id) => void asked.add(id) }, countDenials: () => {} },
    metrics,
    log: pino({ level: 'silent' }),
    heartbeat_silent_ms: 30_000,
    findings: { note: () => {}, clear: () => {} },
  });
}

test('enqueues a worker if its record has changed, but only once per change', async () => {
  const resync = await resyncOf();
  await command('create', ID);
  await resync.run();
  expect([...asked]).toEqual([ID]);
  asked.clear();
  await resync.run();
  expect([...asked]).toEqual([]);
});

test.each([
  ...['half a {', 'null', '5', '"text"', '{"at":7}', '[]'].map((text) => [text, text]),
  ['a very long text', `"${'x'.repeat(10_000)}"`],
  ['JSON that is nested very deep', '['.repeat(8000)],
  // Each of these made every resync and every check fail, for all workers.
  ['an instant without a text', '{"at":{"toString":null}}'],
  [
    'all fields, and an instant without a text',
    '{"incarnation":1,"phase":"ready","at":{"toString":null},"active_at":"","busy":false,"seq":1}',
  ],
])('a body that writes %s as its heartbeat does not affect others', async (_, text) => {
  const memo = memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true }));
  const observation = look({ memo, body: {}, beat: {} });
  lastSeen.set(observation, 0, decide(observation));
  engine.make('default', order(randomUUID()));
  const garbled = Object.create(store, { heartbeats: { value: async () => [text] } }) as MemoryStore;
  for (const name of ['indexState', 'index', 'leads', 'load', 'restore', 'status'] as const)
    Object.defineProperty(garbled, name, { value: store[name].bind(store) });
  const resync = await resyncOf(garbled);
  await resync.run();
  now += 2000;
  await resync.run();
  expect(resync.lastAt).toBe(now);
  expect(bodies()).toEqual([]);
  expect(await metrics.text()).toContain('worker_manager_unreadable_total{kind="heartbeat"} 1\n');
});

test('a body without a record is removed once its record can no longer be in progress', async () => {
  const resync = await resyncOf();
  engine.make('default', order(ID));
  await resync.run();
  now += 999;
  await resync.run();
  expect(bodies()).toEqual([ID]);
  now += 1;
  await resync.run();
  expect(bodies()).toEqual([]);
});

test('a body older than the store gets its record back, unless the store has its tombstone', async () => {
  const deleted = randomUUID();
  await command('create', deleted);
  await command('desire', deleted);
  const loaded = await store.load(deleted);
  if (loaded) await store.purge(epoch, loaded.record);
  now -= 60_000;
  engine.make('default', order(ID));
  engine.make('default', order(deleted));
  now += 60_000;
  await (await resyncOf()).run();
  expect(bodies()).toEqual([ID]);
  expect((await store.load(ID))?.record.desired.desired).toBe('running');
  expect([...asked]).toEqual([ID]);
});

test('a deposed manager removes nothing', async () => {
  const resync = await resyncOf();
  engine.make('default', order(ID));
  await resync.run();
  now += 2000;
  store.acquire();
  await resync.run();
  expect(bodies()).toEqual([ID]);
});

test('a replaced store ends the term before any decision', async () => {
  const resync = await resyncOf();
  engine.make('default', order(ID));
  await resync.run();
  now += 2000;
  const other = new MemoryStore(() => now);
  await other.identify(other.acquire(), identityAt(now));
  await expect((await resyncOf(other)).run()).rejects.toThrow(StoreLost);
  expect(bodies()).toEqual([ID]);
});

test.each([
  ['ready', [ID]],
  ['silent', []],
] as const)('a lost heartbeat of a worker that is %s asks for %j', async (phase, expected) => {
  const observation = look({
    memo: memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true })),
    body: {},
    beat: {},
  });
  const decided = decide(observation);
  lastSeen.set(observation, 0, { ...decided, status: { ...decided.status, phase } });
  engine.faults.down = true;
  await (await resyncOf()).run();
  expect([...asked]).toEqual(expected);
});

test('a failed list changes nothing about its bodies', async () => {
  const memo = memoOf({ RUNNING: 'ready' }, lifeOf({ expected: true }));
  const observation = look({ memo, body: {}, beat: {} });
  lastSeen.set(observation, 0, decide(observation));
  store.beat(ID, observation.heartbeat);
  engine.faults.down = true;
  await (await resyncOf()).run();
  expect([...asked]).toEqual([]);
  engine.faults.clear();
  await (await resyncOf()).run();
  expect([...asked]).toEqual([ID]);
});
