import type { IQueueBackend } from 'bullmq';
import { expect, it } from 'vitest';
import type { TaskLink } from '../../src/tasks/connect.ts';
import { Fetcher } from '../../src/tasks/consumer/fetcher.ts';
import { readJob } from '../../src/tasks/job.ts';
import { getQueueKeys } from '../../src/tasks/queue-keys.ts';

// A worker stood idle before a full queue: its last slot came free when the fetcher had looked for the last time, and
// had not ended yet.
it('fetches for a slot that becomes free while a fetch ends', async () => {
  const begun: string[] = [];
  const waiting = ['first', 'second'];
  let held = 0;
  const all = Promise.withResolvers<void>();
  const fetcher = new Fetcher({
    workerId: 'w',
    incarnation: 1,
    queueKeys: getQueueKeys('cell', 'pool'),
    redis: {} as TaskLink,
    backend: {
      moveToActive: async () => [[], readJob(waiting.shift() ?? '', [])],
    } as unknown as IQueueBackend,
    wants: () => {
      const free = held === 0 && waiting.length > 0;
      if (!free && waiting.length > 0)
        queueMicrotask(() => {
          held = 0;
          fetcher.fill();
          // By now it would have requested a task, if it ever did.
          setImmediate(all.resolve);
        });
      return free;
    },
    closed: () => false,
    begin: ({ jobId }) => {
      held += 1;
      begun.push(jobId);
    },
    onPolled: () => undefined,
    onRejected: async () => undefined,
    onError: (message) => all.reject(new Error(message)),
  });
  fetcher.fill();
  await all.promise;
  expect(begun).toEqual(['first', 'second']);
});
