import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { heartbeat, wasReady } from '../../src/model/worker/heartbeat.ts';
import { INPUT_GROUP } from '../../src/store/keys.ts';
import { isAlive, soon, TestWorker } from './body.ts';

const redisUrl = inject('redisUrl');
let worker: TestWorker;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
});
afterEach(() => worker.close());

test('a prompt that was written before the boot reaches the agent, and its answer carries the request', async () => {
  await worker.declare({ command_line: ['cat'] });
  await worker.send({ type: 'prompt', content: 'hello\nworld', request_id: 'r-1' });
  await worker.start({ redisUrl });
  await worker.until((entry) => entry.type === 'stdout' && entry.content.endsWith('world'));
  expect(worker.entries.map(({ type }) => type)).toEqual(['ready', 'turn_started', 'stdout']);
  expect(worker.entries[2]).toMatchObject({
    seq: 3,
    incarnation: 1,
    content: 'hello\nworld',
    lines: 2,
    request_id: 'r-1',
  });
  await expect.poll(() => worker.pending(), soon).toBe(0);
});

test('a change of phase is published when the entry is in the stream', async () => {
  const { keys, id } = worker;
  const listener = new Redis(redisUrl);
  await listener.subscribe(keys.signal(id));
  const seen: unknown[][] = [];
  listener.on('message', async (_channel, phase) => {
    const beat = heartbeat.parse(JSON.parse((await worker.redis.get(keys.heartbeat(id))) ?? ''));
    seen.push([phase, beat.phase, await worker.redis.xlen(keys.output(id)), beat.seq]);
  });
  await worker.declare({ command_line: ['cat'] });
  const body = await worker.start({ redisUrl });
  await expect.poll(() => seen, soon).toEqual([['ready', 'ready', 1, 1]]);
  body.process.kill('SIGTERM');
  expect(await body.exit).toBe(143);
  await expect.poll(() => seen.length, soon).toBe(2);
  expect(seen[1]?.[0]).toBe('ending');
  expect(JSON.parse((await worker.redis.get(keys.heartbeat(id))) ?? '')).toMatchObject({
    phase: 'ending',
    seq: 2,
  });
  listener.disconnect();
});

test('the agent gets an environment made from nothing, its instructions and its directory', async () => {
  await worker.declare({ command_line: ['env'], env: { GREETING: 'good day' }, instructions: 'Be brief.' });
  const body = await worker.start({ redisUrl, env: { SECRET_OF_THE_HOST: 'x', WORKER_POOL: 'blue' } });
  expect(await body.exit).toBe(0);
  await worker.untilType('exited');
  const names = worker
    .text()
    .trim()
    .split('\n')
    .map((line) => line.split('=')[0]);
  expect(names.sort()).toEqual(
    [
      'GREETING',
      'HOME',
      'PATH',
      'WORKER_ID',
      'WORKER_INCARNATION',
      'WORKER_POOL',
      'WORKER_TYPE',
      'WORKSPACE_PATH',
    ].sort(),
  );
  for (const name of ['CLAUDE.md', 'AGENTS.md']) {
    expect(readFileSync(join(worker.workspace, name), 'utf8')).toBe('Be brief.\n');
  }
  expect(body.log).not.toContain(redisUrl);
});

test.each([
  { what: 'is missing', argv: ['no-such-program'], code: 127, says: 'was not found' },
  { what: 'may not be run', argv: ['/etc/passwd'], code: 126, says: 'could not be started' },
])('a program that $what ends the body with $code and a sentence', async ({ argv, code, says }) => {
  await worker.declare({ command_line: argv });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(code);
  expect(await worker.untilType('exited')).toMatchObject({
    seq: 1,
    exit_code: code,
    content: expect.stringContaining(says),
  });
  // A client that waits for readiness must not get it.
  const beat = heartbeat.parse(JSON.parse((await worker.redis.get(worker.keys.heartbeat(worker.id))) ?? ''));
  expect(wasReady(beat)).toBe(false);
});

test('the last output precedes the exit, and the wrapper exits with the code of the agent', async () => {
  await worker.declare({ command_line: ['sh', '-c', 'seq 1 5000; printf "no newline"; exit 7'] });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(7);
  await worker.untilType('exited');
  expect(worker.entries.at(-1)).toMatchObject({ type: 'exited', exit_code: 7, signal: null });
  expect(worker.text()).toMatch(/^1\n2\n[0-9\n]*\n5000\nno newline$/);
  worker.expectGapless();
  expect(existsSync(join(worker.dir, 'spool'))).toBe(false);
});

