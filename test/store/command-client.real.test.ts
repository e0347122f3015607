import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createCommandClient, StreamHub } from '../../src/store/index.ts';
import { openCell } from './cell.ts';

test('what others write to the stream of answers is ignored, and the answer is received', async () => {
  const { redis, store } = openCell();
  const hub = new StreamHub(redis, inject('redisUrl'));
  const writer = new Redis(inject('redisUrl'));
  const client = createCommandClient(redis, store.keys, hub);
  onTestFinished(() => {
    client.close();
    hub.close();
    writer.disconnect();
  });
  const answered = client.send({ command: 'status', request_id: 'r1' });
  const [entry] = (await writer.xread('BLOCK', 5000, 'STREAMS', store.keys.commands, '0'))?.[0]?.[1] ?? [];
  const { reply_to } = JSON.parse(entry?.[1][1] ?? '{}') as { reply_to: string };
  onTestFinished(async () => {
    await redis.del(reply_to);
  });
  for (const data of ['{', 'null', '[]', '"r1"', '{"request_id":{}}', '{"request_id":"r1","success":true}'])
    await writer.xadd(reply_to, '*', 'data', data);
  await writer.xadd(reply_to, '*', 'other', 'field');
  expect(await answered).toMatchObject({ request_id: 'r1', success: true });
});
