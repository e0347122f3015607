/**
 * A worker to be killed, with four functions: `hold` runs until the worker ends, `add` answers the sum of its arguments,
 * `count` writes down in Redis that an attempt began, and answers which one it was, `ask` waits in Redis for its answer.
 * Ends with its standard input.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { openConsumer, type RunTask } from '../../src/tasks/index.ts';
import type { WorkerProgram } from './world.ts';

const settings = JSON.parse(process.argv[2] ?? '{}') as WorkerProgram;
const redis = new Redis(settings.redisUrl, { maxRetriesPerRequest: null });
redis.on('error', () => undefined);

const run: RunTask = async ({ task_id, payload, attempt }, { signal }) => {
  if (!('function' in payload)) throw new Error('This worker only knows functions.');
  const [first = 0, second = 0] = (payload.args ?? []) as number[];
  if (payload.function === 'hold') {
    await wait(60_000, undefined, { signal });
  } else if (payload.function === 'count') {
    await redis.rpush(`${settings.cell}:attempts:${task_id}`, `${settings.workerId}/${attempt}`);
    await wait(second);
    return { attempt, value: first * first };
  } else if (payload.function === 'ask') {
    return (await redis.blpop(`${settings.cell}:answer:${task_id}`, 0))?.[1];
  }
  return first + second;
};

const consumer = openConsumer({
  ...settings,
  run,
  onError: (message) => void process.stdout.write(`${message}\n`),
});
await consumer.start();
process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write('ready\n');
