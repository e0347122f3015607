import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { startTcpProxy, type TcpProxy } from '../../support/tcp-proxy.ts';
import { soon, TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
let worker: TestWorker;
let proxy: TcpProxy;
let through: string;
beforeEach(async () => {
  worker = new TestWorker(redisUrl);
  proxy = await startTcpProxy(Number(new URL(redisUrl).port || 6379));
  const url = new URL(redisUrl);
  url.host = `127.0.0.1:${proxy.port}`;
  through = url.href;
});
afterEach(async () => {
  await worker.close();
  await proxy.close();
});

/** An agent that counts from 1 to `to`, a line each, and says when it is done in a file that the test can see. */
const counter = (to: number, pause: string) => [
  'bash',
  '-c',
  `i=0; while [ $i -lt ${to} ]; do i=$((i+1)); echo $i; ${pause}; done; touch done; cat`,
];
const upTo = (to: number) => Array.from({ length: to }, (_, at) => `${at + 1}\n`).join('');
const said = (lines: number) =>
  worker.of('stdout').reduce((sum, entry) => sum + Number(entry.lines), 0) >= lines;

test('output continues while Redis is away, and arrives in order, once each', async () => {
  await worker.declare({ command_line: counter(1200, 'sleep 0.001') });
  await worker.start({ redisUrl: through });
  for (const lines of [100, 400, 700]) {
    await expect.poll(() => said(lines), soon).toBe(true);
    await proxy.cut();
    await proxy.heal();
  }
  await expect.poll(() => said(1200), soon).toBe(true);
  expect(worker.text()).toBe(upTo(1200));
  worker.expectGapless();
  expect(worker.of('gap')).toEqual([]);
});

test('answers that are lost double nothing', async () => {
  await worker.declare({ command_line: counter(1200, 'sleep 0.001') });
  await worker.start({ redisUrl: through });
  for (const lines of [100, 400, 700]) {
    await expect.poll(() => said(lines), soon).toBe(true);
    proxy.dropReplies();
    await expect.poll(() => proxy.swallowed(), soon).toBeGreaterThan(0);
    await proxy.cut();
    await proxy.heal();
  }
  await expect.poll(() => said(1200), soon).toBe(true);
  expect(worker.text()).toBe(upTo(1200));
  worker.expectGapless();
});

test('a link that is open and silent is noticed, and input works again afterwards', async () => {
  await worker.declare({ command_line: ['cat'] });
  const body = await worker.start({ redisUrl: through });
  await worker.send({ type: 'prompt', content: 'before' });
  await worker.untilType('stdout');
  proxy.stall();
  await worker.send({ type: 'prompt', content: 'meanwhile' });
  await expect.poll(() => body.log, soon).toContain('Redis connection lost');
  await proxy.heal();
  await worker.until(({ content }) => content === 'meanwhile', 30_000);
  expect(worker.text()).toBe('before\nmeanwhile\n');
  worker.expectGapless();
});

test('a flood while Redis is away goes through the spool, and nothing of it is lost', async () => {
  const lines = 600_000;
  const script = `echo up; until [ -e go ]; do sleep 0.05; done; seq 1 ${lines}; touch done; cat`;
  await worker.declare({ command_line: ['sh', '-c', script] });
  const body = await worker.start({ redisUrl: through });
  await worker.untilType('stdout');
  await proxy.cut();
  await expect.poll(() => body.log, soon).toContain('Redis connection lost');
  writeFileSync(join(worker.workspace, 'go'), '');
  await expect.poll(() => existsSync(join(worker.workspace, 'done')), soon).toBe(true);
  expect(statSync(join(worker.dir, 'spool', `worker-spool-${worker.id}-1`)).size).toBeGreaterThan(1_000_000);
  await proxy.heal();
  await expect.poll(() => said(lines + 1), soon).toBe(true);
  expect(worker.text() === `up\n${upTo(lines)}`).toBe(true);
  worker.expectGapless();
  expect(worker.of('gap')).toEqual([]);
});

test('entries beyond the spool’s size are reported by one gap with the right figures', async () => {
  const lines = 200_000;
  const script = `echo up; until [ -e go ]; do sleep 0.05; done; seq 1 ${lines}; touch done; cat`;
  await worker.declare({ command_line: ['sh', '-c', script] });
  const body = await worker.start({ redisUrl: through, env: { WORKER_SPOOL_BYTES: '100000' } });
  await worker.untilType('stdout');
  await proxy.cut();
  await expect.poll(() => body.log, soon).toContain('Redis connection lost');
  writeFileSync(join(worker.workspace, 'go'), '');
  await expect.poll(() => existsSync(join(worker.workspace, 'done')), soon).toBe(true);
  await proxy.heal();
  const gap = await worker.untilType('gap');
  await worker.send({ type: 'prompt', content: 'after' });
  await worker.until(({ content }) => content.endsWith('after'));
  const told = worker.of('stdout').reduce((sum, entry) => sum + Number(entry.lines), 0);
  expect(told + Number(gap.lost_lines)).toBe(lines + 2);
  expect(worker.text().length + Number(gap.lost_bytes)).toBe(`up\n${upTo(lines)}after\n`.length);
  expect(worker.of('gap')).toHaveLength(1);
  worker.expectGapless();
});

test('a flood of events while Redis is away is bounded as lines are', async () => {
  const event = JSON.stringify({ type: 'message', content: 'x'.repeat(8000) });
  const script = `until [ -e go ]; do sleep 0.05; done; yes '${event}' | head -n 40000; touch done; cat >/dev/null`;
  await worker.declare({ command_line: ['sh', '-c', script], protocol: 'json' });
  const body = await worker.start({ redisUrl: through, env: { WORKER_SPOOL_BYTES: '100000' } });
  await worker.untilType('ready');
  await proxy.cut();
  await expect.poll(() => body.log, soon).toContain('Redis connection lost');
  writeFileSync(join(worker.workspace, 'go'), '');
  await expect.poll(() => existsSync(join(worker.workspace, 'done')), soon).toBe(true);
  // 320 MB were written.
  expect(body.peakMemory()).toBeLessThan(250);
  await proxy.heal();
  const gap = await worker.untilType('gap');
  expect(worker.of('message').length + Number(gap.lost_lines)).toBe(40_000);
  worker.expectGapless();
});

test('a Redis that stays away to the end is waited for within the grace, and the loss is said', async () => {
  const script = 'echo up; until [ -e go ]; do sleep 0.05; done; echo last output; touch done; cat';
  await worker.declare({ command_line: ['sh', '-c', script], stop_grace_seconds: 1 });
  const body = await worker.start({ redisUrl: through });
  await worker.untilType('stdout');
  await proxy.cut();
  writeFileSync(join(worker.workspace, 'go'), '');
  await expect.poll(() => existsSync(join(worker.workspace, 'done')), soon).toBe(true);
  const since = performance.now();
  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(143);
  // Without the bound of the grace it would be the patience of a natural end, 5 s.
  expect(performance.now() - since).toBeLessThan(5000);
  expect(body.log).toMatch(/the last output is lost.*"lost_lines":1,"lost_bytes":12/);
  expect(existsSync(join(worker.dir, 'spool'))).toBe(false);
});

test('a stream that vanishes is created again, and seq continues', async () => {
  const { keys, id, redis } = worker;
  await worker.declare({ command_line: ['cat'] });
  await worker.start({ redisUrl });
  await worker.send({ type: 'prompt', content: 'one' });
  await worker.until(({ content }) => content === 'one');
  await redis.del(keys.input(id), keys.output(id), keys.heartbeat(id), keys.desired(id));
  await worker.send({ type: 'prompt', content: 'two' });
  await worker.until(({ content }) => content === 'two');
  worker.expectGapless();
  await expect.poll(() => redis.get(keys.heartbeat(id)), soon).toContain('"ready"');
});
