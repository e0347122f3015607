import { beforeEach, describe, expect, test } from 'vitest';
import type { Body, WorkerSpec } from '../../src/model/index.ts';
import { BodyConflict, type Runtime, RuntimeDown } from '../../src/runtimes/runtime.ts';
import { withClaims } from '../../src/runtimes/with-claims.ts';
import { workerSpec } from '../conformance/subject.ts';
import { MemoryBook } from '../pools/warm/memory-claim-store.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';

const WARM = '00000000-0000-4000-8000-00000000000a';
const ME = '00000000-0000-4000-8000-00000000000b';
const SPEC = workerSpec({ runtime: 'docker', name: 'mine' });
const CELL = 'default';

let now: number;
let engine: FakeEngine;
let claimStore: MemoryBook;
let runtime: Runtime;
let body: Body;
let spec: WorkerSpec | undefined;

const order = (worker_id: string, spec: WorkerSpec) => ({
  worker_id,
  incarnation: 3,
  spec,
  spec_hash: 'hash',
  epoch: 1,
  env: {},
});
/** Another manager of the same world, without any cache. */
const manager = (patienceMs = 50) =>
  withClaims(new FakeRuntime({ engine }), {
    claimStore,
    now: () => now,
    patienceMs,
    specOf: async () => spec,
  });
const take = (more: { told?: boolean; begun?: boolean } = {}) => {
  const { told = true, begun = true } = more;
  claimStore.entries.set(ME, { worker_id: ME, made_for: WARM, body_id: body.id, at: now, told });
  claimStore.known.add(ME);
  claimStore.known.delete(WARM);
  if (begun) claimStore.begun.add(ME);
};
const mine = async () => (await runtime.find(ME, undefined))[0];

beforeEach(async () => {
  spec = SPEC;
  now = Date.parse('2030-01-01T00:00:00.000Z');
  engine = new FakeEngine({ now: () => now });
  claimStore = new MemoryBook();
  claimStore.known.add(WARM);
  runtime = manager();
  body = await runtime.create(order(WARM, workerSpec({ runtime: 'docker', warm: true })));
  await runtime.start(body.id);
  now += 3_600_000;
});

describe('a claimed body', () => {
  test('is the first body of its new worker, and starts at the claim', async () => {
    take();
    const expected = { id: body.id, worker_id: ME, incarnation: 1, state: 'running', started_at: now };
    for (const each of [runtime, manager()]) {
      expect(await each.find(ME, undefined)).toMatchObject([expected]);
      expect(await each.list()).toMatchObject([expected]);
    }
  });

  test('counts as not started until its worker has reported from it, in any state', async () => {
    take({ begun: false });
    expect(await mine()).toMatchObject({ state: 'created', worker_id: ME });
    engine.exit(body.id, { exit_code: 1 });
    expect(await mine()).toMatchObject({ state: 'created' });
    expect((await mine())?.exit_code).toBeUndefined();
    claimStore.begun.add(ME);
    expect(await mine()).toMatchObject({ state: 'exited', exit_code: 1 });
  });

  test('uses the name of its original worker for events and operations', async () => {
    take();
    await runtime.list();
    const heard: (string | undefined)[] = [];
    const watch = runtime.watch((id) => heard.push(id));
    engine.exit(body.id, { exit_code: 0 });
    await watch.close();
    expect(heard).toEqual([ME]);
    await runtime.remove(body.id);
    expect(engine.list(CELL)).toEqual([]);
    expect(claimStore.entries.size).toBe(0);
  });

  test('prevents a second body of its worker', async () => {
    take();
    await expect(runtime.create(order(ME, SPEC))).rejects.toThrow(BodyConflict);
    engine.remove(body.id);
    expect(await mine()).toBeUndefined();
    expect(await runtime.create(order(ME, SPEC))).toMatchObject({ worker_id: ME, incarnation: 3 });
  });

  test('is unknown if the engine or the claim store does not answer', async () => {
    take();
    engine.faults.down = true;
    await expect(manager().find(ME, undefined)).rejects.toThrow(RuntimeDown);
    await expect(manager().list()).rejects.toThrow(RuntimeDown);
  });

  test('is observed in the engine after an event, or after some time', async () => {
    expect(await runtime.find(WARM, undefined)).toHaveLength(1);
    take();
    engine.faults.hintsLost = true;
    const finds = engine.faults.calls.find;
    expect(await mine()).toMatchObject({ state: 'running' });
    expect(engine.faults.calls.find).toBe(finds);
    engine.exit(body.id, { exit_code: 1 });
    now += 501;
    expect(await mine()).toMatchObject({ state: 'exited' });
  });
});

