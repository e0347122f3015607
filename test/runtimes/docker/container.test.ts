import { expect, test } from 'vitest';
import { workerSpec } from '../../../src/model/index.ts';
import { DEFAULT_LIMITS, linkLocalAddress, toContainer } from '../../../src/runtimes/docker/container.ts';
import { findDropped } from '../../../src/runtimes/docker/dropped-settings.ts';
import { bodyName, checkCell, checkId, networkName } from '../../../src/runtimes/docker/names.ts';
import { needsPrograms } from '../../../src/runtimes/docker/profile.ts';

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
    User: '0:0',
    Hostname: 'wm-8af550c9',
    Env: [`WORKER_ID=${WORKER}`, 'A=b=c'],
    StopTimeout: 4,
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
  expect(made.HostConfig).toMatchObject({
    Init: true,
    PidsLimit: DEFAULT_LIMITS.pids,
    NetworkMode: 'wm-default',
  });
  expect(made.HostConfig).not.toHaveProperty('Memory');
});

test('the limits of a spec are passed to the engine, without swap', () => {
  const { HostConfig } = toContainer(order({ resources: { memory: '512m', cpus: 1.5, pids: 64 } }), PLACE);
  expect(HostConfig).toMatchObject({
    Memory: 536870912,
    MemorySwap: 536870912,
    NanoCpus: 1.5e9,
    PidsLimit: 64,
  });
});

test('a body without limits gets those of the operator, if any', () => {
  const defaults = { memory_bytes: 2 * 1024 ** 3, pids: 100, open_files: 1024, disk_bytes: 1024 ** 3 };
  const limited = toContainer(order(), { ...PLACE, defaults }).HostConfig;
  expect(limited).toMatchObject({
    Memory: 2 * 1024 ** 3,
    MemorySwap: 2 * 1024 ** 3,
    PidsLimit: 100,
    Ulimits: [{ Name: 'nofile', Soft: 1024, Hard: 1024 }],
    StorageOpt: { size: '1073741824' },
  });
  const own = toContainer(order({ resources: { memory: '64m', pids: 9 } }), {
    ...PLACE,
    defaults,
  }).HostConfig;
  expect(own).toMatchObject({ Memory: 67_108_864, MemorySwap: 67_108_864, PidsLimit: 9 });
  const free = toContainer(order(), { ...PLACE, defaults: {} }).HostConfig;
  for (const key of ['Memory', 'MemorySwap', 'PidsLimit', 'Ulimits', 'StorageOpt'])
    expect(free).not.toHaveProperty(key);
});

test('a custom program replaces the entry point, and a foreign image keeps its own user', () => {
  const made = toContainer(order({}, ['sleep', '1']), { ...PLACE, image: 'debian' });
  expect(made).toMatchObject({ Entrypoint: ['sleep', '1'], Cmd: [] });
  expect(made).not.toHaveProperty('User');
});

test('the image of the order takes precedence over that of the runtime', () => {
  expect(toContainer({ ...order(), image: 'worker:fedcba987654' }, PLACE).Image).toBe('worker:fedcba987654');
});

const hostConfig = (spec: object, image = PLACE.image) =>
  toContainer(order(spec), { ...PLACE, image }).HostConfig ?? {};

test('our images get the capabilities for switching users, other images get none', () => {
  expect(hostConfig({})).toMatchObject({
    CapDrop: ['ALL'],
    CapAdd: ['SETUID', 'SETGID', 'KILL'],
    SecurityOpt: ['no-new-privileges'],
    Tmpfs: { '/run/worker': expect.stringMatching(/noexec,nosuid,nodev.*uid=10001,gid=10001,mode=0711/) },
  });
  for (const key of ['ReadonlyRootfs', 'Mounts', 'Devices', 'ReadonlyPaths'])
    expect(hostConfig({})).not.toHaveProperty(key);
  const foreign = hostConfig({ allowed_commands: ['git'] }, 'debian');
  expect(foreign).toMatchObject({ CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] });
  for (const key of ['CapAdd', 'Tmpfs', 'ReadonlyRootfs']) expect(foreign).not.toHaveProperty(key);
});

test.each([[[]], [['git']], [['git', 'node']]])(
  'with allowed commands %j nothing outside the workspace can be written and executed',
  (allowed_commands) => {
    const workspace = { persist: 'body' } as const;
    const { ReadonlyRootfs, ReadonlyPaths, Tmpfs = {}, Mounts } = hostConfig({ allowed_commands, workspace });
    // A workspace that outlives the body is a volume, whose mount options are those of the volume.
    expect(hostConfig({ allowed_commands })).toMatchObject({ ReadonlyRootfs, ReadonlyPaths });
    expect(hostConfig({ allowed_commands }).Tmpfs).not.toHaveProperty('/workspace');
    expect(ReadonlyRootfs).toBe(true);
    expect(ReadonlyPaths).toContain('/proc');
    const places = ['/tmp', '/var/tmp', '/home/agent', '/run/worker'];
    const programs = allowed_commands.includes('node');
    expect(Object.keys(Tmpfs).sort()).toEqual([...places, ...(programs ? [] : ['/workspace'])].sort());
    for (const options of Object.values(Tmpfs)) expect(options).toContain('noexec,nosuid,nodev');
    const volume = { Type: 'volume', Target: '/workspace', Source: '' };
    const Labels = expect.objectContaining({ 'worker-manager.managed': 'true' });
    expect(Mounts).toEqual(
      programs ? [{ ...volume, VolumeOptions: expect.objectContaining({ Labels }) }] : undefined,
    );
  },
);

