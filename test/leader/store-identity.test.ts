import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { recover } from '../../src/leader/recover.ts';
import { Resync } from '../../src/leader/resync.ts';
import { identityFrom } from '../../src/leader/store-identity.ts';
import { formatInstant, type StoreIdentity } from '../../src/model/index.ts';
import { LastSeen } from '../../src/reconcile/last-seen.ts';
import { Ownership, withOwnership } from '../../src/runtimes/ownership.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { BodyConflict } from '../../src/runtimes/runtime.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { NOW, specOf } from '../reconcile/observation.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';
import { MemoryStore } from '../support/memory-store.ts';

const GRACE_MS = 1000;
let now: number;
let engine: FakeEngine;
const log = pino({ level: 'silent' });
const order = (worker_id: string) => ({
  worker_id,
  incarnation: 1,
  spec: specOf(),
  spec_hash: '',
  epoch: 1,
  env: {},
});

beforeEach(() => {
  now = NOW;
  engine = new FakeEngine({ now: () => now });
});

/** A manager on a store; managers of several stores share the engine and the cell's name. */
function managerOn(store: MemoryStore) {
  const ownership = new Ownership();
  const runtime = withOwnership(new FakeRuntime({ engine }), ownership);
  const runtimes = new Runtimes(
    [runtime],
    () => now,
    () => undefined,
  );
  const said = new Map<string, string>();
  const findings = {
    note: (about: string, message: string) => void said.set(about, message),
    clear: (about: string) => void said.delete(about),
  };
  let resync: Resync;
  /** Leads again: a new term of this process begins. */
  const lead = async () => {
    const epoch = store.acquire();
    ownership.set(undefined);
    const base = { store, runtimes, epoch, now: () => now, log };
    const found = await recover({ ...base, newId: randomUUID, last: ownership.last });
    ownership.set(found.identity);
    resync = new Resync({
      ...base,
      identity: found.identity,
      ownership,
      findings,
      mayAct: () => true,
      grace_ms: GRACE_MS,
      breaker_share: 1,
      heartbeat_silent_ms: 30_000,
      loop: { lastSeen: new LastSeen(), queue: { add: () => undefined }, countDenials: () => {} },
      metrics: createMetrics({ processMetrics: false }),
    });
    return found;
  };
  /** Enough resyncs for an orphan to be removed. */
  const look = async () => {
    await resync.run();
    now += 2 * GRACE_MS;
    await resync.run();
    await resync.run();
  };
  const create = async (worker_id: string) => {
    await store.settle(store.acquire(), {
      requestId: randomUUID(),
      workerId: worker_id,
      operation: 'create',
      answers: { ok: '{}' },
      created: { spec: specOf(), at: formatInstant(now), ms: now, prompt: undefined },
    });
    await runtime.create(order(worker_id));
    engine.start(engine.bodiesOf('default', worker_id)[0]?.id ?? '');
  };
  return { store, runtime, lead, look, create, said, ids: () => store.ids() };
}

const beat = (at: number) =>
  ({
    incarnation: 1,
    phase: 'ready',
    at: formatInstant(at),
    active_at: formatInstant(at),
    busy: false,
    seq: 1,
  }) as const;
const workers = () =>
  engine
    .list('default')
    .map(({ worker_id }) => worker_id)
    .sort();

test('two managers with two stores in one cell report each other’s bodies, and do not touch them', async () => {
  const [a, b] = [managerOn(new MemoryStore(() => now)), managerOn(new MemoryStore(() => now))];
  const [mine, yours, later] = [randomUUID(), randomUUID(), randomUUID()];
  await a.lead();
  await a.create(mine);
  now += 60_000;
  // Its store is empty while a body lives: that body has no heartbeat here, so it belongs to another store.
  expect((await b.lead()).restored).toEqual([]);
  await b.create(yours);
  await a.lead();
  await a.create(later);
  await b.lead();
  for (const one of [a, b, a, b]) await one.look();
  expect(workers()).toEqual([mine, yours, later].sort());
  expect([await a.ids(), await b.ids()]).toEqual([[mine, later], [yours]]);
  expect(a.said.get('foreign bodies')).toContain(yours);
  expect(b.said.get('foreign bodies')).toContain(mine);
  // Not even a body with the same ID is adopted, or removed to make room.
  await expect(b.runtime.create(order(mine))).rejects.toThrow(BodyConflict);
  await expect(b.runtime.create(order(mine))).rejects.toMatchObject({ ours: false });
  expect(await b.runtime.find(mine, undefined)).toEqual([]);
});

test('a store that was emptied under its manager is restored immediately, with the same identity', async () => {
  const store = new MemoryStore(() => now);
  const manager = managerOn(store);
  const { identity } = await manager.lead();
  const worker = randomUUID();
  await manager.create(worker);
  now += 60_000;
  store.flush();
  const again = await manager.lead();
  expect([again.identity.id, again.restored]).toEqual([identity.id, [worker]]);
});

test('a store that was emptied while no manager ran gets its records back once a wrapper reports to it', async () => {
  const store = new MemoryStore(() => now);
  const first = managerOn(store);
  await first.lead();
  const [heard, other] = [randomUUID(), randomUUID()];
  await first.create(heard);
  await first.create(other);
  now += 60_000;
  store.flush();
  const second = managerOn(store);
  expect((await second.lead()).restored).toEqual([]);
  await second.look();
  expect(await second.ids()).toEqual([]);
  store.beat(heard, beat(now));
  await second.look();
  expect((await second.ids()).sort()).toEqual([heard, other].sort());
  expect(second.said.size).toBe(0);
  // Known from now on, even to the next leader.
  await second.lead();
  await second.look();
  expect(workers()).toEqual([heard, other].sort());
});

test('a store that lost only its identity keeps it, and its bodies', async () => {
  const store = new MemoryStore(() => now);
  const first = managerOn(store);
  const { identity } = await first.lead();
  await first.create(randomUUID());
  store.loseIdentity();
  const second = managerOn(store);
  expect((await second.lead()).identity.id).toBe(identity.id);
});

test('bodies that have all ended are restored into an empty store, and none that their own store makes later', async () => {
  const [a, b] = [managerOn(new MemoryStore(() => now)), managerOn(new MemoryStore(() => now))];
  const [ended, later] = [randomUUID(), randomUUID()];
  await a.lead();
  await a.create(ended);
  engine.exit(engine.bodiesOf('default', ended)[0]?.id ?? '');
  now += 60_000;
  expect((await b.lead()).restored).toEqual([ended]);
  now += 60_000;
  await a.create(later);
  await b.look();
  expect(workers()).toEqual([ended, later].sort());
  expect(b.said.get('foreign bodies')).toContain(later);
});

test.each<[string, [string, 'sure' | 'dead' | 'none'][], Pick<StoreIdentity, 'id' | 'adopted'>]>([
  ['no bodies', [], { id: 'new', adopted: {} }],
  ['bodies that are its own', [['x', 'sure']], { id: 'x', adopted: {} }],
  ['bodies of another', [['x', 'none']], { id: 'new', adopted: {} }],
  [
    'bodies of two names that are its own',
    [
      ['x', 'sure'],
      ['y', 'sure'],
    ],
    { id: 'x', adopted: { y: null } },
  ],
  [
    'unneeded bodies',
    [
      ['x', 'dead'],
      ['y', 'none'],
    ],
    { id: 'new', adopted: { x: NOW } },
  ],
])('an empty store and %s', (_, ties, expected) => {
  expect(
    identityFrom(new Map(ties), { fresh: 'new', now: NOW, created_at: formatInstant(NOW) }),
  ).toMatchObject(expected);
});
