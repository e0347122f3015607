import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { openBackend } from '../../src/tasks/backend.ts';
import { connectWorker } from '../../src/tasks/connect.ts';
import { toActiveTask } from '../../src/tasks/consumer/active-task.ts';
import { ResultWriter } from '../../src/tasks/consumer/result-writer.ts';
import { parseNext } from '../../src/tasks/job.ts';
import { getQueueKeys } from '../../src/tasks/queue-keys.ts';
import { openWorld, POOL } from './world.ts';

/** Calls of this name arrive, but their first reply is lost, as if the connection broke in between. */
function losingAnswerTo<T extends object>(target: T, name: keyof T & string): T {
  let lost = false;
  return new Proxy(target, {
    get(from, key) {
      const value = Reflect.get(from, key);
      if (typeof value !== 'function') return value;
      if (key !== name) return value.bind(from);
      return async (...args: unknown[]) => {
        const answer = await value.apply(from, args);
        if (lost) return answer;
        lost = true;
        throw new Error('Connection is closed.');
      };
    },
  });
}

/** A world with one task that is taken, and no worker. */
async function taken() {
  const { cell, call, queue } = openWorld();
  const place = getQueueKeys(cell, POOL);
  const redis = connectWorker(inject('redisUrl'));
  const backend = openBackend(redis, place, POOL, { name: 'w', lockMs: 60_000, stalledCheckMs: 20_000 });
  onTestFinished(async () => {
    await backend.close(true);
    redis.disconnect();
  });
  await backend.waitUntilReady();
  const { task_id } = await call('a');
  const token = randomUUID();
  const next = parseNext(await backend.moveToActive(token, 'w'));
  if (!next) throw new Error('There was no task to take.');
  expect(await queue.get(task_id)).toMatchObject({ status: 'running', attempts: 1 });
  /** Who settles it, where the answer to one step is lost once. */
  const ledgerLosing = (lost: 'taskUncount' | 'moveJobFromActiveToWait' | 'moveToFailed') => {
    const [link, steps] =
      lost === 'taskUncount'
        ? [losingAnswerTo(redis, lost), backend]
        : [redis, losingAnswerTo(backend, lost)];
    return new ResultWriter(steps, link, place, 60, async () => false);
  };
  return { queue, backend, task_id, held: toActiveTask(next, token), ledgerLosing };
}

// The move went first once, and the count after it: a worker that took the task in between got a second attempt.
test.for(['taskUncount', 'moveJobFromActiveToWait'] as const)(
  'what is given back has no start, though the answer to %s is lost and it is tried again',
  async (lost) => {
    const { queue, backend, task_id, held, ledgerLosing } = await taken();
    const ledger = ledgerLosing(lost);
    await expect(ledger.requeue(held)).rejects.toThrow('Connection is closed.');
    expect(await queue.get(task_id)).toMatchObject({ attempts: 0 });
    await ledger.requeue(held);
    expect(await queue.get(task_id)).toMatchObject({ status: 'queued', attempts: 0 });
    // One that comes late changes nothing of the next attempt.
    const again = parseNext(await backend.moveToActive('another', 'w'));
    expect(again?.job.attemptsStarted).toBe(1);
    await ledger.requeue(held);
    expect(await queue.get(task_id)).toMatchObject({ status: 'running', attempts: 1 });
  },
);

test.for(['taskUncount', 'moveToFailed'] as const)(
  'what fails without being begun has no start, though the answer to %s is lost and it is tried again',
  async (lost) => {
    const { queue, task_id, held, ledgerLosing } = await taken();
    const ledger = ledgerLosing(lost);
    const failure = { type: 'WorkerLost', message: 'Lost.' };
    const settle = () => ledger.complete(held, { kind: 'failed', failure, retry: false }, false);
    await expect(settle()).rejects.toThrow('Connection is closed.');
    expect((await settle())[0]).toBe('failed');
    expect(await queue.get(task_id)).toMatchObject({ status: 'failed', attempts: 0, error: failure });
  },
);
