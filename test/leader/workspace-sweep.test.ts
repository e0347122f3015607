/** No workspace is leaked, and none is deleted that a record or a body needs. */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { WorkspaceSweep } from '../../src/leader/workspace-sweep.ts';
import type { StoreIdentity } from '../../src/model/index.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { RuntimeDown } from '../../src/runtimes/runtime.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';
import { ID, NOW, specOf } from '../reconcile/observation.ts';
import { identityAt } from '../store/store-fixture.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';
import { MemoryStore } from '../support/memory-store.ts';

const GRACE_MS = 1000;
let now: number;
let engine: FakeEngine;
let runtime: FakeRuntime;
let store: MemoryStore;
let epoch: number;
let notes: Map<string, string>;
let sweep: WorkspaceSweep;
let identity: StoreIdentity;
let acts: boolean;

const order = (worker_id: string, workspace?: string) => ({
  worker_id,
  incarnation: 1,
  spec: specOf(),
  spec_hash: '',
  epoch: 1,
  env: {},
  ...(workspace !== undefined && { workspace }),
});
/** A workspace without a body. */
const leave = (id: string) => engine.remove(engine.make('default', order(id)).id);
const left = () => engine.workspaces.list('default').map(({ id }) => id);
const run = async () => {
  const bodies = engine.list('default');
  await sweep.run(await store.index(), { bodies, listed: new Set([runtime.name]) }, identity);
};
const runTwice = async () => {
  await run();
  now += GRACE_MS;
  await run();
};

beforeEach(async () => {
  now = NOW;
  engine = new FakeEngine({ now: () => now });
  runtime = new FakeRuntime({ engine });
  store = new MemoryStore(() => now);
  epoch = store.acquire();
  identity = identityAt(NOW);
  await store.identify(epoch, identity);
  notes = new Map();
  acts = true;
  sweep = new WorkspaceSweep({
    store,
    runtimes: new Runtimes(
      [runtime],
      () => now,
      () => undefined,
    ),
    metrics: createMetrics({ version: '0' }),
    findings: {
      note: (about: string, text: string) => void notes.set(about, text),
      clear: (about: string) => void notes.delete(about),
    } as never,
    log: pino({ level: 'silent' }),
    now: () => now,
    mayAct: () => acts,
    epoch,
    grace_ms: GRACE_MS,
    breaker_share: 0.5,
  });
});

test('deletes an orphan after the grace period, at the second sweep', async () => {
  leave(ID);
  await run();
  now += GRACE_MS - 1;
  await run();
  expect(left()).toEqual([ID]);
  now += 1;
  await run();
  expect(left()).toEqual([]);
});

test('keeps the workspace of a record, with or without a body', async () => {
  await store.restore(epoch, ID, specOf(), now);
  leave(ID);
  await runTwice();
  expect(left()).toEqual([ID]);
});

test('keeps the workspace that a worker took over with a warm body', async () => {
  const warm = randomUUID();
  leave(warm);
  await store.restore(epoch, ID, specOf(), now, warm);
  await runTwice();
  expect(left()).toEqual([warm]);
});

test('keeps the workspace of a body, whose record may be restored', async () => {
  const warm = randomUUID();
  engine.make('default', order(ID));
  engine.make('default', order(randomUUID(), warm));
  await runTwice();
  expect(left()).toContain(ID);
  expect(left()).toContain(warm);
});

test('keeps and reports one that is older than the store, unless its worker was deleted', async () => {
  const deleted = randomUUID();
  leave(ID);
  leave(deleted);
  identity = identityAt(NOW + 1);
  await store.restore(epoch, deleted, specOf(), now);
  const loaded = await store.load(deleted);
  if (loaded) await store.purge(epoch, loaded.record);
  now += 1;
  await runTwice();
  expect(left()).toEqual([ID]);
  expect(notes.get('workspaces')).toContain(ID);
  await runtime.removeWorkspace(ID);
  await run();
  expect(notes.size).toBe(0);
});

test('deletes nothing if that is a large share', async () => {
  for (let count = 0; count < 5; count += 1) leave(randomUUID());
  await runTwice();
  expect(left()).toHaveLength(5);
  expect(sweep.heldBack).toBe(5);
});

test('deletes nothing without the lease', async () => {
  leave(ID);
  acts = false;
  await runTwice();
  expect(left()).toEqual([ID]);
  acts = true;
  store.acquire();
  await run();
  expect(left()).toEqual([ID]);
});

test('survives an engine that does not list or delete', async () => {
  leave(ID);
  await run();
  now += GRACE_MS;
  runtime.fail('listWorkspaces', new RuntimeDown('away'));
  await run();
  // An absent list is not an empty one, but the count starts again.
  await run();
  runtime.fail('removeWorkspace', new RuntimeDown('away'));
  await run();
  expect(left()).toEqual([ID]);
  await run();
  expect(left()).toEqual([]);
});
