import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { dismantle } from '../../scripts/demo/cleanup.ts';
import { createDockerRuntime } from '../../src/runtimes/docker/docker.ts';
import { cleanCell, newCell, startManager } from '../support/manager.ts';

const run = promisify(execFile);
const PROGRAM = join(import.meta.dirname, 'orchestrator.py');
/** Debian's own, for which the package python3-redis is; `npm test` installs it. */
const PYTHON = '/usr/bin/python3';

test.each(['process', 'docker'])('a Python program controls a worker of the %s runtime', async (runtime) => {
  const redisUrl = inject('redisUrl');
  const cell = newCell();
  const host = inject('dockerHost');
  const [image, workerRedisUrl] = [inject('image'), inject('bodyRedisUrl')];
  const dockerHost = host.startsWith('/') ? `unix://${host}` : host;
  const docker = { DOCKER_HOST: dockerHost, WORKER_IMAGE: image, WORKER_REDIS_URL: workerRedisUrl };
  const env = { RUNTIME: runtime, ...(runtime === 'docker' ? docker : {}) };
  const manager = await startManager({ redisUrl, cell, env });
  onTestFinished(async () => {
    await manager.stop();
    const left = runtime === 'docker' ? await dismantle(createDockerRuntime({ cell, host, image })) : 0;
    await cleanCell({ redisUrl, cell, home: manager.home });
    expect(left).toBe(0);
  });

  const { stdout } = await run(PYTHON, [PROGRAM, redisUrl, cell, runtime], { timeout: 50_000 });
  expect(stdout.trim().split('\n')).toEqual([
    'ready 1',
    'answer you said: hello from Python',
    'status RUNNING',
    'exit 143',
    'gone',
  ]);
});
