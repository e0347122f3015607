/** A node that is started by hand, with nothing but Redis. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { connectCommands, type Link, Store } from '../../../src/store/index.ts';
import { getKeys } from '../../../src/store/keys.ts';
import { readNodes } from '../../../src/store/workers/nodes.ts';
import { openTasks } from '../../../src/tasks/index.ts';
import { soon, TestWorker } from '../body.ts';

const HANDLERS = `
from worker_manager import handler
import os

@handler
def greet(name):
    print("greeting", name)
    return os.environ["GREETING"] + name

@handler
def refuse(why):
    raise ValueError(why)
`;

let worker: TestWorker;
let link: Link;
beforeEach(() => {
  worker = new TestWorker(inject('redisUrl'));
  link = connectCommands(inject('redisUrl'));
  mkdirSync(join(worker.dir, 'handlers'));
  writeFileSync(join(worker.dir, 'handlers', 'handlers.py'), HANDLERS);
});
afterEach(async () => {
  const { cell, keys, id, redis } = worker;
  const tasks = openTasks({ redisUrl: inject('redisUrl'), cell });
  await tasks.queue('default').remove();
  await tasks.close();
  await redis.del(keys.nodes, keys.node(id), keys.nodeClaim(id));
  link.disconnect();
  await worker.close();
});

const redisUrl = inject('redisUrl');
const nodes = () => readNodes(link, getKeys(worker.cell), Date.now());
/** As a person starts it: without what a manager sets. The machine of a test is busy. */
const env = (more: Record<string, string> = {}) => ({
  WORKER_INCARNATION: '',
  WORKER_PORT: '0',
  HANDLERS_DIR: join(worker.dir, 'handlers'),
  GREETING: 'hello ',
  MAX_WORKERS: '1',
  MAX_CPU_PERCENT: 'none',
  MAX_MEMORY_PERCENT: 'none',
  ...more,
});
const startNode = (more?: Record<string, string>) => worker.start({ redisUrl, env: env(more) });
const ready = () => expect.poll(async () => (await nodes())[0]?.heartbeat?.phase, soon).toBe('ready');

test('it registers itself, takes tasks, is shown as external, and leaves when it is ended', async () => {
  const body = await startNode();
  await ready();
  const [node] = await nodes();
  expect(node).toMatchObject({ node_id: worker.id, pool: 'default', heartbeat: { slots: 1 } });
  const [summary] = await new Store(link, worker.cell).summaries();
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

test('the registration of a killed one expires', async () => {
  const body = await startNode();
  await expect.poll(async () => (await nodes()).length, soon).toBe(1);
  body.process.kill('SIGKILL');
  await body.exit;
  const left = await worker.redis.pttl(worker.keys.node(worker.id));
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(30_000);
});

test('a second living node of one name is refused with a reason, and the first continues', async () => {
  const first = await startNode();
  await ready();
  const second = await startNode();
  expect(await second.exit).toBe(78);
  expect(second.printed).toMatch(
    new RegExp(`ERROR WORKER_ID is "${worker.id}", and another running node has this name`),
  );
  expect(first.process.exitCode).toBeNull();
  const [node] = await nodes();
  expect(node?.heartbeat).toMatchObject({ phase: 'ready' });
});

test('of nodes of one name that start at the same moment, one works', async () => {
  const all = await Promise.all([startNode(), startNode(), startNode()]);
  const ended = () => all.filter(({ process }) => process.exitCode === 78).length;
  await expect.poll(ended, soon).toBe(2);
  await ready();
});

test('a node that crashed comes back under its name within seconds', async () => {
  const first = await startNode();
  await ready();
  first.process.kill('SIGKILL');
  await first.exit;
  // The rest of a claim is at most 8 s. Here it lasts until the second node, which may start slowly, has seen it.
  const claim = worker.keys.nodeClaim(worker.id);
  const left = await worker.redis.pttl(claim);
  expect([left > 0, left <= 8000]).toEqual([true, true]);
  await worker.redis.pexpire(claim, 60_000);
  const second = await startNode();
  await expect.poll(() => second.printed, soon).toContain('this WORKER_ID is still registered');
  await worker.redis.pexpire(claim, 1);
  await expect.poll(() => second.printed, soon).toContain('INFO  node started');
  expect(second.printed).toContain(
    'WARN  this WORKER_ID is still registered; waiting until it expires seconds=',
  );
});

test('a node whose name another process has taken ends, and leaves the registration of the other alone', async () => {
  const body = await startNode();
  await ready();
  // As after a pause of the machine, in which the claim expired and another process took it.
  const other = JSON.stringify({ token: 'other', host: 'elsewhere', since: 'now' });
  await worker.redis.set(worker.keys.nodeClaim(worker.id), other, 'PX', 60_000);
  expect(await body.exit).toBe(78);
  expect(body.printed).toContain('(on the host elsewhere, since now)');
  expect(await worker.redis.get(worker.keys.nodeClaim(worker.id))).toBe(other);
  expect(await worker.redis.exists(worker.keys.node(worker.id))).toBe(1);
});

test('its stdout shows what runs, what it prints, what ends and what fails', async () => {
  const body = await startNode({ LOG_LEVEL: 'INFO' });
  await ready();
  const url = (await nodes())[0]?.heartbeat?.node_url ?? '';
  for (const [name, given] of [
    ['greet', 'you'],
    ['refuse', 'because \u001b[31m\nno'],
  ]) {
    const payload = { function: name, args: [given] };
    await fetch(`${url}/task/submit`, { method: 'POST', body: JSON.stringify({ task_id: name, payload }) });
  }
  await expect.poll(() => body.printed, soon).toMatch(/ERROR task failed/);
  body.process.kill('SIGTERM');
  await body.exit;
  const lines = body.printed.trim().split('\n');
  const after = lines.map((line) => line.replace(/^\S+Z /, '').replace(/\d+(\.\d+)? s /, 'N s '));
  const start = `node started worker_id=${worker.id} pool=default functions=`;
  expect(after[0]).toMatch(start);
  expect(after.slice(1).map((line) => line.replace(/ traceback=.*|(?<=active_tasks=)\d+/, ''))).toEqual([
    'INFO  task started task_id=greet function=greet',
    'INFO  greeting you task_id=greet',
    'INFO  task completed in N s task_id=greet function=greet',
    'INFO  task started task_id=refuse function=refuse',
    String.raw`ERROR task failed after N s task_id=refuse function=refuse error="ValueError: because \u001b[31m\nno"`,
    'INFO  node stopping active_tasks=',
    'INFO  node stopped exit_code=0',
  ]);
  expect(body.printed).toContain('traceback="Traceback (most recent call last):');
});

test('with LOG_LEVEL=error it logs only what fails', async () => {
  const body = await startNode({ LOG_LEVEL: 'Error' });
  await ready();
  body.process.kill('SIGTERM');
  await body.exit;
  expect(body.printed).toBe('');
});