test('a group of the input that is destroyed makes no answered prompt come once more', async () => {
  const { keys, id } = worker;
  const destroy = () => worker.redis.xgroup('DESTROY', keys.input(id), INPUT_GROUP);
  const answered = async (content: string) => {
    const entry = await worker.send({ type: 'prompt', content });
    await worker.until((one) => one.type === 'stdout' && one.content === content);
    const passed = async () => JSON.parse((await worker.redis.get(keys.heartbeat(id))) ?? '{}').input_id;
    await expect.poll(passed, soon).toBe(entry);
  };
  await worker.declare({ command_line: ['cat'] });
  const first = await worker.start({ redisUrl });
  await answered('one');
  await destroy();
  await answered('two');
  first.process.kill('SIGTERM');
  await first.exit;
  await destroy();
  await worker.start({ redisUrl, incarnation: 2 });
  await answered('three');
  // The stream with all that was in it goes as well, and what comes then is read from its beginning.
  await worker.redis.del(keys.input(id));
  await answered('four');
  expect(worker.text()).toBe('one\ntwo\nthree\nfour\n');
}, 60_000);

test('an input that cannot be read is answered and acknowledged, and the next one is served', async () => {
  await worker.declare({ command_line: ['cat'] });
  await worker.start({ redisUrl });
  await worker.redis.xadd(worker.keys.input(worker.id), '*', 'other', 'x');
  await worker.send('no json');
  const id = await worker.send('{"type":"prompt","content":5,"colour":"red","request_id":"r-9"}');
  await worker.send({ type: 'prompt', content: 'still here' });
  await worker.until(({ type, content }) => type === 'stdout' && content === 'still here');
  const failed = worker.of('turn_failed');
  expect(failed).toHaveLength(3);
  expect(failed.every(({ reason }) => reason === 'invalid_input')).toBe(true);
  expect(failed[2]).toMatchObject({
    request_id: 'r-9',
    entry_id: id,
    issues: [{ path: 'colour' }, { path: 'content' }],
  });
  await expect.poll(() => worker.pending(), soon).toBe(0);
});

test('interrupt is SIGINT to the group; shutdown ends it and the wrapper exits with 0', async () => {
  const script = 'trap "echo interrupted" INT; echo up; while read -r line; do echo "$line"; done; exit 3';
  await worker.declare({ command_line: ['bash', '-c', script] });
  const body = await worker.start({ redisUrl });
  await worker.untilType('stdout');
  await worker.send({ type: 'interrupt' });
  await worker.send({ type: 'prompt', content: 'next' });
  await worker.until(({ content }) => content.includes('interrupted'));
  await worker.send({ type: 'shutdown' });
  expect(await body.exit).toBe(0);
  expect((await worker.untilType('exited')).exit_code).not.toBe(0);
  expect(await worker.pending()).toBe(0);
});

test('SIGTERM ends the whole group, also what ignores it, within the grace', async () => {
  const stubborn = 'trap "" TERM; echo $$; while :; do sleep 1; done';
  await worker.declare({
    command_line: ['bash', '-c', `bash -c '${stubborn}' & trap "" TERM; echo $$; wait; wait`],
    stop_grace_seconds: 2,
  });
  const body = await worker.start({ redisUrl });
  await expect.poll(() => worker.text().trim().split('\n').length, soon).toBe(2);
  const pids = worker.text().trim().split('\n').map(Number);
  expect(pids.map(isAlive)).toEqual([true, true]);
  body.process.kill('SIGTERM');
  body.process.kill('SIGTERM');
  body.process.kill('SIGINT');
  expect(await body.exit).toBe(137);
  expect(pids.map(isAlive)).toEqual([false, false]);
  expect(await worker.untilType('exited')).toMatchObject({ signal: 'SIGKILL', exit_code: 137 });
});

test('what the agent leaves behind is ended, and holds nothing open', async () => {
  await worker.declare({ command_line: ['bash', '-c', '(trap "" TERM HUP; exec sleep 300) & echo $!'] });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(0);
  await worker.untilType('exited');
  expect(isAlive(Number(worker.text()))).toBe(false);
});

test('a process that has left the group and holds the pipe is ended with the agent', async () => {
  await worker.declare({ command_line: ['bash', '-c', 'setsid sleep 300 & echo $!; sleep 0.2'] });
  const body = await worker.start({ redisUrl });
  expect(await body.exit).toBe(0);
  await worker.untilType('exited');
  const escaped = Number(worker.text());
  expect(isAlive(escaped)).toBe(false);
});

test('the body waits for a record that is not there yet, and ends at once on SIGTERM', async () => {
  const body = await worker.start({ redisUrl });
  await expect.poll(() => body.log, soon).toContain('loading the spec');
  await worker.declare({ command_line: ['echo', 'late'] });
  expect(await body.exit).toBe(0);
  expect((await worker.untilType('stdout')).content).toBe('late');
  await worker.redis.del(worker.keys.desired(worker.id));
  const second = await worker.start({ redisUrl, incarnation: 2 });
  await expect.poll(() => second.log, soon).toContain('loading the spec');
  second.process.kill('SIGTERM');
  expect(await second.exit).toBe(143);
});

test('a wrong setting stops the start with the name of the variable', async () => {
  const body = await worker.start({ redisUrl, env: { WORKER_SPOOL_BYTES: 'much' } });
  expect(await body.exit).toBe(78);
  expect(body.log).toContain('WORKER_SPOOL_BYTES is \\"much\\"');
});