describe('a start of a claimed body', () => {
  const start = async () => {
    await mine();
    await runtime.start(body.id);
  };

  test('does nothing if the body already works', async () => {
    take();
    await start();
    expect(engine.faults.calls.start).toBe(1);
    expect(claimStore.told).toEqual([]);
  });

  test('sets its limits, then notifies its wrapper, once', async () => {
    runtime = manager(60_000);
    take({ told: false, begun: false });
    const starting = start();
    await expect.poll(() => claimStore.told).toEqual([ME]);
    expect(engine.faults.calls.limit).toBe(1);
    claimStore.begun.add(ME);
    await starting;
    expect(await mine()).toMatchObject({ id: body.id, state: 'running' });
    await start();
    expect(claimStore.told).toEqual([ME]);
  });

  test.each([
    ['its wrapper never begins', () => take({ begun: false })],
    [
      'its wrapper has ended before',
      () => {
        take({ begun: false });
        engine.exit(body.id, { exit_code: 0 });
      },
    ],
    [
      'it cannot have its limits',
      () => {
        take({ begun: false, told: false });
        engine.faults.fail('limit', new Error('less than it uses'));
      },
    ],
    [
      'its record is gone',
      () => {
        take({ begun: false, told: false });
        spec = undefined;
      },
    ],
  ])('throws it away where %s', async (_title, given) => {
    given();
    await start();
    expect(engine.list(CELL)).toEqual([]);
    expect(await mine()).toBeUndefined();
    expect(claimStore.entries.size).toBe(0);
    expect(claimStore.told).toEqual([]);
  });

  test('does nothing if the engine is unavailable', async () => {
    take({ told: false, begun: false });
    engine.faults.fail('limit', new RuntimeDown('away'));
    await expect(start()).rejects.toThrow(RuntimeDown);
    expect(engine.list(CELL)).toHaveLength(1);
    expect(claimStore.entries.size).toBe(1);
  });
});

describe('a list, if the store has lost everything', () => {
  beforeEach(() => {
    claimStore.known.clear();
    claimStore.begun.clear();
    claimStore.entries.clear();
  });

  test('restores the worker of a body from its wrapper’s report', async () => {
    claimStore.serving.set(WARM, { worker_id: ME, at: now - 1000, spec: SPEC });
    const [seen] = await runtime.list();
    expect(seen).toMatchObject({ id: body.id, worker_id: ME, incarnation: 1, state: 'running' });
    expect(JSON.parse(seen?.spec ?? '')).toEqual(SPEC);
    expect(claimStore.entries.get(ME)).toMatchObject({ made_for: WARM, body_id: body.id, told: true });
    // Its own spec is reported until the record exists again.
    expect(JSON.parse((await manager().list())[0]?.spec ?? '')).toEqual(SPEC);
  });

  test('does not report a body whose wrapper has not reported its worker', async () => {
    expect(await runtime.list()).toEqual([]);
    now += 14_000;
    expect(await runtime.list()).toEqual([]);
    now += 2000;
    expect(await runtime.list()).toMatchObject([{ worker_id: WARM }]);
  });

  test('reports unclaimed, ended and other bodies unchanged', async () => {
    claimStore.begun.add(WARM);
    expect(await runtime.list()).toMatchObject([{ worker_id: WARM, incarnation: 3 }]);
    claimStore.begun.clear();
    engine.exit(body.id, { exit_code: 0 });
    expect(await runtime.list()).toMatchObject([{ worker_id: WARM, state: 'exited' }]);
    await runtime.create(order(ME, SPEC));
    expect(await runtime.list()).toHaveLength(2);
  });
});
