import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { dockerAt } from './docker.ts';
import { startRedis } from './redis.ts';

function connect(url: string, options: object = {}): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: 1, ...options });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

test('a body on a bridge reaches the shared Redis by its own address', async () => {
  expect(await connect(inject('redisUrl')).ping()).toBe('PONG');
  expect(await connect(inject('bodyRedisUrl')).ping()).toBe('PONG');
});

test('a Redis of a test survives SIGKILL with its data, and can be frozen', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await connect(server.url).set('kept', 'yes');
  await server.kill();
  await expect(connect(server.url, { retryStrategy: null }).ping()).rejects.toThrow();
  await server.start();
  expect(await connect(server.url).get('kept')).toBe('yes');

  await server.pause();
  await expect(connect(server.url, { commandTimeout: 300 }).get('kept')).rejects.toThrow('timed out');
  await server.unpause();
  expect(await connect(server.bodyUrl).get('kept')).toBe('yes');
});

test('a stopped Redis leaves no container behind', async () => {
  const server = await startRedis({ appendonly: false });
  await server.stop();
  const docker = dockerAt(inject('dockerHost'));
  await expect(docker.getContainer(server.containerId).inspect()).rejects.toMatchObject({ statusCode: 404 });
});
