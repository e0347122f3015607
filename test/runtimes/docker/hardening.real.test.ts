import { expect, inject, test, vi } from 'vitest';
import { createDockerRuntime } from '../../../src/runtimes/docker/docker.ts';
import { BodyRefused } from '../../../src/runtimes/runtime.ts';
import { clean, engine, FOREVER, newCell, newProxy, newRuntime, node, orderOf, sh } from './subject.ts';

type Runtime = ReturnType<typeof newRuntime>['runtime'];

/** Runs a program in a body to its end and returns its result. */
async function outcome(runtime: Runtime, order: ReturnType<typeof orderOf>) {
  const { id } = await runtime.create(order);
  await runtime.start(id);
  return vi.waitFor(
    async () => {
      const [body] = await runtime.find(order.worker_id, id);
      if (body?.state !== 'exited') throw new Error(`still ${body?.state}`);
      return body;
    },
    { timeout: 20_000, interval: 50 },
  );
}

test('a body has no privileges, an init and its limits, as seen from inside', async () => {
  const { runtime } = newRuntime();
  const limited = orderOf(
    sh('grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status; cat /proc/1/comm'),
    {
      resources: { memory: '64m', cpus: 0.5, pids: 20 },
    },
  );
  const { tail = '' } = await outcome(runtime, limited);
  expect(tail.replaceAll(/[\t ]+/g, ' ').split('\n')).toEqual([
    'CapEff: 0000000000000000',
    'CapBnd: 0000000000000000',
    'NoNewPrivs: 1',
    'Seccomp: 2',
    'docker-init',
  ]);
  const bomb = orderOf(sh('for i in $(seq 40); do sleep 5 & done; wait'), { resources: { pids: 20 } });
  expect((await outcome(runtime, bomb)).tail).toMatch(/fork/i);
});

test('a body reached link-local addresses, where clouds hand out credentials of the machine', async () => {
  const connect = orderOf(
    sh('grep 0000FEA9 /proc/net/route; bash -c "exec 3<>/dev/tcp/169.254.169.254/80" 2>&1; exit 0'),
  );
  const { runtime } = newRuntime();
  const { tail = '' } = await outcome(runtime, connect);
  // On its own link, without a gateway.
  expect(tail).toMatch(/^eth0\s+0000FEA9\s+00000000\s/);
  expect(tail).toContain('No route to host');
  const { ip_address } = (await runtime.find(connect.worker_id, undefined))[0] ?? {};
  expect(ip_address ?? '').not.toMatch(/^169\.254\./);
});

test('the engine gets the specified settings, with a log that cannot fill the disk', async () => {
  const { runtime, cell } = newRuntime();
  const resources = { memory: '64m', cpus: 0.5, pids: 20 };
  const { id } = await runtime.create(orderOf(FOREVER, { resources, env: { WORKER_TYPE: 'CUSTOM' } }));
  const { HostConfig, Config } = await engine().getContainer(id).inspect();
  expect(HostConfig).toMatchObject({
    Memory: 64 * 1024 ** 2,
    MemorySwap: 64 * 1024 ** 2,
    NanoCpus: 5e8,
    PidsLimit: 20,
    NetworkMode: `wm-${cell}`,
    RestartPolicy: { Name: 'no' },
    LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2', compress: 'false' } },
    Privileged: false,
    Binds: null,
  });
  expect(Config.Env).toContain('WORKER_TYPE=CUSTOM');
  expect(Config.Labels).toMatchObject({ 'worker-manager.cell': cell, 'worker-manager.incarnation': '1' });
});

test('an orphaned child is reaped', async () => {
  const { runtime } = newRuntime();
  // The shell of the `$(…)` ends at once; a signal still reaches an ended process that was not reaped.
  const script =
    'orphan=$(sleep 0.1 >/dev/null & echo $!); while kill -0 $orphan 2>/dev/null; do sleep 0.1; done; echo reaped';
  expect((await outcome(runtime, orderOf(sh(script)))).tail).toBe('reaped');
});

test('bodies of a cell can reach the outside bridge but not each other', async () => {
  const { runtime } = newRuntime();
  const server = orderOf(node('require("http").createServer((q,r)=>r.end("hello")).listen(8080)'));
  const { id } = await runtime.create(server);
  await runtime.start(id);
  const [{ ip_address } = {}] = await runtime.find(server.worker_id, id);
  const probe = `fetch("http://${ip_address}:8080",{signal:AbortSignal.timeout(1500)}).then(()=>7,()=>8).then(process.exit)`;
  expect((await outcome(runtime, orderOf(node(probe)))).exit_code).toBe(8);
});

test('a secret of a body is never in a URL', async () => {
  const proxy = await newProxy();
  const { runtime, cell } = newRuntime({ host: proxy.socket });
  const order = orderOf(FOREVER, { env: { REDIS_URL: 'redis://user:hunter2@host' } });
  const { id } = await runtime.create(order);
  await runtime.start(id);
  await runtime.find(order.worker_id, id);
  await runtime.list();
  await runtime.remove(id);
  await runtime.dismantle();
  const create = proxy.seen.find(
    ({ method, url }) => method === 'POST' && url.includes('/containers/create'),
  );
  expect(create?.url).toMatch(
    new RegExp(`^/v1\\.\\d+/containers/create\\?name=wm-${cell}-${order.worker_id}$`),
  );
  expect(create?.body).toContain('hunter2');
  for (const { url } of proxy.seen) expect(url).not.toMatch(/hunter2|REDIS_URL|_body|Labels|Options/);
});

