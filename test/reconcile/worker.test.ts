import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeEach, describe, expect, test } from 'vitest';
import { formatInstant } from '../../src/model/index.ts';
import { toActionError } from '../../src/reconcile/act.ts';
import type { ReconcileContext } from '../../src/reconcile/context.ts';
import { reconcileWorker } from '../../src/reconcile/worker.ts';
import { Runtimes } from '../../src/runtimes/registry.ts';
import { BodyRefused } from '../../src/runtimes/runtime.ts';
import { Fenced } from '../../src/store/index.ts';
import { FakeEngine, FakeRuntime } from '../support/fake-runtime/fake.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { ID, LIMITS, NOW, specOf } from './observation.ts';

let engine: FakeEngine;
let runtime: FakeRuntime;
let store: MemoryStore;
let epoch: number;
let context: ReconcileContext;
/** Actions between the steps of a reconcile, by the name of the checkpoint. */
let at: Map<string, () => unknown>;
const nothing = () => undefined;

const command = (desired?: 'stopped' | 'running' | 'deleted') =>
  store.settle(epoch, {
    requestId: randomUUID(),
    workerId: ID,
    answers: { ok: '{}' },
    ...(desired ? { operation: 'desire', desired } : { operation: 'create' }),
    created: { spec: specOf(), at: formatInstant(NOW), ms: NOW, prompt: undefined },
  });
const pass = () => reconcileWorker(ID, context);
const status = async () => (await store.status(ID))?.status;
const states = () => engine.bodiesOf('default', ID).map(({ state }) => state);
/** Reconciles until the worker settles; the number of reconciles is limited. */
const rest = async () => {
  let outcome = await pass();
  for (let left = 10; left > 0 && outcome.kind === 'again'; left -= 1) outcome = await pass();
  return outcome.kind;
};

beforeEach(async () => {
  engine = new FakeEngine({ now: () => NOW });
  runtime = new FakeRuntime({ engine });
  store = new MemoryStore(() => NOW);
  epoch = store.acquire();
  at = new Map();
  context = {
    store,
    runtimes: new Runtimes([runtime], () => NOW, nothing),
    log: pino({ level: 'silent' }),
    epoch,
    limits: LIMITS,
    now: () => NOW,
    leadingSince: NOW,
    bodyRedisUrl: () => '',
    cell: 'default',
    images: undefined,
    secrets: async () => ({}),
    actionErrors: new Map(),
    mayAct: () => true,
    toActionError,
    decided: nothing,
    recorded: nothing,
    crashPoint: (point) => void at.get(point)?.(),
  };
  await command();
});

test('a worker starts in reconciles of one action each, which is recorded first', async () => {
  at.set('act:create:before', async () => expect(await status()).toMatchObject({ phase: 'creating' }));
  expect([await pass(), states()]).toEqual([{ kind: 'again' }, ['created']]);
  expect([await pass(), states()]).toEqual([{ kind: 'again' }, ['running']]);
  expect(await rest()).toBe('after');
  expect(await status()).toMatchObject({ status: 'STARTING', phase: 'booting', incarnation: 1 });
});

// A restart was five lines on a terminal.
test('a start is one line of the log; its steps need the debug level', async () => {
  const lines: { level: number; phase: string }[] = [];
  context.log = pino({ level: 'debug' }, { write: (line) => void lines.push(JSON.parse(line)) });
  await rest();
  const phasesAt = (level: number) => lines.filter((line) => line.level === level).map(({ phase }) => phase);
  expect(phasesAt(30)).toEqual(['creating']);
  expect(phasesAt(20)).toContain('booting');
});

test('a deleted worker is removed with its body', async () => {
  await rest();
  await command('deleted');
  expect(await rest()).toBe('terminal');
  expect([await store.load(ID), states(), await store.index()]).toEqual([undefined, [], {}]);
});

