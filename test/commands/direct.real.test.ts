/** Creates of the leader's own process, which do not take the way over the stream. */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openCell } from '../store/cell.ts';
import { answered, consume, createCommand } from './consumer.ts';

test('a direct create writes the same record as one of the stream, and nothing on the streams', async () => {
  const cell = openCell();
  const { caughtUp, direct, changed } = await consume(cell);
  await caughtUp;
  const streamed = createCommand({ worker_id: randomUUID(), name: 'streamed', prompt: 'go' });
  await cell.push(streamed);
  const [answer] = await answered(cell, 1);
  const command = createCommand({ worker_id: randomUUID(), name: 'direct', prompt: 'go' });
  const { keys } = cell.store;
  const before = await cell.redis.xinfo('STREAM', keys.commands);
  const own = await direct.send(command);
  expect(Object.keys(own ?? {})).toEqual(Object.keys(answer ?? {}));
  expect(own).toMatchObject({ request_id: command.request_id, success: true, worker_id: command.worker_id });
  const load = async ({ worker_id = '' }: { worker_id?: string }) => {
    const { desired } = (await cell.store.load(worker_id))?.record ?? {};
    const { name: _, ...spec } = desired?.spec ?? {};
    return { ...desired, spec, created_at: '', request_id: '' };
  };
  expect(await load(command)).toEqual(await load(streamed));
  expect((await cell.store.load(command.worker_id))?.record.desired.request_id).toBe(command.request_id);
  expect(changed).toEqual([streamed.worker_id, command.worker_id]);
  expect(await cell.redis.xinfo('STREAM', keys.commands)).toEqual(before);
  expect(await cell.answers()).toHaveLength(1);
  const prompt = { type: 'prompt', content: 'go', request_id: command.request_id };
  expect(await cell.read(keys.input(command.worker_id))).toEqual([prompt]);
});

test('a repeated request gets the same answer, whichever way it comes', async () => {
  const cell = openCell();
  const { caughtUp, direct } = await consume(cell);
  await caughtUp;
  const command = createCommand();
  const both = await Promise.all([direct.send(command), direct.send(command)]);
  await cell.push(command);
  const [third] = await answered(cell, 1);
  expect([both[1], third]).toEqual([both[0], both[0]]);
  expect(await cell.store.ids()).toEqual([both[0]?.worker_id]);
  const other = { ...command, name: 'other' };
  expect(await direct.send(other)).toEqual({ ...both[0], differs: true });
  await cell.push({ command: 'delete', request_id: randomUUID(), worker_id: both[0]?.worker_id });
  await answered(cell, 2);
  expect(await direct.send(command)).toEqual({ ...both[0], worker_deleted: true });
});

test('a refusal is answered with its code, and is remembered if it is final', async () => {
  const cell = openCell();
  const { caughtUp, direct } = await consume(cell, undefined, { full: () => 'The cell is full.' });
  await caughtUp;
  const code = async (command: ReturnType<typeof createCommand>) =>
    ((await direct.send(command))?.error as { code: string } | undefined)?.code;
  expect(await code(createCommand({ agent_type: 'NONE' }))).toBe('invalid_command');
  const command = createCommand();
  expect([await code(command), await code(command)]).toEqual(['capacity', 'capacity']);
  expect(await cell.store.ids()).toEqual([]);
});

test('creates are left to the stream until it exists: a worker without it looks like the rest of a lost store', async () => {
  const cell = openCell();
  const [held, findings] = [Promise.withResolvers<void>(), [] as string[]];
  const ensureGroup = cell.stream.ensureGroup.bind(cell.stream);
  cell.stream.ensureGroup = () => held.promise.then(ensureGroup);
  const { caughtUp, direct } = await consume(cell, undefined, {
    onStreamLost: () => void findings.push('lost'),
  });
  expect(await direct.send(createCommand())).toBeUndefined();
  held.resolve();
  await caughtUp;
  expect(await direct.send(createCommand())).toMatchObject({ success: true });
  expect(findings).toEqual([]);
});

test('other commands, and those of a process that does not lead, are left to the stream', async () => {
  const cell = openCell();
  const { caughtUp, direct, stop } = await consume(cell);
  await caughtUp;
  expect(await direct.send({ command: 'list', request_id: 'r' })).toBeUndefined();
  // Another manager leads now, which this one has not noticed.
  await cell.acquire();
  expect(await direct.send(createCommand())).toBeUndefined();
  expect(await cell.store.ids()).toEqual([]);
  await stop();
  expect(await direct.send(createCommand())).toBeUndefined();
});

test.for([
  { names: 30, accepted: 20, code: 'capacity' },
  { names: 10, accepted: 10, code: 'conflict' },
])(
  'of 60 creates on both ways with $names names and a limit of 20, $accepted are accepted',
  async ({ names, accepted, code }) => {
    const cell = openCell();
    const living = new Set<string>();
    const { caughtUp, direct } = await consume(cell, undefined, {
      onWanted: (id) => living.add(id),
      full: (beingCreated = 0) => (living.size + beingCreated < 20 ? undefined : 'The cell is full.'),
    });
    await caughtUp;
    const commands = Array.from({ length: 60 }, (_, n) =>
      createCommand({ worker_id: randomUUID(), name: `same-${n % names}` }),
    );
    const own = await Promise.all(
      commands.map((command, n) => (n % 2 ? direct.send(command) : cell.push(command).then(() => undefined))),
    );
    const answers = [...own.filter((answer) => answer !== undefined), ...(await answered(cell, 30))];
    expect(answers.filter(({ success }) => success)).toHaveLength(accepted);
    expect(await cell.store.ids()).toHaveLength(accepted);
    const codes = answers.flatMap(({ error }) => (error as { code: string } | undefined)?.code ?? []);
    expect(codes).toContain(code);
  },
);
