/** Commands for a body on the input stream of its worker. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { TestWorker } from '../body.ts';

async function startBody(): Promise<{ worker: TestWorker; exec: (message: object) => Promise<string> }> {
  const redisUrl = inject('redisUrl');
  const worker = new TestWorker(redisUrl);
  onTestFinished(() => worker.close());
  await worker.declare({ command_line: ['cat'] });
  await worker.start({ redisUrl });
  await worker.untilType('ready');
  return { worker, exec: (message) => worker.send(JSON.stringify({ type: 'exec', ...message })) };
}

const completed = (worker: TestWorker, request_id: string) =>
  worker.until((entry) => entry.type === 'exec_completed' && entry.request_id === request_id);

test('a command is answered with its output and its end, beside the agent', async () => {
  const { worker, exec } = await startBody();
  await exec({ request_id: 'slow', shell: 'sleep 60', timeout_seconds: 1 });
  await exec({ request_id: 'one', shell: 'echo out; sleep 0.2; echo err >&2; exit 3' });
  expect(await completed(worker, 'one')).toMatchObject({ exit_code: 3, signal: null, output_bytes: 8 });
  expect(worker.of('exec_output')).toMatchObject([
    { request_id: 'one', stream: 'stdout', offset: 0, content: 'out\n' },
    { request_id: 'one', stream: 'stderr', offset: 4, content: 'err\n' },
  ]);
  await exec({ request_id: 'input', command: ['cat'], stdin: 'given' });
  await completed(worker, 'input');
  expect(worker.of('exec_output').at(-1)).toMatchObject({ content: 'given' });
  expect(await completed(worker, 'slow')).toMatchObject({ exit_code: 124, timed_out: true });
  await expect.poll(() => worker.pending(), { timeout: 5000 }).toBe(0);
  worker.expectGapless();
});

test('a command that is wrong, or one too many, gets the reason and starts nothing', async () => {
  const { worker, exec } = await startBody();
  await exec({ request_id: 'wrong', shel: 'true' });
  expect(await completed(worker, 'wrong')).toMatchObject({ exit_code: null, reason: 'invalid_command' });
  const shell = 'until [ -e go ]; do sleep 0.1; done';
  for (let at = 0; at < 20; at += 1) await exec({ request_id: `many-${at}`, shell });
  const refused = () => worker.of('exec_completed').filter(({ reason }) => reason === 'capacity');
  await expect.poll(() => refused().length).toBe(4);
  writeFileSync(join(worker.workspace, 'go'), '');
  const ends = await Promise.all(Array.from({ length: 20 }, (_, at) => completed(worker, `many-${at}`)));
  expect(ends.filter(({ exit_code }) => exit_code === 0)).toHaveLength(16);
  expect(ends.filter(({ reason }) => reason === 'capacity')).toHaveLength(4);
});

test('a command that writes much is cut off on the stream, and says so', async () => {
  const { worker, exec } = await startBody();
  await exec({ request_id: 'big', shell: 'head -c 12000000 /dev/zero | tr "\\0" x' });
  expect(await completed(worker, 'big')).toMatchObject({
    exit_code: 0,
    output_bytes: 12_000_000,
    truncated: true,
  });
  const sizes = worker.of('exec_output').map(({ content }) => content.length);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(9 * 1024 ** 2);
});

test('the end of the body ends its commands, and their end is reported before its own', async () => {
  const { worker, exec } = await startBody();
  await exec({ request_id: 'long', shell: 'echo begun; sleep 300' });
  await worker.until(({ type }) => type === 'exec_output');
  await delay(50);
  await worker.send({ type: 'shutdown' });
  await worker.untilType('exited');
  const end = await completed(worker, 'long');
  expect(end).toMatchObject({ signal: 'SIGKILL', exit_code: 137 });
  expect(end.seq).toBeLessThan(worker.of('exited')[0]?.seq ?? 0);
});
