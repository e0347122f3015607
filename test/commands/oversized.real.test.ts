import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { ENTRY_LIMIT } from '../../src/model/index.ts';
import { openCell } from '../store/cell.ts';
import { answered, consume, createCommand, pending } from './consumer.ts';

const MB = 1024 ** 2;
const HUGE = JSON.stringify(createCommand({ instructions: 'x'.repeat(33 * MB) }));

test('commands of 33 MB are refused unread, whether they are waited for or lie there, and all others are answered', async () => {
  const cell = openCell();
  let received = 0;
  for (const link of [cell.redis, cell.blocking])
    link.on('connect', () => link.stream.on('data', (chunk: Buffer) => (received += chunk.length)));
  // They lie there when the reader comes.
  const lying = [await cell.push(HUGE), await cell.push(HUGE)];
  const first = createCommand();
  await cell.push(first);
  const consumer = await consume(cell);
  await answered(cell, 3);
  // Now it waits for the next one.
  const waited = await cell.push(HUGE);
  const second = createCommand();
  await cell.push(second);
  const answers = await answered(cell, 5);

  for (const { request_id } of [first, second])
    expect(answers.filter((answer) => answer.request_id === request_id)).toMatchObject([{ success: true }]);
  const refused = answers.filter(({ success }) => success === false);
  expect(refused.map(({ entry_id }) => entry_id).sort()).toEqual([...lying, waited].sort());
  for (const { error } of refused)
    expect(error).toMatchObject({
      code: 'invalid_command',
      message: expect.stringContaining(`has ${HUGE.length} bytes; the limit is ${ENTRY_LIMIT}`),
    });
  expect(await pending(cell)).toBe(0);
  // Neither read nor kept.
  expect(received).toBeLessThan(2 * MB);
  expect(await cell.redis.memory('USAGE', cell.store.keys.commands)).toBeLessThan(MB);
  expect(await cell.redis.memory('USAGE', cell.store.keys.dead)).toBeLessThan(MB);
  await consumer.stop();
});

test('a command of the largest size is carried out, and a byte more is refused', async () => {
  const cell = openCell();
  await consume(cell);
  const sized = (bytes: number, request_id = randomUUID()) => {
    const bare = JSON.stringify(createCommand({ request_id, instructions: '' })).length;
    return createCommand({ request_id, instructions: 'x'.repeat(bytes - bare) });
  };
  const [fits, exceeds] = [sized(ENTRY_LIMIT), sized(ENTRY_LIMIT + 1)];
  await cell.push(fits);
  await cell.push(exceeds);
  const [first, second] = await answered(cell, 2);
  expect(first).toMatchObject({ request_id: fits.request_id, success: true });
  expect(second).toMatchObject({ success: false, error: { code: 'invalid_command' } });
});

test('a command with a field of many thousand values is refused by its name', async () => {
  const cell = openCell();
  await consume(cell);
  const many = createCommand({
    env: Object.fromEntries(Array.from({ length: 9000 }, (_, at) => [`=${at}`, 1])),
  });
  await cell.push(many);
  const [answer] = await answered(cell, 1);
  expect(answer).toMatchObject({ request_id: many.request_id, success: false });
  expect(answer?.error).toMatchObject({
    message: 'The command was refused: it has more than 5000 values.',
  });
});