describe('nothing is done', () => {
  test('if a command arrived during the decision', async () => {
    at.set('record:before', () => command('deleted'));
    expect([await pass(), states()]).toEqual([{ kind: 'conflict' }, []]);
  });

  test('if the worker was deleted during the decision', async () => {
    const record = (await store.load(ID))?.record;
    at.set('record:before', () => record && store.purge(epoch, record));
    expect([await pass(), states()]).toEqual([{ kind: 'terminal' }, []]);
  });

  test('if another manager leads', async () => {
    store.acquire();
    await expect(pass()).rejects.toThrow(Fenced);
    expect(states()).toEqual([]);
  });

  test('that is destructive, if another manager has become leader since it was recorded', async () => {
    await rest();
    await command('deleted');
    at.set('record:after', () => store.acquire());
    await expect(pass()).rejects.toThrow(Fenced);
    expect(states()).toEqual(['running']);
  });

  test('if the lease is too old to start an action', async () => {
    context.mayAct = () => false;
    expect([await pass(), states()]).toEqual([{ kind: 'standby' }, []]);
  });

  test('if the engine does not respond', async () => {
    engine.faults.down = true;
    expect([await rest(), states()]).toEqual(['after', []]);
    expect(await status()).toMatchObject({ status: 'STARTING', reason: 'RuntimeUnavailable' });
  });
});

describe('an act', () => {
  test('that the engine rejects permanently ends the worker with its message', async () => {
    runtime.fail('create', new BodyRefused('ImageMissing', 'There is no image worker:x.'));
    expect(await rest()).toBe('after');
    expect(await status()).toMatchObject({
      status: 'FAILED',
      reason: 'ImageMissing',
      message: 'There is no image worker:x.',
    });
  });

  test('that fails otherwise is retried, and the status has the reason', async () => {
    runtime.fail('create', new Error('no space left on device'));
    expect((await pass()).kind).toBe('error');
    await pass();
    expect(await status()).toMatchObject({ reason: 'CreateFailed', message: 'no space left on device' });
    await rest();
    expect(await status()).toMatchObject({ status: 'STARTING', phase: 'booting', reason: '' });
  });

  test('that failed and is not needed any more leaves no word of it', async () => {
    await rest();
    const [body] = engine.bodiesOf('default', ID);
    engine.exit(body?.id ?? '', { exit_code: 1 });
    runtime.fail('remove', new Error('device or resource busy'));
    expect(await rest()).toBe('error');
    engine.vanish(body?.id ?? '');
    expect(await rest()).toBe('after');
    expect(await status()).toMatchObject({
      status: 'FAILED',
      phase: 'finished',
      reason: 'Error',
      exit_code: 1,
    });
  });

  test('whose reply was lost is found done by the next observation', async () => {
    runtime.actThenTimeOut('create');
    expect((await pass()).kind).toBe('error');
    await rest();
    expect([states(), engine.peakLive, (await status())?.incarnation]).toEqual([['running'], 1, 1]);
  });

  test('whose name a foreign object has reports that, and leaves it alone', async () => {
    engine.occupyName(ID);
    expect((await pass()).kind).toBe('error');
    await pass();
    expect(await status()).toMatchObject({ reason: 'NameTaken' });
    expect(engine.nameTaken('default', ID)).toBe('foreign');
    engine.freeName(ID);
    await rest();
    expect(states()).toEqual(['running']);
  });

  test('of forgetting that a start has overtaken is left', async () => {
    await rest();
    for (const { id } of engine.bodiesOf('default', ID)) engine.exit(id, { exit_code: 1 });
    await rest();
    const kept = context.now;
    context.now = () => NOW + 90_000_000;
    at.set('act:purge:before', () => {
      at.clear();
      context.now = kept;
      return command('running');
    });
    expect(await rest()).toBe('after');
    expect([states(), await status()]).toMatchObject([['running'], { status: 'STARTING', incarnation: 2 }]);
  });
});
