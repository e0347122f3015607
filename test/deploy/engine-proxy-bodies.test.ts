/** The engine proxy allows every container that the Docker runtime can ask for, and no more than the operator does. */
import { describe, expect, test } from 'vitest';
import { checkCreate, checkVolume, type Policy } from '../../deploy/engine-proxy/bodies.ts';
import { type WorkerSpec, workerSpec } from '../../src/model/index.ts';
import { type Placement, toContainer } from '../../src/runtimes/docker/container.ts';

const CELL = 'blue';
const HANDLERS = '/srv/handlers';
const PLACE: Placement = {
  cell: CELL,
  image: 'worker:0123456789ab',
  network: `wm-${CELL}`,
  handlersDir: HANDLERS,
  defaults: { memory_bytes: 2 ** 31, pids: 512, open_files: 4096, disk_bytes: 10 ** 10 },
};

/** The body of the request, as it arrives at the proxy. */
function request(fields: object, place: Partial<Placement> = {}): Record<string, unknown> {
  const spec: WorkerSpec = workerSpec.parse({ runtime: 'docker', agent_type: 'CUSTOM', ...fields });
  const order = {
    worker_id: '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11',
    incarnation: 1,
    spec,
    spec_hash: 'a'.repeat(64),
    epoch: 1,
    env: { WORKER_ID: 'x' },
    store: 'b',
    ...(spec.image === undefined ? {} : { image: spec.image }),
  };
  return JSON.parse(JSON.stringify(toContainer(order, { ...PLACE, ...place })));
}
const check = (fields: object, policy: Policy = { cell: CELL }, place?: Partial<Placement>) =>
  checkCreate(request(fields, place), policy);

describe('allowed', () => {
  test.each([
    ['a plain worker', {}],
    ['limits', { resources: { memory: '512m', cpus: 1.5, pids: 64 } }],
    ['allowed commands', { allowed_commands: ['git'] }],
    ['allowed commands with an interpreter, and a volume', { allowed_commands: ['node', 'npm'] }],
    ['modules', { modules: ['GIT', 'CURL'] }],
    ['an image of the user', { image: 'registry.example/team/tool:1', command_line: ['tool'] }],
  ])('%s', (_name, fields) => {
    expect(check(fields)).toBeUndefined();
  });

  test('link-local addresses that the operator allows', () => {
    expect(check({}, { cell: CELL }, { linkLocal: true })).toBeUndefined();
  });
});

test('workspaces are mounted, but no other named volume', () => {
  const mounted = (volume: string) =>
    check({}, { cell: CELL }, { workspace: { volume, path: '/workspace' } });
  const id = '5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11';
  expect(mounted(`wm-${CELL}-${id}-workspace`)).toBeUndefined();
  expect(mounted(`wm-${CELL}-${id}-workspace-noexec`)).toBeUndefined();
  for (const volume of [
    `wm-green-${id}-workspace`,
    `wm-${id}-workspace`,
    'data',
    `x-wm-${CELL}-${id}-workspace`,
  ])
    expect(mounted(volume)).toContain('HostConfig.Mounts');
});

