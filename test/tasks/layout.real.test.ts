/**
 * Our scripts read and write BullMQ's keys, so they are right for one version only. An upgrade of BullMQ starts here: raise
 * the version below once these tests and the rest of `test/tasks` pass with it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { expect, inject, onTestFinished, test } from 'vitest';
import { getQueueKeys, RANK } from '../../src/tasks/queue-keys.ts';
import { openWorld, POOL } from './world.ts';

/** The version that the scripts in `src/tasks/scripts/scripts.ts` are written for. */
const BULLMQ_VERSION = '6.7.0';
const ROOT = join(import.meta.dirname, '..', '..');

test('the scripts are written for the installed version of BullMQ, which is pinned', async () => {
  const read = async (path: string) => JSON.parse(await readFile(join(ROOT, path), 'utf8'));
  expect((await read('package.json')).dependencies.bullmq).toBe(BULLMQ_VERSION);
  expect((await read('node_modules/bullmq/package.json')).version).toBe(BULLMQ_VERSION);
});

const fields = (...names: string[]) => `hash: ${names.sort().join(' ')}`;

/** The type of each key of a queue, with the fields of a hash. */
async function layoutOf(redis: Redis, base: string): Promise<Record<string, string>> {
  const layout: Record<string, string> = {};
  for await (const keys of redis.scanStream({ match: `${base}*`, count: 1000 }) as AsyncIterable<string[]>) {
    for (const key of keys) {
      const type = await redis.type(key);
      layout[key.slice(base.length)] = type === 'hash' ? fields(...(await redis.hkeys(key))) : type;
    }
  }
  return layout;
}

const OPTIONS = { attempts: 2, priority: RANK.normal, stackTraceLimit: 0 };

/** A job in each state, put there by BullMQ's own Queue and Worker. */
async function playAll(queue: Queue, prefix: string): Promise<void> {
  const connection = { url: inject('redisUrl'), maxRetriesPerRequest: null };
  await queue.add('task', { end: 'done' }, { ...OPTIONS, jobId: 't.completed' });
  await queue.add('task', { end: 'failed' }, { ...OPTIONS, attempts: 1, jobId: 't.failed' });
  await queue.add('task', { end: 'never' }, { ...OPTIONS, jobId: 't.active' });
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const worker = new Worker(
    POOL,
    async ({ data }) => {
      if (data.end === 'failed') throw new Error('no');
      if (data.end !== 'never') return 1;
      begun.resolve();
      return end.promise;
    },
    { connection, prefix, name: 'w' },
  );
  onTestFinished(async () => {
    end.resolve();
    await worker.close();
  });
  await begun.promise;
  await worker.pause(true);
  await queue.add('task', {}, { ...OPTIONS, delay: 60_000, jobId: 't.delayed' });
  await queue.add('task', {}, { ...OPTIONS, jobId: 't.waiting' });
}

test("BullMQ's own Queue and Worker keep jobs in the keys and fields that our scripts use", async () => {
  const { cell, redis } = openWorld();
  const { prefix, base } = getQueueKeys(cell, POOL);
  const queue = new Queue(POOL, { connection: { url: inject('redisUrl') }, prefix });
  onTestFinished(() => queue.close());
  await playAll(queue, prefix);
  const added = ['data', 'delay', 'name', 'opts', 'priority', 'timestamp'];
  const taken = [...added, 'ats', 'pb', 'processedOn'];
  const ended = [...taken, 'atm', 'finishedOn'];
  expect(await layoutOf(redis, base)).toEqual({
    active: 'list',
    prioritized: 'zset',
    delayed: 'zset',
    completed: 'zset',
    failed: 'zset',
    marker: 'zset',
    pc: 'string',
    id: 'string',
    events: 'stream',
    'stalled-check': 'string',
    meta: fields('opts.maxLenEvents', 'version'),
    't.waiting': fields(...added),
    't.delayed': fields(...added),
    't.active': fields(...taken),
    't.active:lock': 'string',
    't.completed': fields(...ended, 'returnvalue'),
    't.failed': fields(...ended, 'failedReason', 'stacktrace'),
  });
});

test('a submitted task is a job as BullMQ would have added it, in the same place', async () => {
  const { cell, redis, call } = openWorld();
  const { prefix, key, job } = getQueueKeys(cell, POOL);
  await call('a', { task_id: 'ours', max_retries: 1 });
  const queue = new Queue(POOL, { connection: { url: inject('redisUrl') }, prefix });
  onTestFinished(() => queue.close());
  await queue.add('task', {}, { attempts: 2, priority: RANK.normal, jobId: 't.theirs' });
  const [ours, theirs] = await Promise.all([redis.hgetall(job('ours')), redis.hgetall(job('theirs'))]);
  // `stc` counts stalls: a task that allows fewer losses begins with some of them used up.
  expect(Object.keys(ours).sort()).toEqual([...Object.keys(theirs), 'stc'].sort());
  expect([ours.name, ours.priority, ours.delay]).toEqual([theirs.name, theirs.priority, theirs.delay]);
  const [first, second] = await redis.zmscore(key('prioritized'), 't.ours', 't.theirs');
  expect(Number(second) - Number(first)).toBe(1);
});
