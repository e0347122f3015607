/** Which bound of the queue holds for a task that is submitted at a node. */
import type { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import type { QueueSettings } from '../../../src/tasks/tasks.ts';
import { NodeQueue } from '../../../worker-base/tasks/node-queue.ts';

test.each<[string, number | 'none' | undefined, number | undefined, number | undefined, QueueSettings]>([
  ['QUEUE_SIZE goes first', 5, 10, 100, { queueSize: 5 }],
  ['QUEUE_SIZE=none sets no bound, whatever the pool says', 'none', 10, 100, {}],
  ['the pool goes before the default', undefined, 10, 100, { queueSize: 10 }],
  ['the default comes last', undefined, undefined, 100, { queueSize: 100 }],
  ['a worker of a manager has no default', undefined, undefined, undefined, {}],
])('%s', async (_, queueSize, ofPool, otherwise, expected) => {
  const opened: QueueSettings[] = [];
  const spec = ofPool === undefined ? null : JSON.stringify({ tasks: { queue_size: ofPool } });
  const nodeQueue = new NodeQueue({
    redis: { hget: async () => spec } as unknown as Redis,
    key: 'pool:x',
    queueSize,
    otherwise,
    commands: false,
    open: (settings) => {
      opened.push(settings);
      return { submit: async () => ({ task_id: 't', status: 'queued', position: 1 }) } as never;
    },
  });
  await nodeQueue.submit({ payload: { function: 'f' }, priority: 'normal' });
  expect(opened.at(-1)).toEqual(expected);
});
