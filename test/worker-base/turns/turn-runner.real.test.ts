import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import type { WorkerSpec } from '../../../src/model/worker/spec.ts';
import { isAlive, soon, TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
const AGENT = [process.execPath, join(import.meta.dirname, '../agents/json-agent.ts')];
/** The clocks of the wrapper, shortened. */
const QUICK = { WORKER_INTERRUPT_MS: '300', WORKER_FINISH_MS: '300' };
let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
});
afterEach(() => worker.close());

async function declare(spec: Partial<WorkerSpec> = {}, ...prompts: string[]) {
  await worker.declare({ command_line: AGENT, protocol: 'json', ...spec });
  for (const [at, content] of prompts.entries())
    await worker.send({ type: 'prompt', content, request_id: `r-${at + 1}` });
}
async function start(...given: Parameters<typeof declare>) {
  await declare(...given);
  return worker.start({ redisUrl, env: QUICK });
}
/** The turns that are over, in order. */
const ends = () => worker.entries.filter(({ type }) => type === 'turn_completed' || type === 'turn_failed');
const untilEnds = (count: number) => expect.poll(() => ends().length, soon).toBe(count);

test('prompts that come at once are turns one after the other, each with its end', async () => {
  await start({}, 'say one', 'say two');
  await worker.untilType('waiting_for_input');
  const types = worker.entries.map(({ type, request_id }) => (request_id ? `${type} ${request_id}` : type));
  expect(types).toEqual([
    'ready',
    'turn_started r-1',
    'message r-1',
    'turn_completed r-1',
    'turn_started r-2',
    'message r-2',
    'turn_completed r-2',
    'waiting_for_input',
  ]);
  expect(ends()[0]).toMatchObject({
    content: 'one',
    result: 'one',
    usage: { input_tokens: 3, output_tokens: 5 },
    cost_usd: 0.25,
    duration_seconds: expect.any(Number),
  });
  await expect.poll(() => worker.pending(), soon).toBe(0);
});

test('an interrupt ends the turn and nothing else', async () => {
  await declare({}, 'hold', 'pid');
  // With the full timeouts: an agent that is slow to react must not be killed.
  await worker.start({ redisUrl });
  await worker.untilType('turn_started');
  await worker.send({ type: 'interrupt' });
  await untilEnds(2);
  expect(ends()).toMatchObject([
    { type: 'turn_failed', reason: 'interrupted', request_id: 'r-1' },
    { type: 'turn_completed', content: String(worker.of('ready')[0]?.pid) },
  ]);
});

test('an agent that ignores an interrupt is killed and started again in the same body', async () => {
  const body = await start({}, 'hang', 'pid');
  await worker.untilType('turn_started');
  await worker.send({ type: 'interrupt' });
  await untilEnds(2);
  const first = Number(worker.of('ready')[0]?.pid);
  const [failed, completed] = ends();
  expect(failed).toMatchObject({ reason: 'interrupted', content: expect.stringContaining('was killed') });
  expect(Number(completed?.content)).not.toBe(first);
  expect(isAlive(first)).toBe(false);
  await worker.send({ type: 'shutdown' });
  expect(await body.exit).toBe(0);
  expect(isAlive(Number(completed?.content))).toBe(false);
  worker.expectGapless();
});

test('a deadline ends the turn', async () => {
  await worker.declare({ command_line: AGENT, protocol: 'json' });
  await worker.send({ type: 'prompt', content: 'hold', deadline_seconds: 0.2 });
  await worker.start({ redisUrl, env: QUICK });
  expect(await worker.untilType('turn_failed')).toMatchObject({ reason: 'deadline' });
});

test('an agent that shows no sign of life fails the turn as silent; one at work or with a tool does not', async () => {
  await start({ silence_timeout_seconds: 3 }, 'work 4500', 'tool 4500', 'hang', 'say alive');
  await untilEnds(4);
  expect(ends().map(({ reason, content }) => reason ?? content)).toEqual([
    'worked',
    'tool',
    'silent',
    'alive',
  ]);
});

test('an agent that does not follow the protocol fails the turn as garbage, and a stray line does not', async () => {
  await start({}, 'stray', 'garbage 150', 'say clean');
  await untilEnds(3);
  expect(ends().map(({ reason, content }) => reason ?? content)).toEqual(['stray', 'garbage', 'clean']);
  expect(worker.text()).toContain('a stray print\nnoise 1\n');
});