describe('volumes', () => {
  const name = `wm-${CELL}-5f0c6a52-0f4e-4b4e-9d6c-2f1a8e0d7b11-workspace`;
  const Labels = { 'worker-manager.managed': 'true', 'worker-manager.cell': CELL };
  const made = (DriverOpts: object, Name = name) =>
    checkVolume({ Name, Driver: 'local', DriverOpts, Labels }, { cell: CELL });
  const layers = (lower: string, upper: string, work: string, flags = 'noexec,nosuid,nodev') => ({
    type: 'overlay',
    device: 'overlay',
    o: `lowerdir=${lower},upperdir=${upper},workdir=${work},${flags}`,
  });
  const at = (volume: string) => `/var/lib/docker/volumes/${volume}/_data`;
  const right = layers(at(`${name}-noexec`), at(name), at(`${name}-work`));

  test('of a workspace are allowed', () => {
    expect(made({})).toBeUndefined();
    expect(made({ size: '1024' })).toBeUndefined();
    expect(made(right, `${name}-noexec`)).toBeUndefined();
  });

  test.each([
    ['a folder of the machine', { type: 'none', o: 'bind', device: '/etc' }, name],
    ['a device', { type: 'ext4', device: '/dev/sda1' }, name],
    [
      'an overlay over a folder of the machine',
      layers('/etc', at(name), at(`${name}-work`)),
      `${name}-noexec`,
    ],
    [
      'two lower layers',
      layers(`/etc:${at(`${name}-noexec`)}`, at(name), at(`${name}-work`)),
      `${name}-noexec`,
    ],
    ['another upper layer', layers(at(`${name}-noexec`), at('other'), at(`${name}-work`)), `${name}-noexec`],
    [
      'an executable overlay',
      layers(at(`${name}-noexec`), at(name), at(`${name}-work`), 'nosuid'),
      `${name}-noexec`,
    ],
    ['the layers of another workspace', right, name.replace('5f0c', '6f0c')],
    ['a name of another cell', {}, name.replace(CELL, 'green')],
    ['any other name', {}, 'data'],
  ])('of %s are refused', (_name, options, Name) => {
    expect(made(options, Name)).toBeTypeOf('string');
  });

  test('without our labels are refused', () => {
    expect(checkVolume({ Name: name, Driver: 'local', DriverOpts: {} }, { cell: CELL })).toBeTypeOf('string');
    expect(checkVolume({ Name: name, Labels: {} }, { cell: CELL })).toBeTypeOf('string');
    expect(checkVolume(null, {})).toBeTypeOf('string');
  });
});

test('handlers are mounted only from the folder that the operator names', () => {
  const fields = { agent_type: 'TASK', handlers: ['words.py'] };
  expect(check(fields, { cell: CELL, handlersDir: HANDLERS })).toBeUndefined();
  expect(check(fields, { cell: CELL, handlersDir: '/srv/others' })).toContain('HostConfig.Mounts');
  expect(check(fields)).toContain('HostConfig.Mounts');
});

test('the module DOCKER needs the permission of the operator', () => {
  const fields = { modules: ['DOCKER'] };
  expect(check(fields, { cell: CELL, allowPrivileged: true })).toBeUndefined();
  expect(check(fields)).toMatch(/HostConfig\.(SecurityOpt|MaskedPaths|Devices|ReadonlyPaths)/);
});

test('a body of another cell is refused', () => {
  expect(check({}, { cell: 'green' })).toContain('Labels');
});

test.each([
  ['no body', null],
  ['a list', []],
  ['no labels', { Image: 'x', HostConfig: { NetworkMode: 'wm-blue', CapDrop: ['ALL'] } }],
  ['no settings of the host', { Image: 'x', Labels: {} }],
])('%s is refused', (_name, body) => {
  expect(checkCreate(body, { cell: CELL })).toBeTypeOf('string');
});

test.each(['CapDrop', 'NetworkMode', 'SecurityOpt'])('a container without %s is refused', (name) => {
  const body = request({}) as { HostConfig: Record<string, unknown> };
  delete body.HostConfig[name];
  expect(checkCreate(body, { cell: CELL })).toContain(name);
});

test('a field that the runtime does not set is refused, whatever its value', () => {
  const body = request({}) as { HostConfig: Record<string, unknown> };
  for (const name of [
    'Privileged',
    'privileged',
    'PidMode',
    'IpcMode',
    'UsernsMode',
    'VolumesFrom',
    'Runtime',
  ])
    expect(checkCreate({ ...body, HostConfig: { ...body.HostConfig, [name]: '' } }, { cell: CELL })).toBe(
      `HostConfig.${name} is not allowed with this value`,
    );
  expect(checkCreate({ ...body, Volumes: {} }, { cell: CELL })).toBe(
    'Volumes is not allowed with this value',
  );
  // Not a name that every object has.
  const inherited = JSON.parse('{"constructor": 1, "__proto__": 1}');
  expect(checkCreate({ ...body, ...inherited }, { cell: CELL })).toContain('constructor');
});
