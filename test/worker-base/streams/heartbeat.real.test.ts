import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { getKeys } from '../../../src/store/keys.ts';
import { HeartbeatSender } from '../../../worker-base/streams/heartbeat.ts';
import { Registration } from '../../../worker-base/tasks/node-registration.ts';

// A task that ended just before the node did was reported after its last entry, so that it was shown for 30 s more.
test('a node that has left is not registered again by a beat that was still to come', async () => {
  const redis = new Redis(inject('redisUrl'));
  const workerId = `node-${randomUUID()}`;
  const keys = getKeys(`t-${workerId}`);
  onTestFinished(async () => {
    await redis.del(keys.node(workerId), keys.nodes);
    redis.disconnect();
  });
  const registration = new Registration(keys, { workerId, taskVariables: {} });
  const register = vi.fn((beat: Parameters<Registration['beat']>[0]) => registration.beat(beat));
  const heartbeat = new HeartbeatSender({ redis, keys, workerId, incarnation: 1, seq: () => 0, register });
  await redis.ping();
  await heartbeat.announce(1);
  expect(await redis.exists(keys.node(workerId))).toBe(1);

  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  heartbeat.changed();
  await heartbeat.leave(registration.leave());
  vi.advanceTimersByTime(60_000);
  // Answered after all that was sent before.
  await redis.ping();
  expect(await redis.exists(keys.node(workerId), keys.nodes)).toBe(0);
});
