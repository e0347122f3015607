import { expect, test } from 'vitest';
import { createStatsReader } from '../../src/manager/stats-service.ts';
import type { PoolView, Summary } from '../../src/model/index.ts';
import type { Tasks } from '../../src/tasks/index.ts';

const worker = (worker_id: string, status: string, runtime: string) =>
  ({ worker_id, status, runtime, agent_type: 'CUSTOM' }) as Summary;
const depths = { queued: 3, delayed: 1, active: 2, completed: 5, failed: 4 };

test('workers are counted by status and runtime, and queues of pools that are not declared too', async () => {
  let reads = 0;
  const read = createStatsReader({
    store: {
      summaries: async () => {
        reads += 1;
        return [
          worker('a', 'RUNNING', 'process'),
          worker('b', 'RUNNING', 'docker'),
          worker('c', 'FAILED', 'docker'),
        ];
      },
      usage: async () => ({
        a: { cpu_percent: 50, memory_bytes: 1000, pids: 1, at: '' },
        gone: { cpu_percent: 7, memory_bytes: 7, pids: 7, at: '' },
      }),
      nodes: async () => [],
    },
    pools: async () => [{ name: 'work', worker_type: 'cpu', status: { idle: 1, busy: 2 } } as PoolView],
    tasks: {
      pools: async () => ['by-hand'],
      queue: () => ({ counts: async () => depths }),
    } as unknown as Tasks,
    now: () => 0,
  });
  expect(await read()).toEqual({
    at: '1970-01-01T00:00:00.000Z',
    workers: {
      total: 3,
      by_status: { RUNNING: 2, FAILED: 1 },
      by_runtime: { process: 1, docker: 2 },
      by_agent_type: { CUSTOM: 3 },
      cpu_percent: 50,
      memory_bytes: 1000,
    },
    worker_stats: { cpu: { idle: 1, busy: 2 } },
    tasks: { queued: 6, delayed: 2, active: 4, completed: 10, failed: 8 },
    queues: { 'by-hand': depths, work: depths },
  });
  await read();
  expect(reads).toBe(1);
});
