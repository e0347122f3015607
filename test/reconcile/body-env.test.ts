import { expect, test } from 'vitest';
import { type WorkerSpec, workerSpec } from '../../src/model/index.ts';
import { createBodyEnv } from '../../src/reconcile/body-env.ts';

const envOf = (fields: Partial<WorkerSpec>, handlersDir?: string) =>
  createBodyEnv({
    ...{ id: 'w', incarnation: 2, cell: 'c', logLevel: 'info', redisUrl: 'redis://r', handlersDir },
    spec: workerSpec.parse({ agent_type: 'TASK', runtime: 'docker', ...fields }),
  });
const COMMON = {
  WORKER_ID: 'w',
  WORKER_INCARNATION: '2',
  WORKER_CELL: 'c',
  LOG_LEVEL: 'info',
  REDIS_URL: 'redis://r',
};

test('an agent gets no task settings', () => {
  expect(envOf({ agent_type: 'CLAUDE' }, '/srv/h')).toEqual({ ...COMMON, WORKER_TYPE: 'CLAUDE' });
});

test('a task worker in a container answers on the port of the contract, and finds its handlers bound', () => {
  expect(envOf({ pool: 'work', worker_type: 'render' }, '/srv/h')).toEqual({
    ...COMMON,
    WORKER_TYPE: 'render',
    WORKER_POOL: 'work',
    HANDLERS_DIR: '/handlers',
    WORKER_PORT: '5000',
    WORKER_HOST: '0.0.0.0',
    MAX_WORKERS: '1',
  });
});

test('a direct one takes any free port of loopback, and the files in place', () => {
  const direct = { WORKER_PORT: '0', WORKER_HOST: '127.0.0.1' };
  expect(envOf({ runtime: 'process' }, '/srv/h')).toMatchObject({ ...direct, HANDLERS_DIR: '/srv/h' });
  expect(envOf({ runtime: 'process', env: { WORKER_PORT: '7000' } })).toMatchObject({ WORKER_PORT: '7000' });
  expect(envOf({ runtime: 'process', concurrency: 3 })).toMatchObject({ MAX_WORKERS: '3' });
  expect(envOf({ runtime: 'process' })).not.toHaveProperty('HANDLERS_DIR');
});
