import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { OutputQueue } from '../../../worker-base/streams/output-queue.ts';
import { OutputSender } from '../../../worker-base/streams/output-sender.ts';
import { Spool } from '../../../worker-base/streams/spool.ts';

const BOUND = 64 * 1024 ** 2;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

// By the number of its entries alone, one worker that printed much took 590 MB of Redis.
test('a chatty worker takes a bounded part of Redis, its former bodies included', async () => {
  const redis = new Redis(inject('redisUrl'));
  const key = `test-${randomUUID()}:output`;
  onTestFinished(async () => {
    await redis.del(key);
    redis.disconnect();
  });
  const used = async () => Number(await redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  let lastSeq = 0;
  const body = async (entries: number, bytes: number) => {
    const newest = await redis.xrevrange(key, '+', '-', 'COUNT', 1);
    const sender = new OutputSender({ redis, key, log: silent, lastSeq, lastId: newest[0]?.[0] });
    const spool = new Spool({ path: join('/nowhere', key), memoryBytes: 2 ** 30, diskBytes: 0 });
    const output = new OutputQueue({ spool, incarnation: 1, lastSeq, isAway: () => sender.away });
    sender.start(output, []);
    for (let at = 0; at < entries; at += 1) lastSeq = output.emit('message', 'x'.repeat(bytes));
    await sender.arrived(lastSeq);
    sender.onProgress = () => {};
  };

  await body(1600, 60_000);
  expect(await used()).toBeLessThan(BOUND * 1.1);
  expect(await redis.xlen(key)).toBeGreaterThan(900);
  for (let incarnation = 2; incarnation < 5; incarnation += 1) await body(500, 60_000);
  expect(await used()).toBeLessThan(BOUND * 1.1);
  expect(await redis.xlen(key)).toBeGreaterThan(900);
  // Small ones are kept by their number.
  await body(12_000, 10);
  expect(await redis.xlen(key)).toBeGreaterThanOrEqual(10_000);
  expect(await redis.xlen(key)).toBeLessThan(10_200);
}, 60_000);