test('an agent that dies in a turn fails it, and ends the body with its code', async () => {
  const body = await start({}, 'die 3', 'say later');
  expect(await body.exit).toBe(3);
  await worker.untilType('exited');
  expect(ends()).toMatchObject([{ reason: 'exit', request_id: 'r-1' }]);
  // What was asked after it is for the next body.
  expect(await worker.pending()).toBe(1);
});

test('an agent that exits with 0 in the middle of a turn has still failed it', async () => {
  const body = await start({}, 'die 0');
  expect(await body.exit).toBe(1);
});

test('large texts are cut to an entry, and lines that are too long for any protocol do no harm', async () => {
  await start({}, 'long 200000', `overlong ${20 * 1024 ** 2}`);
  await untilEnds(2);
  const message = worker.of('message')[0];
  expect(message).toMatchObject({ truncated: true });
  expect(Buffer.byteLength(message?.content ?? '')).toBeLessThanOrEqual(65_536);
  expect(message?.content).toMatch(/^é+$/);
  expect(worker.of('tool_use')[0]).toMatchObject({
    truncated: true,
    input: expect.stringMatching(/^\{"content":"x/),
  });
  expect(worker.of('stdout')[0]).toMatchObject({
    partial: true,
    content: expect.stringMatching(/^y{65536}$/),
  });
  expect(ends().map(({ content }) => content)).toEqual(['long', 'overlong']);
});

test('a failure that the agent reports is reported with its reason, and the next prompt is served', async () => {
  await start({}, 'fail overloaded', 'say next');
  await untilEnds(2);
  expect(ends()).toMatchObject([{ reason: 'overloaded', content: 'It went wrong.' }, { content: 'next' }]);
});

test('a headless worker ends with 0 after its turn, even if the agent stays', async () => {
  const spec = { command_line: [...AGENT, '--stay'], prompt: 'say done', exit_after_prompt: true };
  const body = await start(spec, 'say done', 'say more');
  expect(await body.exit).toBe(0);
  await worker.untilType('exited');
  expect(worker.of('completed')).toMatchObject([{ content: 'done', exit_code: 0, request_id: 'r-1' }]);
  expect(worker.of('turn_failed')).toMatchObject([{ reason: 'stdin_closed', request_id: 'r-2' }]);
  expect(isAlive(Number(worker.of('ready')[0]?.pid))).toBe(false);
  expect(await worker.pending()).toBe(0);
});

test('a headless turn that fails ends the body with 1, and leaves the prompt to the next', async () => {
  const body = await start({ prompt: 'x', exit_after_prompt: true }, 'fail server_error');
  expect(await body.exit).toBe(1);
  await worker.untilType('exited');
  expect(ends()).toMatchObject([{ reason: 'server_error' }]);
  expect(worker.of('completed')).toEqual([]);
  expect(await worker.pending()).toBe(1);
});

test('a headless turn that hangs is ended by its deadline', async () => {
  await worker.declare({
    command_line: [...AGENT, '--stay'],
    protocol: 'json',
    prompt: 'x',
    exit_after_prompt: true,
  });
  await worker.send({ type: 'prompt', content: 'hang', deadline_seconds: 0.2 });
  const body = await worker.start({ redisUrl, env: QUICK });
  expect(await body.exit).toBe(1);
  expect(await worker.untilType('turn_failed')).toMatchObject({ reason: 'deadline' });
});

test('a worker that is stopped in a turn reports that, and leaves the prompt to the next body', async () => {
  const body = await start({ command_line: [...AGENT, '--stay'], stop_grace_seconds: 1 }, 'say up', 'hang');
  await expect.poll(() => worker.of('turn_started').length, soon).toBe(2);
  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(137);
  await worker.untilType('exited');
  expect(ends()).toMatchObject([{ content: 'up' }, { reason: 'stopped' }]);
  expect(await worker.pending()).toBe(1);
});

test('the heartbeat distinguishes a turn from a wait', async () => {
  const beat = async () => JSON.parse((await worker.redis.get(worker.keys.heartbeat(worker.id))) ?? '{}');
  await start({}, 'hold');
  await expect.poll(beat, soon).toMatchObject({ phase: 'ready', busy: true });
  await worker.send({ type: 'interrupt' });
  await expect.poll(beat, soon).toMatchObject({ busy: false, waiting: true });
});
