import { expect, test } from 'vitest';
import { workerSpec } from '../../../src/model/index.ts';
import { DEFAULT_PIDS, findDropped, toContainer } from '../../../src/runtimes/docker/container.ts';
import { bodyName, checkCell, checkId, networkName } from '../../../src/runtimes/docker/names.ts';

const WORKER = '8af550c9-e6f6-4240-afb4-16f025f2838c';
const PLACE = { cell: 'default', image: 'worker:123456789abc', network: 'wm-default' };

function order(spec: object = {}, argv?: string[]) {
  const given = { agent_type: 'CUSTOM', command_line: ['true'], runtime: 'docker', ...spec };
  const rest = {
    worker_id: WORKER,
    incarnation: 2,
    spec_hash: 'abc',
    epoch: 7,
    env: { WORKER_ID: WORKER, A: 'b=c' },
  };
  return { ...rest, spec: workerSpec.parse(given), ...(argv ? { argv } : {}) };
}

test('an order becomes a container', () => {
  const made = toContainer(order({ stop_grace_seconds: 2.5 }), PLACE);
  expect(made).toMatchObject({
    Image: PLACE.image,
    User: '10001:10001',
    Hostname: 'wm-8af550c9',
    Env: [`WORKER_ID=${WORKER}`, 'A=b=c'],
    StopTimeout: 3,
    Labels: {
      'worker-manager.incarnation': '2',
      'worker-manager.epoch': '7',
      'worker-manager.cell': 'default',
    },
  });
  expect(JSON.parse(made.Labels?.['worker-manager.spec'] ?? '')).toEqual(
    order({ stop_grace_seconds: 2.5 }).spec,
  );
  expect(made).not.toHaveProperty('Entrypoint');
  expect(made.HostConfig).toMatchObject({ Init: true, PidsLimit: DEFAULT_PIDS, NetworkMode: 'wm-default' });
  expect(made.HostConfig).not.toHaveProperty('Memory');
});

test('limits that are given become the engine’s, without swap', () => {
  const { HostConfig } = toContainer(order({ resources: { memory: '512m', cpus: 1.5, pids: 64 } }), PLACE);
  expect(HostConfig).toMatchObject({
    Memory: 536870912,
    MemorySwap: 536870912,
    NanoCpus: 1.5e9,
    PidsLimit: 64,
  });
});

test('another program replaces the entry point, and another image keeps its own user', () => {
  const made = toContainer(order({}, ['sleep', '1']), { ...PLACE, image: 'debian' });
  expect(made).toMatchObject({ Entrypoint: ['sleep', '1'], Cmd: [] });
  expect(made).not.toHaveProperty('User');
});

const asked = toContainer(order({ resources: { memory: '64m', cpus: 1, pids: 9 } }), PLACE).HostConfig ?? {};
test.each([
  [{}, []],
  [{ MemorySwap: -1 }, []],
  [{ SecurityOpt: ['no-new-privileges:true'] }, []],
  [{ CapDrop: null }, ['CapDrop ALL']],
  [{ CapAdd: ['SYS_ADMIN'] }, ['CapDrop ALL']],
  [{ Privileged: true }, ['no privileges']],
  [{ SecurityOpt: null }, ['no-new-privileges']],
  [{ Memory: 0, PidsLimit: null }, ['Memory', 'PidsLimit']],
  [{ NanoCpus: 0 }, ['NanoCpus']],
  [{ Init: null, NetworkMode: 'default' }, ['Init', 'network wm-default']],
  [{ RestartPolicy: { Name: 'always' } }, ['RestartPolicy no']],
  [{ LogConfig: { Type: 'json-file' } }, ['LogConfig local']],
])('what the engine made of it is compared: %o', (made, dropped) => {
  expect(findDropped(asked, { ...asked, ...made } as typeof asked)).toEqual(dropped);
});

test('names are made of checked parts only', () => {
  expect(bodyName('default', WORKER)).toBe(`wm-${WORKER}`);
  expect(bodyName('blue', WORKER)).toBe(`wm-blue-${WORKER}`);
  expect(networkName('default')).toBe('wm-default');
  for (const id of ['..', 'x?force=1', '', WORKER.toUpperCase(), `${WORKER}/..`]) {
    expect(() => bodyName('default', id)).toThrow(TypeError);
    expect(() => checkId(id)).toThrow(TypeError);
  }
  for (const cell of ['', '../x', 'a b', 'A', '-a', 'x'.repeat(64)])
    expect(() => checkCell(cell)).toThrow(TypeError);
});
