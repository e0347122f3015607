import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { BodyRefused, RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { FakeEngine, FakeRuntime } from './fake.ts';

let engine: FakeEngine;
let runtime: FakeRuntime;
let worker: string;
const order = (worker_id = worker) => ({
  worker_id,
  incarnation: 1,
  spec: workerSpec(),
  spec_hash: 'a'.repeat(64),
  epoch: 1,
  env: {},
});
const states = async () => (await runtime.find(worker, undefined)).map(({ state }) => state);

beforeEach(() => {
  engine = new FakeEngine();
  runtime = new FakeRuntime({ engine });
  worker = randomUUID();
});

describe('faults', () => {
  test('strike the call that they were planned for, once', async () => {
    runtime.fail('create', new BodyRefused('ImageMissing', 'no such image'), 2);
    const { id } = await runtime.create(order());
    await runtime.remove(id);
    await expect(runtime.create(order())).rejects.toMatchObject({ reason: 'ImageMissing' });
    expect(await states()).toEqual([]);
    await runtime.create(order());
    expect(await states()).toEqual(['created']);
    expect(engine.faults.calls.create).toBe(3);
  });

  test('may hide an act that was done', async () => {
    runtime.actThenTimeOut('create');
    await expect(runtime.create(order())).rejects.toBeInstanceOf(RuntimeDown);
    expect(await states()).toEqual(['created']);
  });

  test('may hold a call back, which acts when it is let go', async () => {
    const release = engine.faults.hang('create');
    const late = runtime.create(order());
    expect(await states()).toEqual([]);
    release();
    await late;
    expect(await states()).toEqual(['created']);
  });

  test('of the whole engine answer nothing and change nothing', async () => {
    const { id } = await runtime.create(order());
    engine.faults.down = true;
    for (const call of [runtime.list(), runtime.find(worker, id), runtime.remove(id), runtime.probe()]) {
      await expect(call).rejects.toBeInstanceOf(RuntimeDown);
    }
    engine.faults.clear();
    expect(await states()).toEqual(['created']);
  });

  test('of a list that lags show the past', async () => {
    engine.freezeList();
    await runtime.create(order());
    expect(await runtime.list()).toEqual([]);
    engine.faults.clear();
    expect(await runtime.list()).toHaveLength(1);
  });
});

describe('the world', () => {
  test('outlives a manager, and remembers how many bodies of a worker lived at once', async () => {
    const { id } = await runtime.create(order());
    await runtime.start(id);
    await runtime.close();
    await expect(runtime.list()).rejects.toBeInstanceOf(RuntimeDown);
    runtime = new FakeRuntime({ engine });
    expect(await states()).toEqual(['running']);
    expect(engine.peakLive).toBe(1);
    engine.duplicate(worker);
    expect(await states()).toEqual(['running', 'running']);
    expect([engine.liveOf(worker), engine.peakLive]).toEqual([2, 1]);
  });

  test('changes behind the back of the manager', async () => {
    const { id } = await runtime.create(order());
    await runtime.start(id);
    engine.pause(id);
    await runtime.terminate(id);
    expect(await states()).toEqual(['running']);
    engine.unpause(id);
    expect(await runtime.find(worker, id)).toMatchObject([{ state: 'exited', exit_code: 143 }]);
    engine.vanish(id);
    expect(await states()).toEqual([]);
  });

  test('gives the same frozen body as long as nothing has changed', async () => {
    await runtime.create(order());
    const [first] = await runtime.list();
    const { id } = await runtime.create(order(randomUUID()));
    const [again] = await runtime.list();
    expect(again).toBe(first);
    expect(Object.isFrozen(first)).toBe(true);
    await runtime.start(id);
    expect((await runtime.list())[0]).toBe(first);
  });
});
