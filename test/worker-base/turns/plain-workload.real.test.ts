import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { sendTo } from '../../../src/runtimes/process/process-table.ts';
import { TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
});
afterEach(() => worker.close());

const headless = { exit_after_prompt: true, prompt: 'job' };

test('a headless prompt that is answered is reported as completed, and not given again', async () => {
  await worker.declare({
    command_line: ['sh', '-c', 'read -r job; echo working; echo "$job" | tr a-z A-Z'],
    ...headless,
  });
  await worker.send({ type: 'prompt', content: 'job', request_id: 'r-1' });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(0);
  await worker.untilType('exited');
  expect(worker.entries.slice(-2)).toMatchObject([
    { type: 'completed', content: 'working\nJOB', exit_code: 0, request_id: 'r-1' },
    { type: 'exited', exit_code: 0 },
  ]);
  expect(await worker.pending()).toBe(0);
});

test('a headless prompt that fails is left to the next incarnation', async () => {
  await worker.declare({
    command_line: ['sh', '-c', 'read -r job; [ "$WORKER_INCARNATION" = 2 ]'],
    ...headless,
  });
  await worker.send({ type: 'prompt', content: 'job', request_id: 'r-1' });
  expect(await (await worker.start({ redisUrl })).exit).toBe(1);
  await worker.untilType('exited');
  expect(worker.of('turn_failed')).toMatchObject([{ reason: 'exit', exit_code: 1, request_id: 'r-1' }]);
  expect(await worker.pending()).toBe(1);
  expect(await (await worker.start({ redisUrl, incarnation: 2 })).exit).toBe(0);
  await worker.until(({ type, incarnation }) => type === 'exited' && incarnation === 2);
  expect(worker.of('completed')).toMatchObject([{ incarnation: 2, request_id: 'r-1' }]);
  expect(await worker.pending()).toBe(0);
  worker.expectGapless();
});

test('a headless prompt ends at its deadline', async () => {
  await worker.declare({ command_line: ['sleep', '300'], ...headless });
  await worker.send({ type: 'prompt', content: 'job', request_id: 'r-1', deadline_seconds: 0.3 });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(143);
  await worker.untilType('exited');
  expect(worker.of('turn_failed')).toMatchObject([{ reason: 'deadline', request_id: 'r-1' }]);
});

test('a second prompt to a headless body is refused', async () => {
  await worker.declare({ command_line: ['sh', '-c', 'cat; sleep 1'], ...headless });
  await worker.send({ type: 'prompt', content: 'job', request_id: 'r-1' });
  await worker.send({ type: 'prompt', content: 'more', request_id: 'r-2' });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(0);
  await worker.untilType('exited');
  expect(worker.of('turn_failed')).toMatchObject([{ reason: 'stdin_closed', request_id: 'r-2' }]);
  expect(worker.of('completed')).toMatchObject([{ content: 'job', request_id: 'r-1' }]);
});

test('prompts that the agent does not read do not prevent an interrupt', async () => {
  await worker.declare({ command_line: ['sleep', '300'] });
  const body = await worker.start({ redisUrl });
  await worker.untilType('ready');
  for (let at = 0; at < 40; at += 1) await worker.send({ type: 'prompt', content: 'x'.repeat(200_000) });
  await worker.send({ type: 'interrupt' });
  expect(await body.exit).toBe(130);
  await worker.untilType('exited');
  expect(worker.of('turn_failed').some(({ reason }) => reason === 'stdin_full')).toBe(true);
});

test('the next incarnation counts on and serves what was delivered and not dealt with', async () => {
  await worker.declare({ command_line: ['sleep', '300'] });
  const first = await worker.start({ redisUrl });
  await worker.untilType('ready');
  for (let at = 0; at < 6; at += 1) await worker.send({ type: 'prompt', content: 'y'.repeat(200_000) });
  await worker.until(({ seq }) => seq === 7);
  const left = await worker.pending();
  expect(left).toBeGreaterThan(0);
  const agent = Number(worker.of('ready')[0]?.pid);
  first.process.kill('SIGKILL');
  sendTo(-agent, 'SIGKILL');
  await first.exit;
  await worker.declare({ command_line: ['wc', '-c'], ...headless });
  const second = await worker.start({ redisUrl, incarnation: 2 });
  expect(await second.exit).toBe(0);
  expect(await worker.until(({ type, incarnation }) => type === 'ready' && incarnation === 2)).toMatchObject({
    seq: 8,
  });
  await worker.until(({ type, incarnation }) => type === 'exited' && incarnation === 2);
  expect(worker.of('completed')[0]?.content.trim()).toBe('200001');
  worker.expectGapless();
});
