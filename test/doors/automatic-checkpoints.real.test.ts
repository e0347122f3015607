/** After each turn the files and the conversation are saved, whatever happens to managers. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, type ManagerConnection, type WorkerHandle } from '../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const LONG = { timeout: 120_000 };
const PATIENCE = { timeout: 60_000, interval: 20 };
const redisUrl = inject('redisUrl');
const cell = newCell();
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const redis = new Redis(redisUrl);
let manager: Manager;
let client: ManagerConnection;

/** Appends each prompt to a file, and ends the turn. */
const AGENT = `
const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { type, content } = JSON.parse(line);
  if (type !== 'prompt') return;
  require('node:fs').appendFileSync('log', content + '\\n');
  console.log(JSON.stringify({ type: 'turn_completed', result: content }));
});`;

async function start(): Promise<void> {
  manager = await startManager({ redisUrl, cell, home });
  client = connect({ url: manager.url, token: manager.token });
}
beforeAll(start, 120_000);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
  redis.disconnect();
});

const create = (more: object = {}): Promise<WorkerHandle> =>
  client.workers.create(
    {
      agent_type: 'CUSTOM',
      protocol: 'json',
      command_line: [process.execPath, '-e', AGENT],
      runtime: 'process',
      checkpoint: { on: ['turn'] },
      ...more,
    },
    { wait: 'ready' },
  );
const listOf = async (id: string) => (await client.checkpoints.list({ workerId: id })).items;
const turnsOf = async (id: string) => (await listOf(id)).map(({ trigger, turns }) => [trigger, turns]);
const key = (id: string, of: string) => `${cell}:worker:${id}:${of}`;

test('each turn is saved, and the newest are kept', LONG, async () => {
  const worker = await create({ checkpoint: { on: ['turn'], keep: 2 } });
  for (const [at, prompt] of ['one', 'two', 'three'].entries()) {
    await (await worker.send(prompt)).result();
    await expect.poll(async () => (await turnsOf(worker.id))[0], PATIENCE).toEqual(['turn', at + 1]);
  }
  // The oldest is deleted once the newest is stored.
  await expect
    .poll(() => turnsOf(worker.id), PATIENCE)
    .toEqual([
      ['turn', 3],
      ['turn', 2],
    ]);
  const [, second] = await listOf(worker.id);
  const fork = await worker.fork({}, { checkpoint: second?.checkpoint_id, wait: 'ready' });
  expect((await fork.commands.run('cat log')).stdout).toBe('one\ntwo\n');
  await Promise.all([worker.delete(), fork.delete()]);
});

test('a turn that ended without a manager is saved by the next one, once', LONG, async () => {
  const worker = await create();
  await (await worker.send('one')).result();
  await expect.poll(() => turnsOf(worker.id), PATIENCE).toEqual([['turn', 1]]);
  manager.kill('SIGKILL');
  await manager.exited;
  const prompt = { type: 'prompt', content: 'two', request_id: 'two' };
  await redis.xadd(key(worker.id, 'input'), '*', 'data', JSON.stringify(prompt));
  const completed = async () =>
    JSON.stringify(await redis.xrange(key(worker.id, 'output'), '-', '+')).split('turn_completed').length - 1;
  await expect.poll(completed, PATIENCE).toBe(2);
  await start();
  await expect
    .poll(() => turnsOf(worker.id), PATIENCE)
    .toEqual([
      ['turn', 2],
      ['turn', 1],
    ]);
  // Another manager finds nothing that is missing.
  await manager.stop();
  await start();
  const again = await client.workers.get(worker.id);
  await (await again.send('three')).result();
  await expect.poll(async () => (await turnsOf(worker.id)).length, PATIENCE).toBe(3);
  expect((await turnsOf(worker.id)).map(([, turns]) => turns)).toEqual([3, 2, 1]);
  await again.delete();
});

test('a fork has the conversation of its checkpoint, and its own later one', LONG, async () => {
  const worker = await create();
  await (await worker.send('one')).result();
  await expect.poll(() => turnsOf(worker.id), PATIENCE).toEqual([['turn', 1]]);
  const archive = gzipSync('files');
  await redis.hset(key(worker.id, 'conversation'), { session: 'session-1', archive, 'turn:1-1': 7 });
  const { checkpoint_id, conversation } = await worker.checkpoint();
  expect(conversation).toBe(true);
  const fork = await worker.fork({}, { checkpoint: checkpoint_id, wait: 'ready' });
  const kept = await redis.hgetallBuffer(key(fork.id, 'conversation'));
  expect([kept.session?.toString(), kept.archive, 'turn:1-1' in kept]).toEqual(['session-1', archive, false]);
  await Promise.all([worker.delete(), fork.delete()]);
});

test('an agent that ends on its own is saved at its end', LONG, async () => {
  const end = `setInterval(() => require('node:fs').existsSync('end') && process.exit(3), 20)`;
  const command_line = [process.execPath, '-e', `${AGENT} ${end}`];
  const worker = await create({ command_line, checkpoint: { on: ['stop'] } });
  await worker.files.write('end', '');
  await expect.poll(async () => (await worker.refresh()).status, PATIENCE).toBe('FAILED');
  // The body ends when all is sent, a moment before it is stored.
  await expect
    .poll(async () => (await listOf(worker.id)).map(({ trigger }) => trigger), PATIENCE)
    .toEqual(['stop']);
  await worker.delete();
});

test('without a manager, the end of a body does not wait forever', LONG, async () => {
  const worker = await create({ checkpoint: { on: ['stop'] }, stop_grace_seconds: 1 });
  const pid = Number(await redis.hget(key(worker.id, 'status'), 'pid'));
  manager.kill('SIGKILL');
  await manager.exited;
  const began = Date.now();
  process.kill(-pid, 'SIGTERM');
  await expect
    .poll(() => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    }, PATIENCE)
    .toBe(false);
  expect(Date.now() - began).toBeLessThan(10_000);
  await start();
  expect(await listOf(worker.id)).toEqual([]);
});
