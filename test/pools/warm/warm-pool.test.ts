import { describe, expect, test } from 'vitest';
import { type Decision, type Observation, type WorkerSpec, workerSpec } from '../../../src/model/index.ts';
import { toWarmSpec } from '../../../src/pools/warm/match.ts';
import { WarmPool } from '../../../src/pools/warm/warm-pool.ts';
import type { RuntimeInfo } from '../../../src/runtimes/runtime.ts';
import { bodyOf, look, statusOf } from '../../reconcile/observation.ts';

const asked = (more: Partial<WorkerSpec> = {}) =>
  workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['cat'], runtime: 'docker', ...more });
const limit = { supported: true, how: 'cgroups', adjustable: true };
const info: RuntimeInfo = {
  name: 'docker',
  version: '1',
  limits: { memory: limit, cpus: limit, pids: limit },
};

function stockOf(image: string | undefined = 'worker:1') {
  return new WarmPool({ info: () => info, imageOf: async () => image });
}

/** An observation of an available warm worker, with optional changes. */
function seen(id: string, more: Partial<Observation> = {}): Observation {
  const plain = look({});
  const spec = toWarmSpec(asked());
  return {
    ...plain,
    worker_id: id,
    desired: { ...plain.desired, spec },
    actual: { kind: 'present', body: bodyOf({ id: `body of ${id}` }) },
    ...more,
  };
}

const decided = (more: Partial<Decision['status']> = {}, intents: Decision['intents'] = []) =>
  ({ status: statusOf({ status: 'RUNNING', phase: 'ready', ...more }), intents }) as Decision;

describe('the pool of warm workers', () => {
  test('returns each worker once, the one that has waited longest first', async () => {
    const warmPool = stockOf();
    for (const id of ['a', 'b']) warmPool.note(seen(id), decided());
    expect(await warmPool.choose(asked())).toEqual({
      worker_id: 'a',
      body_id: 'body of a',
      image: 'worker:1',
      ip_address: '10.0.0.2',
      fits: true,
    });
    expect(await warmPool.choose(asked({ resources: { memory: '1g' } }))).toMatchObject({
      worker_id: 'b',
      fits: false,
    });
    expect(await warmPool.choose(asked())).toBeUndefined();
    // Released, and observed as free again.
    warmPool.release('a');
    warmPool.note(seen('a'), decided());
    expect(await warmPool.choose(asked())).toMatchObject({ worker_id: 'a' });
  });

  test('does not get a worker back from a reconcile that observed it before it was chosen', async () => {
    const warmPool = stockOf();
    warmPool.note(seen('a'), decided());
    expect(await warmPool.choose(asked())).toMatchObject({ worker_id: 'a' });
    // Found by the benchmark of claims: the next create chose a worker that was gone, and so got a new body.
    warmPool.note(seen('a'), decided());
    expect(await warmPool.choose(asked())).toBeUndefined();
    warmPool.forget('a');
    expect(warmPool.size).toBe(0);
  });

  test('returns different workers to two concurrent callers', async () => {
    const warmPool = stockOf();
    for (const id of ['a', 'b']) warmPool.note(seen(id), decided());
    const both = await Promise.all([warmPool.choose(asked()), warmPool.choose(asked())]);
    expect(both.map((one) => one?.worker_id).sort()).toEqual(['a', 'b']);
  });

  test.each<[string, Partial<Observation>, Decision]>([
    ['boots', {}, decided({ status: 'STARTING', phase: 'booting' })],
    ['is silent', {}, decided({ phase: 'silent' })],
    ['is being ended', {}, decided({ phase: 'stopping' })],
    ['cannot be seen', { actual: { kind: 'unknown', error: 'away' } }, decided()],
    ['is to be ended', {}, decided({}, [{ type: 'terminate', body_id: 'x' }])],
  ])('does not give away one that %s', async (_title, more, decision) => {
    const warmPool = stockOf();
    warmPool.note(seen('a'), decided());
    warmPool.note(seen('a', more), decision);
    expect(await warmPool.choose(asked())).toBeUndefined();
  });

  test('does not return a worker that is not warm, or has another image', async () => {
    const plain = stockOf();
    const { desired } = look({});
    plain.note(seen('a', { desired }), decided());
    expect(await plain.choose(asked())).toBeUndefined();
    const stale = stockOf('worker:2');
    stale.note(seen('a'), decided());
    expect(await stale.choose(asked())).toBeUndefined();
    const foreign = stockOf();
    foreign.note(seen('a'), decided());
    expect(await foreign.choose(asked({ protocol: 'json' }))).toBeUndefined();
  });
});
