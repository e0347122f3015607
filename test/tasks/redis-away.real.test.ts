import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { openWorld, soon } from './world.ts';

// It ended the manager once: BullMQ repeats an error of its connection, without a listener there.
test('a queue outlives its Redis, whichever of its steps were used before', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const { call, queue } = openWorld({ keepSeconds: 60 }, server.url);
  await call('before');
  await queue.sweep();
  await server.kill();
  await vi.waitFor(() => expect(call('meanwhile')).rejects.toMatchObject({ code: 'unavailable' }), soon);
  await server.start();
  await vi.waitFor(() => expect(call('after')).resolves.toMatchObject({ status: 'queued' }), soon);
  await queue.sweep();
});

// The connection of a queue that found no Redis at its first step was not tried again for any later one.
test('a queue that is first used while Redis is away works when Redis is back', async () => {
  const proxy = await startTcpProxy(Number(new URL(inject('redisUrl')).port));
  onTestFinished(() => proxy.close());
  await proxy.cut();
  const { queue } = openWorld({ keepSeconds: 60 }, `redis://127.0.0.1:${proxy.port}`);
  await expect(queue.sweep()).rejects.toMatchObject({ code: 'unavailable' });
  await proxy.heal();
  await vi.waitFor(() => queue.sweep(), soon);
});
