import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { soon, TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
const AGENT = [process.execPath, join(import.meta.dirname, '../agents/acp-agent.ts')];
let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
});
afterEach(() => worker.close());

const declare = (more = {}) => worker.declare({ command_line: AGENT, protocol: 'acp', ...more });
const prompt = (content: string) => worker.send({ type: 'prompt', content });
const ends = () => worker.entries.filter(({ type }) => type === 'turn_completed' || type === 'turn_failed');
const untilEnds = (count: number) => expect.poll(() => ends().length, soon).toBe(count);

test('a conversation, a tool, an interrupt and an error', async () => {
  await declare();
  await worker.start({ redisUrl });
  await prompt('one');
  await prompt('run make all');
  await prompt('hang');
  await untilEnds(2);
  await expect.poll(() => worker.of('turn_started').length, soon).toBe(3);
  await worker.send({ type: 'interrupt' });
  await prompt('fail');
  await prompt('last');
  await untilEnds(5);
  expect(ends()).toMatchObject([
    { type: 'turn_completed', result: 'all: one' },
    { type: 'turn_completed', result: 'all: one run make all' },
    { type: 'turn_failed', reason: 'interrupted' },
    { type: 'turn_failed', reason: 'error', content: expect.stringContaining('the endpoint is away') },
    { type: 'turn_completed', result: 'all: one run make all hang fail last' },
  ]);
  expect(worker.of('message').map(({ content }) => content)).toEqual(
    ends().flatMap(({ result }) => result ?? []),
  );
  expect(worker.of('tool_use')).toMatchObject([{ content: 'make all', tool: 'Shell', tool_use_id: 'c1' }]);
  expect(worker.of('tool_result')).toMatchObject([{ content: 'ran', is_error: false }]);
  expect(new Set(ends().map(({ session_id }) => session_id)).size).toBe(1);
});

test('a command that is not in allowed_commands is denied when the agent asks', async () => {
  await declare({ allowed_commands: ['make'] });
  await worker.start({ redisUrl });
  await prompt('run curl x');
  await prompt('run make all');
  await untilEnds(2);
  expect(worker.of('permission_denied')).toMatchObject([
    { tool_use_id: 'c1', content: expect.stringContaining('curl') },
  ]);
  expect(worker.of('tool_result').map(({ content }) => content)).toEqual(['refused', 'ran']);
  expect(worker.of('ready')[0]).toMatchObject({
    enforcement: ['instructions'],
    missing_commands: expect.any(Array),
  });
});

test.each([
  ['at once', []],
  ['late', ['late']],
])(
  'the next body loads the session, and what the agent replays %s is not reported again',
  async (_, args) => {
    await declare({ command_line: [...AGENT, ...args] });
    const first = await worker.start({ redisUrl });
    await prompt('one');
    await untilEnds(1);
    await expect
      .poll(() => worker.redis.hget(worker.keys.conversation(worker.id), 'session'), soon)
      .toBeTruthy();
    first.process.kill('SIGTERM');
    await first.exit;
    await worker.start({ redisUrl, incarnation: 2 });
    await prompt('two');
    await untilEnds(2);
    const result = expect.stringMatching(/^all: one \[worker-manager\] Your environment[^\n]*\n\ntwo$/);
    expect(ends()[1]).toMatchObject({ incarnation: 2, result });
    expect(worker.of('message').map(({ content }) => content)).toEqual(['all: one', result]);
  },
);

test('a session that the agent does not know any more is reported as lost, and the next prompt starts a new one', async () => {
  await declare();
  await worker.redis.hset(worker.keys.conversation(worker.id), { session: 'gone', archive: '' });
  await worker.start({ redisUrl });
  await prompt('one');
  await untilEnds(1);
  await prompt('two');
  await untilEnds(2);
  expect(ends()).toMatchObject([{ reason: 'session_lost' }, { result: 'all: two' }]);
});
