import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { openCell } from '../store/cell.ts';
import { answered, consume, createCommand } from './consumer.ts';

test.for([
  { names: 30, accepted: 20, code: 'capacity' },
  { names: 10, accepted: 10, code: 'conflict' },
])(
  'of 60 creates with $names names and a limit of 20, $accepted are accepted',
  async ({ names, accepted, code }) => {
    const cell = openCell();
    const living = new Set<string>();
    const most = 20;
    const commands = Array.from({ length: 60 }, (_, n) => ({
      ...createCommand({ worker_id: randomUUID() }),
      name: `same-${n % names}`,
    }));
    for (const command of commands) await cell.push(command);
    await consume(cell, undefined, {
      onWanted: (id) => living.add(id),
      full: (beingCreated = 0) => (living.size + beingCreated < most ? undefined : 'The cell is full.'),
    });
    const answers = (await answered(cell, commands.length)) as {
      success: boolean;
      worker_id?: string;
      error?: { code: string };
    }[];
    expect(answers.filter(({ success }) => success)).toHaveLength(accepted);
    const records = await Promise.all((await cell.store.ids()).map((id) => cell.store.load(id)));
    const taken = records.map((one) => one?.record.desired.spec.name);
    expect(taken.toSorted()).toEqual(Array.from({ length: accepted }, (_, n) => `same-${n}`).toSorted());
    const codes = new Set(answers.flatMap(({ error }) => error?.code ?? []));
    expect([...codes].toSorted()).toEqual([code]);
  },
);

test('a command after creates sees their workers', async () => {
  const cell = openCell();
  const worker_id = randomUUID();
  await cell.push(createCommand());
  await cell.push(createCommand({ worker_id }));
  await cell.push({ command: 'delete', request_id: randomUUID(), worker_id });
  await cell.push(createCommand({ worker_id }));
  await consume(cell);
  const answers = await answered(cell, 4);
  expect(answers.map(({ success }) => success)).toEqual([true, true, true, false]);
  expect(answers[3]).toMatchObject({ error: { code: 'conflict' } });
});
