import { once } from 'node:events';
import { Redis } from 'ioredis';
import { expect, onTestFinished, test } from 'vitest';
import { readStream } from '../../src/store/index.ts';
import { startRedis } from '../support/redis.ts';

test('a follower of a stream can be cancelled, even while Redis is down', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const reader = new Redis(redis.url, { maxRetriesPerRequest: null });
  reader.on('error', () => {});
  onTestFinished(() => reader.disconnect());
  await reader.xadd('stream', '*', 'data', '"one"');
  const ended = new AbortController();
  const heard: unknown[] = [];
  const following = (async () => {
    const options = { from: '0', follow: true, signal: ended.signal };
    for await (const { data } of readStream(reader, 'stream', options)) heard.push(data);
  })();
  await expect.poll(() => heard, { timeout: 20_000 }).toEqual(['one']);
  const away = once(reader, 'reconnecting');
  await redis.kill();
  await away;
  // Between two connections, when the client loses its requests.
  reader.disconnect();
  ended.abort();
  await following;
});
