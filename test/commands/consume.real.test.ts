import { randomUUID } from 'node:crypto';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { COMMAND_GROUP, type CommandSettlement, Fenced } from '../../src/store/index.ts';
import { openCell } from '../store/cell.ts';
import { startRedis } from '../support/redis.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { answered, consume, createCommand, PATIENCE, pending } from './consumer.ts';

test('a lost reply makes Redis execute a command twice, and the second time does nothing', async () => {
  const cell = openCell();
  const epoch = await cell.acquire();
  const proxy = await startTcpProxy(Number(new URL(inject('redisUrl')).port));
  onTestFinished(() => proxy.close());
  const far = openCell(`redis://127.0.0.1:${proxy.port}`);
  // The same cell, seen through the proxy.
  const stream = new (cell.stream.constructor as typeof import('../../src/store/index.ts').CommandStream)(
    far.redis,
    far.blocking,
    cell.store.keys,
  );
  await stream.ensureGroup();
  await cell.push(createCommand());
  const [entry] = await stream.read(1, 1000);
  const workerId = randomUUID();
  const created = { spec: { agent_type: 'CUSTOM' } as never, at: 'now', ms: 1, prompt: 'the prompt' };
  const answers = { ok: '{"success":true}', conflict: '{"success":false}' };
  const what = { entry, requestId: 'r', replyTo: undefined, operation: 'create', workerId, created, answers };
  proxy.dropReplies();
  const settled = stream.settle(epoch, what as CommandSettlement);
  await vi.waitFor(async () => expect(await cell.answers()).toHaveLength(1), PATIENCE);
  await proxy.cut();
  await proxy.heal();
  expect((await settled).outcome).toBe('repeated');
  expect([await cell.answers(), await pending(cell)]).toEqual([[{ success: true }], 0]);
  expect(await cell.redis.hget(cell.store.keys.desired(workerId), 'generation')).toBe('1');
  expect(await cell.redis.xlen(cell.store.keys.input(workerId))).toBe(1);
});

test('commands of a consumer that died are taken over, each once, before new ones', async () => {
  const cell = openCell();
  await cell.stream.ensureGroup();
  const commands = Array.from({ length: 3 }, () => createCommand());
  for (const command of commands.slice(0, 2)) await cell.push(command);
  const group = ['GROUP', COMMAND_GROUP, 'another manager'] as const;
  await cell.redis.xreadgroup(...group, 'COUNT', 10, 'STREAMS', cell.store.keys.commands, '>');
  await cell.push(commands[2]);
  await consume(cell);
  const answers = await answered(cell, 3);
  expect(answers.map(({ request_id }) => request_id)).toEqual(commands.map(({ request_id }) => request_id));
  await vi.waitFor(async () => expect(await pending(cell)).toBe(0), PATIENCE);
});

test('a command that was delivered while its reader lost the connection is settled in the same term', async () => {
  const cell = openCell();
  await consume(cell, undefined, { strandedMs: 50 });
  await cell.push(createCommand());
  await answered(cell, 1);
  const { commands } = cell.store.keys;
  const command = createCommand();
  // In one transaction, so that it is delivered to a reader that never gets it before the living one can have it.
  await cell.redis
    .multi()
    .xadd(commands, '*', 'data', JSON.stringify(command))
    .xreadgroup('GROUP', COMMAND_GROUP, 'leader', 'COUNT', 1, 'STREAMS', commands, '>')
    .exec();
  const answers = await answered(cell, 2);
  expect(answers[1]).toMatchObject({ request_id: command.request_id, success: true });
  await vi.waitFor(async () => expect(await pending(cell)).toBe(0), PATIENCE);
});

test('a thousand creates that were pushed while no manager ran are all done, in their order', async () => {
  const cell = openCell();
  const commands = Array.from({ length: 1000 }, () => createCommand());
  for (const command of commands) void cell.push(command);
  const { changed } = await consume(cell);
  const answers = await answered(cell, 1000);
  expect(answers.map(({ request_id }) => request_id)).toEqual(commands.map(({ request_id }) => request_id));
  expect(answers.every(({ success }) => success)).toBe(true);
  expect(await cell.store.ids()).toHaveLength(1000);
  await vi.waitFor(() => expect(changed).toHaveLength(1000), PATIENCE);
});