test.each([
  [[], false],
  [['git', 'curl', 'gh', 'jq'], false],
  [['git', 'npm'], true],
  [['python3.11'], true],
  [['g++'], true],
  [['copier'], true],
  [['nodes', 'makefile', 'pythonic'], false],
])('%j make or load programs: %s', (names, expected) => expect(needsPrograms(names)).toBe(expected));

test('the module DOCKER removes only the protections that its daemon cannot work with', () => {
  const made = hostConfig({ modules: ['DOCKER', 'GIT'] });
  expect(made).toMatchObject({
    CapDrop: ['ALL'],
    CapAdd: ['SETUID', 'SETGID', 'KILL'],
    SecurityOpt: ['seccomp=unconfined'],
    MaskedPaths: [],
    ReadonlyPaths: [],
    Devices: [{ PathOnHost: '/dev/net/tun', PathInContainer: '/dev/net/tun', CgroupPermissions: 'rwm' }],
    Mounts: [{ Type: 'volume', Target: expect.stringMatching(/docker$/) }],
  });
  expect(made.Privileged).toBeUndefined();
  expect(hostConfig({ modules: ['GIT'] })).toEqual(hostConfig({}));
});

const limited = { resources: { memory: '64m', cpus: 1, pids: 9 } };
test.each([
  [{}, []],
  [{ MemorySwap: -1 }, []],
  [{ SecurityOpt: ['no-new-privileges:true'] }, []],
  [{ CapAdd: ['CAP_KILL', 'CAP_SETUID', 'CAP_SETGID'] }, []],
  [{ CapDrop: null }, ['CapDrop ALL']],
  [{ CapAdd: ['SYS_ADMIN'] }, ['CapAdd SETUID, SETGID, KILL']],
  [{ CapAdd: null }, ['CapAdd SETUID, SETGID, KILL']],
  [{ Privileged: true }, ['no privileges']],
  [{ SecurityOpt: null }, ['no-new-privileges']],
  [{ Memory: 0, PidsLimit: null }, ['Memory', 'PidsLimit']],
  [{ NanoCpus: 0 }, ['NanoCpus']],
  [{ Init: null, NetworkMode: 'default' }, ['Init', 'network wm-default']],
  [{ RestartPolicy: { Name: 'always' } }, ['RestartPolicy no']],
  [{ LogConfig: { Type: 'json-file' } }, ['LogConfig local']],
  [{ ReadonlyRootfs: false }, ['ReadonlyRootfs']],
  [{ ReadonlyPaths: ['/proc/sys'] }, ['ReadonlyPaths']],
  [{ Tmpfs: null }, ['Tmpfs /tmp', 'Tmpfs /var/tmp', 'Tmpfs /home/agent', 'Tmpfs /run/worker']],
  [{ Mounts: null }, ['Mounts']],
  [{ Binds: ['/:/host'] }, ['no Binds']],
  [{ Devices: [{ PathOnHost: '/dev/kmsg' }] }, ['Devices']],
])('what the engine made of it is compared: %o', (made, dropped) => {
  const asked = hostConfig({ ...limited, allowed_commands: ['node'], workspace: { persist: 'body' } });
  expect(findDropped(asked, { ...asked, ...made } as typeof asked)).toEqual(dropped);
});

test('a mount without its noexec is detected, and dropped options of a daemon', () => {
  const asked = hostConfig({ allowed_commands: ['git'] });
  const Tmpfs = { ...asked.Tmpfs, '/tmp': 'rw,nosuid,nodev,mode=1777' };
  expect(findDropped(asked, { ...asked, Tmpfs })).toEqual(['Tmpfs /tmp']);
  const daemon = hostConfig({ modules: ['DOCKER'] });
  expect(findDropped(daemon, { ...daemon, SecurityOpt: [], MaskedPaths: ['/proc/kcore'] })).toEqual([
    'seccomp=unconfined',
    'MaskedPaths',
  ]);
});

test('names are built from validated parts only', () => {
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

test('handler files are mounted read-only if the worker uses one of the operator’s', () => {
  const place = { ...PLACE, handlersDir: '/srv/handlers' };
  const mountsOf = (handlers?: string[], at: object = place) =>
    toContainer(order({ agent_type: 'TASK', command_line: undefined, handlers }), { ...PLACE, ...at })
      .HostConfig?.Mounts;
  expect(mountsOf(['a.py'])).toEqual([
    { Type: 'bind', Source: '/srv/handlers', Target: '/handlers', ReadOnly: true },
  ]);
  expect(mountsOf(['/opt/a.py'])).toBeUndefined();
  expect(mountsOf()).toBeUndefined();
  expect(mountsOf(['a.py'], { handlersDir: undefined })).toBeUndefined();
});

test('an image that was built from ours has our users, whatever its name', () => {
  const made = toContainer({ ...order(), image: 'team/worker:1' }, { ...PLACE, ours: true });
  expect(made).toMatchObject({ User: '0:0', HostConfig: { CapAdd: ['SETUID', 'SETGID', 'KILL'] } });
});

test('each body has a link-local address of its own, unless the operator allows that network', () => {
  const { EndpointsConfig } = toContainer(order(), PLACE).NetworkingConfig ?? {};
  expect(EndpointsConfig?.['wm-default']?.IPAMConfig).toEqual({
    LinkLocalIPs: [expect.stringMatching(/^169\.254\.\d+\.\d+$/)],
  });
  expect(toContainer(order(), { ...PLACE, linkLocal: true }).NetworkingConfig).toBeUndefined();
});

test.each([
  ['00000000-', '169.254.1.0'],
  ['fe010000-', '169.254.1.1'],
  ['fdff0000-', '169.254.254.255'],
  ['a8fe0000-', '169.254.169.253'],
])('worker %s… gets %s, which RFC 3927 allows', (id, address) => {
  expect(linkLocalAddress(id)).toBe(address);
});
