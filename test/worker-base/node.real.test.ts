/** A node that is started by hand, with nothing but a name and Redis. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { type Link, Store } from '../../src/store/index.ts';
import { keysOf } from '../../src/store/keys.ts';
import { readNodes } from '../../src/store/nodes.ts';
import { openTasks } from '../../src/tasks/index.ts';
import { soon, TestWorker } from './body.ts';

let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(inject('redisUrl'));
  mkdirSync(join(worker.dir, 'handlers'));
  writeFileSync(
    join(worker.dir, 'handlers', 'handlers.py'),
    'from worker_manager import handler\nimport os\n@handler\ndef greet(name): return os.environ["GREETING"] + name\n',
  );
});
afterEach(async () => {
  const { cell, keys, id, redis } = worker;
  const tasks = openTasks({ redisUrl: inject('redisUrl'), cell });
  await tasks.queue('default').remove();
  await tasks.close();
  await redis.del(keys.nodes, keys.node(id));
  await worker.close();
});

const nodes = () => readNodes(worker.redis as Link, keysOf(worker.cell), Date.now());
/** As a person starts it: without what a manager sets. */
const env = () => ({
  WORKER_INCARNATION: '',
  WORKER_PORT: '0',
  HANDLERS_DIR: join(worker.dir, 'handlers'),
  GREETING: 'hello ',
  MAX_WORKERS: '1',
});

test('it registers itself, takes tasks, is shown as external, and leaves when it is ended', async () => {
  const body = await worker.start({ redisUrl: inject('redisUrl'), env: env() });
  await expect.poll(async () => (await nodes())[0]?.heartbeat?.phase, soon).toBe('ready');
  const [node] = await nodes();
  expect(node).toMatchObject({ node_id: worker.id, pool: 'default', heartbeat: { slots: 1 } });
  const [summary] = await new Store(worker.redis as Link, worker.cell).summaries();
  const url = summary?.node_url ?? '';
  expect(summary).toMatchObject({
    worker_id: worker.id,
    runtime: 'external',
    external: true,
    status: 'RUNNING',
  });
  expect(url).toBe(node?.heartbeat?.node_url);

  const payload = { function: 'greet', args: ['you'] };
  const answer = await fetch(`${url}/task/submit`, { method: 'POST', body: JSON.stringify({ payload }) });
  const { task_id, ...rest } = (await answer.json()) as { task_id: string };
  expect(rest).toEqual({ status: 'queued', position: 1 });
  const task = async () => (await fetch(`${url}/task/${task_id}`)).json();
  await expect.poll(task, soon).toMatchObject({ status: 'completed', result: 'hello you', error: null });
  // There is no record of it, and no heartbeat of a worker.
  expect(await worker.redis.exists(worker.keys.desired(worker.id), worker.keys.heartbeat(worker.id))).toBe(0);
  expect(await worker.redis.pttl(worker.keys.output(worker.id))).toBeGreaterThan(0);

  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(0);
  expect(await nodes()).toEqual([]);
});

test('one that is killed is forgotten by itself', async () => {
  const body = await worker.start({ redisUrl: inject('redisUrl'), env: env() });
  await expect.poll(async () => (await nodes()).length, soon).toBe(1);
  body.process.kill('SIGKILL');
  await body.exit;
  const left = await worker.redis.pttl(worker.keys.node(worker.id));
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(30_000);
});
