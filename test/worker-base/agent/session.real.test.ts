import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { sendTo } from '../../../src/runtimes/process/process-table.ts';
import { SessionArchive } from '../../../worker-base/agent/session-archive.ts';
import { soon, TestWorker } from '../body.ts';

const redisUrl = inject('redisUrl');
let worker: TestWorker;
let path: string;
beforeEach(() => {
  worker = new TestWorker(redisUrl);
  // A stand-in for the CLI, by its name.
  const bin = join(worker.dir, 'bin');
  mkdirSync(bin);
  const program = join(import.meta.dirname, '../agents/claude-agent.ts');
  writeFileSync(join(bin, 'claude'), `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`);
  chmodSync(join(bin, 'claude'), 0o755);
  path = [bin, process.env.PATH].join(delimiter);
});
afterEach(() => worker.close());

const declare = (more = {}) => worker.declare({ agent_type: 'CLAUDE', ...more });
const start = (incarnation = 1, env = {}) =>
  worker.start({ redisUrl, incarnation, env: { PATH: path, WORKER_INTERRUPT_MS: '300', ...env } });
const prompt = (content: string) => worker.send({ type: 'prompt', content });
const results = () => worker.of('turn_completed').map(({ content }) => content);
/** The file in which the agent has the conversation of its first turn. */
const talk = () =>
  join(
    worker.dir,
    'home',
    '.claude',
    'projects',
    'here',
    `${worker.of('turn_completed')[0]?.session_id}.jsonl`,
  );

test('a body that is killed in a turn leaves it to the next, which continues the conversation', async () => {
  await declare();
  const first = await start();
  await prompt('one');
  await expect.poll(results, soon).toEqual(['one']);
  await expect
    .poll(() => worker.redis.hget(worker.keys.conversation(worker.id), 'session'), soon)
    .toBeTruthy();
  await prompt('slowly');
  await expect.poll(() => worker.of('turn_started').length, soon).toBe(2);
  first.process.kill('SIGKILL');
  sendTo(-Number(worker.of('ready')[0]?.pid), 'SIGKILL');
  await first.exit;
  await start(2);
  await expect.poll(results, soon).toEqual(['one', 'one slowly']);
  const [before, after] = worker.of('turn_completed');
  expect(after?.session_id).toBe(before?.session_id);
  await prompt('three');
  await expect.poll(results, soon).toEqual(['one', 'one slowly', 'one slowly three']);
  await expect.poll(() => worker.pending(), soon).toBe(0);
  worker.expectGapless();
});

test('an agent that was killed continues its conversation in the same body', async () => {
  await declare();
  await start();
  await prompt('one');
  await prompt('hang');
  await expect.poll(results, soon).toEqual(['one']);
  // It must have received the prompt before it is killed.
  await expect.poll(() => readFileSync(talk(), 'utf8'), soon).toContain('hang');
  await worker.send({ type: 'interrupt' });
  await worker.untilType('turn_failed');
  await prompt('three');
  await expect.poll(results, soon).toEqual(['one', 'one hang three']);
});

test('a lost conversation is reported with the next prompt, and a new one begins', async () => {
  await declare();
  await worker.redis.hset(worker.keys.conversation(worker.id), { session: 'gone', archive: '' });
  await start();
  await prompt('one');
  expect(await worker.untilType('turn_failed')).toMatchObject({ reason: 'session_lost' });
  await prompt('two');
  await expect.poll(results, soon).toEqual(['two']);
});

test('an archive that cannot be read counts as a conversation that is lost', async () => {
  await declare();
  await worker.redis.hset(worker.keys.conversation(worker.id), { session: 's', archive: 'no gzip' });
  await start();
  await prompt('one');
  expect(await worker.untilType('turn_failed')).toMatchObject({ reason: 'session_lost' });
});

test('an agent that never completes the handshake ends the body with a message', async () => {
  await declare({ env: { FAKE_MUTE: '1' } });
  const body = await start(1, { WORKER_HANDSHAKE_MS: '800' });
  await prompt('one');
  expect(await body.exit).toBe(76);
  const said = { exit_code: 76, content: expect.stringContaining('did not answer within 0.8 s') };
  expect(await worker.untilType('exited')).toMatchObject(said);
});

test("the agent's home is the body's own", async () => {
  await declare();
  await start();
  await prompt('one');
  await expect.poll(results, soon).toEqual(['one']);
  expect(existsSync(talk())).toBe(true);
});

test('an archive has only the named files, and restores them unchanged', async () => {
  const [from, to] = ['from', 'to'].map((name) => join(worker.dir, name)) as [string, string];
  mkdirSync(join(from, 'talk', 'deep'), { recursive: true });
  mkdirSync(to);
  writeFileSync(join(from, 'talk', 'deep', 'one'), 'first', { mode: 0o600 });
  writeFileSync(join(from, 'other'), 'not this');
  const privileges = { helperCommand: (argv: string[]) => argv };
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const key = worker.keys.conversation(worker.id);
  const common = { redis: worker.redis, key, privileges, paths: ['talk', 'missing'], log };
  const archived = await new SessionArchive({ ...common, home: from }).pack('s-1');
  expect(archived?.session).toBe('s-1');
  const archive = new SessionArchive({ ...common, home: to });
  const transaction = worker.redis.multi();
  if (archived) archive.store(transaction, archived);
  await transaction.exec();
  expect(await archive.restore(new AbortController().signal)).toEqual({ session: 's-1', lost: false });
  expect(readFileSync(join(to, 'talk', 'deep', 'one'), 'utf8')).toBe('first');
  expect(statSync(join(to, 'talk', 'deep', 'one')).mode & 0o777).toBe(0o600);
  expect(existsSync(join(to, 'other'))).toBe(false);
});

test('an agent that only reports retries of its model counts as silent: the wait for a hung model is bounded', async () => {
  await declare({ silence_timeout_seconds: 4 });
  await start();
  await prompt('one');
  await prompt('retry');
  const failed = await worker.untilType('turn_failed');
  expect(failed).toMatchObject({ reason: 'silent' });
  expect(worker.of('stderr').length).toBeGreaterThan(0);
  await prompt('three');
  await expect.poll(results, soon).toEqual(['one', 'one retry three']);
});
