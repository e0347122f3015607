import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { getKeys } from '../../../src/store/keys.ts';
import { engine, newRuntime, orderOf, SOON } from './subject.ts';

/** A worker in Redis and a body of the real image that runs `script` as its agent. */
async function runWorker(script: string, Init = true) {
  const redis = new Redis(inject('redisUrl'));
  const { runtime, cell } = newRuntime({ image: inject('image') });
  const { argv: _, ...order } = orderOf([]);
  const id = order.worker_id;
  const keys = getKeys(cell);
  onTestFinished(async () => {
    const left = await redis.keys(`${cell}:*`);
    if (left.length > 0) await redis.del(...left);
    redis.disconnect();
  });
  const spec = { ...order.spec, command_line: ['sh', '-c', script] };
  await redis.hset(keys.desired(id), 'spec', JSON.stringify(spec));
  const env = {
    WORKER_ID: id,
    WORKER_TYPE: 'CUSTOM',
    WORKER_CELL: cell,
    WORKER_INCARNATION: '1',
    WORKSPACE_PATH: '/workspace',
    REDIS_URL: inject('bodyRedisUrl'),
  };
  let body = await runtime.create({ ...order, spec, env });
  if (!Init) {
    const { Config } = await engine().getContainer(body.id).inspect();
    await runtime.remove(body.id);
    const { Image, Env, Labels } = Config;
    const bare = await engine().createContainer({
      Image,
      Env,
      Labels,
      HostConfig: { NetworkMode: `wm-${cell}` },
    });
    body = { ...body, id: bare.id };
  }
  await runtime.start(body.id);
  const output = async () =>
    (await redis.xrange(keys.output(id), '-', '+')).map(([, [, data = '{}'] = []]) => JSON.parse(data));
  // One entry may hold several lines.
  const lines = async () =>
    (await output()).flatMap(({ type, content }) => (type === 'stdout' ? content.split('\n') : []));
  return { runtime, id, bodyId: body.id, output, lines };
}

const WHO =
  'whoami; id -u; pwd; touch here && echo writable; cat /proc/1/comm; env | grep -c REDIS; exec sleep 300';

test.each([
  ['the engine gives an init', true, 'docker-init'],
  ['it does not', false, 'tini'],
])(
  'the image runs an unprivileged agent, reaps it, and reports ready to Redis, if %s',
  async (_what, init, first) => {
    const { lines, output, runtime, id, bodyId } = await runWorker(WHO, init);
    await vi.waitFor(async () => expect((await output()).map(({ type }) => type)).toContain('ready'), SOON);
    await vi.waitFor(async () => expect(await lines()).toHaveLength(6), SOON);
    expect(await lines()).toEqual(['agent', '10002', '/workspace', 'writable', first, '0']);
    await runtime.terminate(bodyId);
    await vi.waitFor(async () => expect((await runtime.find(id, bodyId))[0]?.state).toBe('exited'), SOON);
  },
);

test('the image has labels for its sources', async () => {
  const { Config, Id } = await engine().getImage(inject('image')).inspect();
  const base = await engine().getImage(inject('baseImage')).inspect();
  expect(Id).not.toBe(base.Id);
  expect(inject('image')).toMatch(/^worker:[0-9a-f]{12}$/);
  expect(Config.Labels).toMatchObject({
    'worker-manager.managed': 'true',
    'org.opencontainers.image.version': expect.stringMatching(/^\d+\.\d+\.\d+/),
    'org.opencontainers.image.created': expect.stringMatching(/^\d{4}-/),
    'org.opencontainers.image.base.name': inject('baseImage'),
    'org.opencontainers.image.base.digest': expect.stringMatching(/^sha256:/),
  });
});
