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

/** A conversation of one turn, and a body that is killed in its second. */
async function cut(more: { retry?: boolean } = {}): Promise<string> {
  await declare();
  const first = await start();
  await prompt('one');
  await expect.poll(results, soon).toEqual(['one']);
  await expect
    .poll(() => worker.redis.hget(worker.keys.conversation(worker.id), 'session'), soon)
    .toBeTruthy();
  writeFileSync(join(worker.workspace, 'written'), 'by a turn');
  const entryId = await worker.send({ type: 'prompt', content: 'slowly', request_id: 'r-2', ...more });
  await expect.poll(() => worker.of('turn_started').length, soon).toBe(2);
  first.process.kill('SIGKILL');
  sendTo(-Number(worker.of('ready')[0]?.pid), 'SIGKILL');
  await first.exit;
  return entryId;
}
const NOTICE = /^one \[worker-manager\] Your environment was replaced[^\n]*\n\n/;

test('a turn that the end of its body cuts fails, is not repeated, and the agent gets one notice', async () => {
  const entryId = await cut();
  await start(2);
  const [lost] = [await worker.untilType('turn_failed')];
  expect(lost).toMatchObject({ reason: 'body_lost', request_id: 'r-2', entry_id: entryId, incarnation: 2 });
  await expect.poll(() => worker.pending(), soon).toBe(0);
  await prompt('three');
  await expect.poll(() => results().length, soon).toBe(2);
  expect(results()[1]).toMatch(NOTICE);
  expect(results()[1]).toContain(`The files in ${worker.workspace} were kept (last written at `);
  expect(results()[1]).toContain('The turn that ran then was cut');
  expect(results()[1]).toMatch(/\n\nthree$/);
  await prompt('four');
  await expect.poll(() => results().length, soon).toBe(3);
  expect(results()[2]).toBe(`${results()[1]} four`);
  const [before, after] = worker.of('turn_completed');
  expect(after?.session_id).toBe(before?.session_id);
  expect(worker.of('ready')).toMatchObject([{}, { resumed: true, workspace_written_at: expect.any(String) }]);
  expect(worker.of('ready')[0]?.resumed).toBeUndefined();
  worker.expectGapless();
});

test('a prompt that asks for it is begun again by the next body', async () => {
  await cut({ retry: true });
  await start(2);
  await expect.poll(() => results().length, soon).toBe(2);
  expect(results()[1]).toMatch(NOTICE);
  expect(results()[1]).toMatch(/\n\nslowly$/);
  expect(worker.of('turn_failed')).toEqual([]);
  expect(worker.of('turn_started').map(({ retried }) => retried)).toEqual([undefined, undefined, true]);
  await expect.poll(() => worker.pending(), soon).toBe(0);
  worker.expectGapless();
});

test('a body that is killed before it has settled a cut turn leaves that to the next, once', async () => {
  await cut();
  const second = await start(2);
  await worker.untilType('turn_failed');
  second.process.kill('SIGKILL');
  sendTo(-Number(worker.of('ready')[1]?.pid), 'SIGKILL');
  await second.exit;
  await start(3);
  await prompt('three');
  await expect.poll(() => results().length, soon).toBe(2);
  await expect.poll(() => worker.pending(), soon).toBe(0);
  expect(worker.of('turn_failed')).toHaveLength(1);
  worker.expectGapless();
});

test('a turn whose end is in the output is neither failed nor repeated, even if its commit was cut', async () => {
  await declare();
  const entryId = await prompt('one');
  // As a body leaves it that dies between the two: delivered, ended, and not acknowledged.
  const { keys, id, redis } = worker;
  await redis.xgroup('CREATE', keys.input(id), 'wrapper', '0');
  await redis.xreadgroup('GROUP', 'wrapper', 'wrapper', 'COUNT', 1, 'STREAMS', keys.input(id), '>');
  const common = { incarnation: 1, entry_id: entryId, content: '', timestamp: new Date().toISOString() };
  for (const [at, type] of ['ready', 'turn_started', 'turn_completed'].entries())
    await redis.xadd(
      keys.output(id),
      `${at + 1}-0`,
      'data',
      JSON.stringify({ seq: at + 1, type, ...common }),
    );
  await redis.hset(keys.conversation(id), { [`turn:${entryId}`]: 2, had_turns: 1 });
  await start(2);
  await expect.poll(() => worker.pending(), soon).toBe(0);
  await prompt('two');
  await expect.poll(() => results().length, soon).toBe(2);
  expect(results()[1]).toContain('Your memory of the last turn may be missing.');
  expect(worker.of('turn_failed')).toEqual([]);
  expect(await redis.hexists(keys.conversation(id), `turn:${entryId}`)).toBe(0);
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
  expect(await archive.restore(new AbortController().signal)).toMatchObject({ session: 's-1', lost: false });
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
