import type { ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../support/redis.ts';
import { kill, openWorld } from './world.ts';

const TASKS = 2000;
const WORKERS = 3;
const KILLS = 8;
const LOCK = 2;

it(`ends each of ${TASKS} tasks once, while workers are killed and Redis is`, {
  timeout: 240_000,
}, async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const world = openWorld({}, server.url);
  const ids = Array.from({ length: TASKS }, (_, at) => `task-${at}`);
  for (let from = 0; from < TASKS; from += 200) {
    await Promise.all(
      ids.slice(from, from + 200).map((task_id, at) => {
        // Some take long enough to be under way when their worker is killed; the first, until one of them is.
        const args = [from + at, from + at < 2 * WORKERS ? 5000 : at % 40 === 0 ? 150 : 0];
        return world.submit({ task_id, payload: { function: 'count', args }, max_losses: 20 });
      }),
    );
  }
  let born = 0;
  const hire = () => {
    born += 1;
    return world.worker({ workerId: `c-${born}`, concurrency: 2, lockSeconds: LOCK });
  };
  const workers: ChildProcess[] = await Promise.all(Array.from({ length: WORKERS }, hire));
  const left = async () => {
    const { queued, active } = await world.queue.counts();
    return queued + active;
  };
  for (let kills = 0; kills < KILLS && (await left()) > 0; kills += 1) {
    await wait(100 + Math.random() * 300);
    const at = Math.floor(Math.random() * WORKERS);
    if (workers[at]) await kill(workers[at]);
    if (kills === 3) {
      await server.kill();
      await server.start();
    }
    workers[at] = await hire();
  }
  await expect.poll(left, { timeout: 120_000, interval: 200 }).toBe(0);

  const { redis, cell, queue } = world;
  const [completed, failed] = await Promise.all(
    ['completed', 'failed'].map((set) => redis.zrange(`${cell}:task:${queue.pool}:${set}`, 0, '-1')),
  );
  expect(new Set([...(completed ?? []), ...(failed ?? [])]).size).toBe(TASKS);
  expect((completed?.length ?? 0) + (failed?.length ?? 0)).toBe(TASKS);
  expect(failed).toEqual([]);
  let twice = 0;
  for (const [at, task_id] of ids.entries()) {
    const view = await queue.get(task_id);
    expect(view).toMatchObject({ status: 'completed', error: null, result: { value: at ** 2 } });
    const attempts = await redis.lrange(`${cell}:attempts:${task_id}`, 0, -1);
    // The result is that of the last attempt and its worker.
    const { attempt } = (view?.result ?? {}) as { attempt?: number };
    expect(attempts).toContain(`${view?.worker_id}/${attempt}`);
    if (attempts.length > 1) twice += 1;
  }
  expect(twice).toBeGreaterThan(0);
});