test('a deposed reader stops, and leaves its commands to its successor', async () => {
  const cell = openCell();
  const old = await cell.acquire();
  const { ended } = await consume(cell, old);
  const epoch = await cell.acquire();
  await cell.push(createCommand());
  await expect(ended).rejects.toThrow(Fenced);
  expect([await cell.answers(), await pending(cell)]).toEqual([[], 1]);
  await consume(cell, epoch);
  expect(await answered(cell, 1)).toMatchObject([{ success: true }]);
});

test('commands deleted from the stream hide none behind them', async () => {
  const cell = openCell();
  await cell.stream.ensureGroup();
  const gone = await Promise.all(Array.from({ length: 20 }, () => cell.push(createCommand())));
  const left = createCommand();
  await cell.push(left);
  await cell.stream.read(100, 1000);
  await cell.redis.xdel(cell.store.keys.commands, ...gone);
  await consume(cell);
  expect(await answered(cell, 1)).toMatchObject([{ request_id: left.request_id, success: true }]);
});

test('a command leaves the stream once it is answered, and an unanswered one never does', async () => {
  const cell = openCell();
  const { commands } = cell.store.keys;
  const epoch = await cell.acquire();
  await cell.stream.ensureGroup();
  for (let n = 0; n < 5; n += 1) await cell.push({ n });
  const [old, kept, settled] = await cell.stream.read(4, 1000);
  if (!old || !kept || !settled) throw new Error('nothing was read');
  // As an older version has settled it.
  await cell.redis.xack(commands, COMMAND_GROUP, old.id);
  const what = { requestId: '', replyTo: undefined, operation: 'answer', answers: { ok: '{}' } } as const;
  await cell.stream.settle(epoch, { ...what, entry: settled });
  await cell.stream.trim();
  expect((await cell.read(commands)).map((command) => (command as { n: number }).n)).toEqual([1, 3, 4]);
});

test('a group that was destroyed is made again, and no answered command is carried out twice', async () => {
  const cell = openCell();
  await consume(cell);
  // Without an id of its own, a create that is read twice would create two workers once its answer is deleted.
  const first = createCommand();
  await cell.push(first);
  await answered(cell, 1);
  await cell.redis.del(cell.store.keys.request(first.request_id));
  await cell.redis.xgroup('DESTROY', cell.store.keys.commands, COMMAND_GROUP);
  const second = createCommand();
  await cell.push(second);
  expect((await answered(cell, 2)).map(({ request_id }) => request_id)).toEqual([
    first.request_id,
    second.request_id,
  ]);
  expect(await cell.store.ids()).toHaveLength(2);
});

test('a Redis that is full still settles what was pushed before, and takes commands again afterwards', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const cell = openCell(server.url);
  const epoch = await cell.acquire();
  await cell.stream.ensureGroup();
  await cell.push(createCommand());
  const [entry] = await cell.stream.read(1, 1000);
  await cell.redis.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction');
  await expect(cell.push(createCommand())).rejects.toThrow('OOM');
  const what = { requestId: 'r', replyTo: undefined, operation: 'answer', answers: { ok: '{}' } } as const;
  if (entry) expect(await cell.stream.settle(epoch, { ...what, entry })).toMatchObject({ outcome: 'ok' });
  const { ended } = await consume(cell, epoch);
  await cell.redis.config('SET', 'maxmemory', '0');
  await cell.push(createCommand());
  expect((await answered(cell, 2))[1]).toMatchObject({ success: true });
  await expect(Promise.race([ended, Promise.resolve('running')])).resolves.toBe('running');
});

test('the epoch rises even after everything was lost, and when the clock of Redis was set back', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const cell = openCell(server.url);
  const first = await cell.acquire();
  const second = await cell.acquire();
  // Two leaders within one millisecond are distinguished by counting, which is lost with the rest.
  await vi.waitFor(
    async () => expect(Number((await cell.redis.time())[0]) * 1000).toBeGreaterThan(second),
    PATIENCE,
  );
  await cell.redis.flushall();
  const third = await cell.acquire();
  await cell.redis.set(cell.store.keys.epoch, third + 3_600_000);
  expect([second > first, third > second, await cell.acquire()]).toEqual([true, true, third + 3_600_001]);
});

test('a stream that was lost with the store is made again, and read from its beginning', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const cell = openCell(server.url);
  const epoch = await cell.acquire();
  await consume(cell, epoch);
  await cell.push(createCommand());
  await answered(cell, 1);
  // At once: without its lease, the reader would stop.
  await cell.redis.multi().flushall().set(cell.store.keys.leader, `test ${epoch}`).exec();
  const command = createCommand();
  await cell.push(command);
  expect(await answered(cell, 1)).toMatchObject([{ request_id: command.request_id, success: true }]);
});
