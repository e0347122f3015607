/** Lists and downloads of checkpoints over HTTP, without a store. */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { damaged } from '../../src/checkpoints/faults.ts';
import { type CheckpointDetails, workerSpec } from '../../src/model/index.ts';
import { openTestApi } from './api.ts';

const newDetails = (n: number): CheckpointDetails => ({
  checkpoint_id: randomUUID(),
  worker_id: randomUUID(),
  trigger: 'request',
  created_at: `2026-01-01T00:00:0${n}.000Z`,
  incarnation: 1,
  spec: workerSpec.parse({ agent_type: 'CUSTOM', command_line: ['true'], runtime: 'process' }),
  format: 'tar.zst',
  bytes: 5,
  sha256: '0'.repeat(64),
  conversation: false,
});

test('the next page begins after the last one although the checkpoint at its end was deleted', async () => {
  let all = [5, 4, 3, 2, 1].map(newDetails);
  const { ask } = await openTestApi({ checkpoints: { list: async () => all } });
  const ids = all.map((one) => one.checkpoint_id);
  const first = (await ask('GET', '/v1/checkpoints?limit=2')).json();
  all = all.filter(({ checkpoint_id }) => checkpoint_id !== ids[1]);
  const second = (await ask('GET', `/v1/checkpoints?limit=9&cursor=${first.next_cursor}`)).json();
  const shown = [...first.items, ...second.items].map((one: CheckpointDetails) => one.checkpoint_id);
  expect([shown, second.next_cursor]).toEqual([ids, null]);
});

test('a download that is damaged at its beginning is an error with its cause', async () => {
  const checkpoint = newDetails(1);
  const { checkpoint_id: id } = checkpoint;
  const fail = (error: Error) => Readable.from([Buffer.from('never')]).destroy(error);
  const path = `/v1/checkpoints/${id}/archive`;
  const { ask } = await openTestApi({
    checkpoints: { open: async () => ({ checkpoint, stream: fail(damaged(id, 'a bit has changed')) }) },
  });
  const answer = await ask('GET', path);
  expect([answer.statusCode, answer.json().error]).toEqual([
    500,
    { code: 'internal', reason: 'CheckpointFailed', message: expect.stringContaining('a bit has changed') },
  ]);
  const whole = await openTestApi({
    checkpoints: { open: async () => ({ checkpoint, stream: Readable.from([Buffer.from('whole')]) }) },
  });
  expect((await whole.ask('GET', path)).body).toBe('whole');
});
