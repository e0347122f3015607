/**
 * An engine that answers with errors: which component fails. The server implements just enough of its
 * protocol.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createDockerRuntime } from '../../../src/runtimes/docker/docker.ts';
import { Runtimes } from '../../../src/runtimes/registry.ts';
import { ActFailed, BodyRefused, RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { ID, specOf } from '../../reconcile/observation.ts';

const CONTAINER = 'c'.repeat(64);
type Answer = [status: number, body: unknown];
/** One answer for all requests, or one per request. */
type Answers = Record<string, Answer | Answer[]>;

const OURS = { 'worker-manager.managed': 'true', 'worker-manager.cell': 'one' };
const INSPECT = {
  Id: CONTAINER,
  Created: '2030-01-01T00:00:00Z',
  NetworkSettings: {},
  HostConfig: {},
  State: { Status: 'created', ExitCode: 0, Error: '', OOMKilled: false },
  Config: {
    Image: 'worker:1',
    Labels: {
      'worker-manager.managed': 'true',
      'worker-manager.cell': 'one',
      'worker-manager.worker-id': ID,
      'worker-manager.incarnation': '1',
    },
  },
};
const refusal = (status: number, message: string): [number, unknown] => [status, { message }];

/** The runtime against an engine with these answers, by method and path; it has the network already. */
async function world(answers: Answers) {
  const known: Answers = {
    'GET /version': [200, { Version: '20.10', ApiVersion: '1.41', MinAPIVersion: '1.12' }],
    'GET /info': [200, { ServerVersion: '20.10' }],
    'GET /networks': [200, []],
    [`GET /containers/${CONTAINER}/json`]: [200, INSPECT],
    ...answers,
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/v1\.\d+/, '').replace(/\?.*/, '');
    const planned = known[`${request.method} ${path}`] ?? refusal(404, `no ${request.method} ${path}`);
    const [status, body] = (Array.isArray(planned[0]) ? planned.shift() : planned) as Answer;
    asked.push(`${request.method} ${path}`);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    request.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const runtime = createDockerRuntime({
    cell: 'one',
    host,
    image: 'worker:1',
    defaults: { disk_bytes: 1024 ** 3 },
  });
  onTestFinished(async () => {
    await runtime.close();
    await new Promise((resolve) => server.close(resolve));
  });
  const turns: (string | undefined)[] = [];
  const runtimes = new Runtimes([runtime], Date.now, (_, error) => turns.push(error));
  await runtimes.probe();
  const failure = (what: Parameters<Runtimes['call']>[1]) =>
    runtimes.call('docker', what).then(
      () => undefined,
      (error: unknown) => error,
    );
  return { failure, turns, asked };
}

const order = {
  worker_id: ID,
  incarnation: 1,
  spec: { ...specOf(), workspace: { persist: 'body' } as const },
  spec_hash: 'h',
  epoch: 1,
  env: {},
  image: 'worker:1',
};

test('a rejected network fails the create, and the engine stays in use', async () => {
  const { failure, turns } = await world({
    'POST /networks/create': refusal(403, 'could not find an available, non-overlapping IPv4 address pool'),
  });
  const error = await failure((runtime) => runtime.create(order));
  expect(error).toBeInstanceOf(ActFailed);
  expect((error as Error).message).toContain('non-overlapping');
  expect(turns, 'the one answer to the probe').toEqual([undefined]);
});

test('a start that fails with 400 rejects the body instead of being retried forever', async () => {
  const { failure, turns } = await world({
    [`POST /containers/${CONTAINER}/start`]: refusal(400, 'invalid sysctl'),
  });
  const error = await failure((runtime) => runtime.start(CONTAINER));
  expect(error).toBeInstanceOf(BodyRefused);
  expect(error).toMatchObject({ reason: 'StartFailed', message: expect.stringContaining('invalid sysctl') });
  expect(turns).toEqual([undefined]);
});

test('limits that cannot be applied to a living body are not an engine failure', async () => {
  const { failure, turns } = await world({
    [`POST /containers/${CONTAINER}/update`]: refusal(500, 'write memory.limit_in_bytes: invalid argument'),
  });
  const error = await failure((runtime) => runtime.limit(CONTAINER, specOf({ resources: { memory: '8m' } })));
  expect(error).toBeInstanceOf(ActFailed);
  expect(turns).toEqual([undefined]);
});

test('an engine that cannot list its bodies is unusable', async () => {
  const { failure, turns } = await world({ 'GET /containers/json': refusal(500, 'layer does not exist') });
  expect(await failure((runtime) => runtime.list())).toBeInstanceOf(RuntimeDown);
  expect(turns).toEqual([undefined, expect.stringContaining('layer does not exist')]);
});

test('storage that cannot limit a container is detected once, and bodies are created without that limit', async () => {
  const no = "--storage-opt is supported only for overlay over xfs with 'pquota' mount option";
  const made: Answer = [201, { Id: CONTAINER }];
  const { failure, asked } = await world({
    'GET /networks': [200, [{ Id: 'n', Name: 'wm-one', Created: '', Labels: OURS }]],
    'POST /containers/create': [refusal(500, no), made, made],
  });
  for (let round = 0; round < 2; round += 1) {
    const error = await failure((runtime) => runtime.create(order));
    // The stand-in keeps nothing of what it was asked for, which is a refusal of its own.
    expect(error === undefined || (error as BodyRefused).reason === 'NotEnforced').toBe(true);
  }
  expect(asked.filter((what) => what === 'POST /containers/create')).toHaveLength(3);
});