test('protection that the engine dropped is detected, and the unprotected body is removed', async () => {
  const proxy = await newProxy();
  proxy.misbehave = ({ url, body }) =>
    url.includes('/containers/create') ? { body: body.replace('"CapDrop"', '"CapDropp"') } : undefined;
  const { runtime } = newRuntime({ host: proxy.socket });
  const refusal = await runtime.create(orderOf(FOREVER)).catch((error) => error);
  expect(refusal).toBeInstanceOf(BodyRefused);
  expect(refusal).toMatchObject({ reason: 'NotEnforced', message: expect.stringContaining('CapDrop ALL') });
  expect(await runtime.list()).toEqual([]);
});

test('an invalid ID never becomes part of a path of the engine', async () => {
  const proxy = await newProxy();
  const { runtime } = newRuntime({ host: proxy.socket });
  await runtime.list();
  const before = proxy.seen.length;
  for (const id of ['../secrets', 'x?force=1&v=1', '', '__proto__', 'a/b']) {
    for (const act of ['start', 'terminate', 'kill', 'remove', 'usage'] as const) {
      await expect(runtime[act](id)).rejects.toThrow(TypeError);
    }
    await expect(runtime.find(id, undefined)).rejects.toThrow(TypeError);
    await expect(runtime.find(orderOf([]).worker_id, id)).rejects.toThrow(TypeError);
  }
  expect(proxy.seen).toHaveLength(before);
  expect(() => createDockerRuntime({ cell: '../x', image: 'x' })).toThrow(TypeError);
});

test('two managers that create the network at once end up with one', async () => {
  const cell = newCell();
  const [one, two] = [newRuntime({ cell }).runtime, newRuntime({ cell }).runtime];
  await Promise.all([one.create(orderOf(FOREVER)), two.create(orderOf(FOREVER))]);
  expect(await networksOf(cell)).toHaveLength(1);
});

test('duplicate networks from a race are merged, and a removed network is created again', async () => {
  const { runtime, cell } = newRuntime();
  const labels = { 'worker-manager.managed': 'true', 'worker-manager.cell': cell };
  const network = { Name: `wm-${cell}`, Labels: labels };
  await engine().createNetwork(network);
  // Docker 25 and newer reject the second one.
  await engine()
    .createNetwork(network)
    .catch((error) => expect(error.statusCode).toBe(409));
  const { id } = await runtime.create(orderOf(FOREVER));
  await runtime.start(id);
  expect(await networksOf(cell)).toHaveLength(1);

  await clean(cell);
  const order = orderOf(FOREVER);
  // The first attempt detects that the network is gone; the next one creates it.
  const lost = await runtime.create(order);
  await expect(runtime.start(lost.id)).rejects.toThrow(/network/);
  await runtime.remove(lost.id);
  const again = await runtime.create(order);
  await runtime.start(again.id);
  expect((await runtime.find(order.worker_id, undefined))[0]?.state).toBe('running');
});

test('a foreign network of our name is refused and left alone', async () => {
  const { runtime, cell } = newRuntime();
  const foreign = await engine().createNetwork({ Name: `wm-${cell}` });
  try {
    await expect(runtime.create(orderOf(FOREVER))).rejects.toMatchObject({ reason: 'NetworkTaken' });
    await runtime.dismantle();
    expect((await foreign.inspect()).Id).toBe(foreign.id);
  } finally {
    await foreign.remove();
  }
});

test('dismantling waits until the engine has released removed bodies', async () => {
  const proxy = await newProxy();
  const { runtime, cell } = newRuntime({ host: proxy.socket });
  const { id } = await runtime.create(orderOf(FOREVER));
  await runtime.remove(id);
  let refused = 0;
  proxy.misbehave = ({ method, url }) => {
    if (method !== 'DELETE' || !url.includes('/networks/') || refused > 1) return undefined;
    refused += 1;
    const message = `error while removing network: network wm-${cell} id abc has active endpoints`;
    return { status: 403, text: JSON.stringify({ message }) };
  };
  await runtime.dismantle();
  expect(refused).toBe(2);
  expect(await networksOf(cell)).toEqual([]);
});

test('a network with a body in it is not removed', async () => {
  const { runtime } = newRuntime();
  const { id } = await runtime.create(orderOf(FOREVER));
  await runtime.start(id);
  await expect(runtime.dismantle()).rejects.toThrow(/active endpoints/);
});

test('dismantling removes the network of the cell', async () => {
  const { runtime, cell } = newRuntime();
  const { id } = await runtime.create(orderOf(FOREVER));
  expect(await networksOf(cell)).toHaveLength(1);
  await runtime.remove(id);
  await runtime.dismantle();
  await runtime.dismantle();
  expect(await networksOf(cell)).toEqual([]);
});

const networksOf = (cell: string) =>
  engine().listNetworks({ filters: { label: [`worker-manager.cell=${cell}`] } });

test('the volume of a workspace that lasts as long as its body names its worker, and is removed with the body', async () => {
  const { runtime } = newRuntime({ image: inject('image') });
  const order = orderOf(FOREVER);
  const limits = { allowed_commands: ['node'], workspace: { persist: 'body' as const } };
  const { id } = await runtime.create({ ...order, spec: { ...order.spec, ...limits } });
  const [mount] = (await engine().getContainer(id).inspect()).Mounts.filter(({ Type }) => Type === 'volume');
  const volume = engine().getVolume(mount?.Name ?? '');
  expect((await volume.inspect()).Labels).toMatchObject({
    'worker-manager.managed': 'true',
    'worker-manager.worker-id': order.worker_id,
    'worker-manager.incarnation': '1',
  });
  await runtime.remove(id);
  await expect(volume.inspect()).rejects.toMatchObject({ statusCode: 404 });
});
