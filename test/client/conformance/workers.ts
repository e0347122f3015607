import { expect, test } from 'vitest';
import { ManagerError } from '../../../src/client/index.ts';
import { all } from '../collect.ts';
import { CAT } from '../scene.ts';
import { type ClientSubject, LONG, refusal, SOON } from './subject.ts';

export function testWorkers(subject: ClientSubject): void {
  test('a worker is created, found, stopped, started and deleted', { timeout: LONG }, async () => {
    const { client } = subject();
    const labels = { team: 'red' };
    const worker = await client.workers.create({ ...CAT, name: 'cat', labels }, { wait: 'running' });
    expect(worker.info).toMatchObject({ name: 'cat', agent_type: 'CUSTOM', status: 'RUNNING', labels });
    await expect(client.workers.get('dog')).rejects.toMatchObject({ code: 'not_found', status: 404 });
    expect((await client.workers.get('cat')).id).toBe(worker.id);
    expect(await worker.spec()).toMatchObject({ command_line: ['cat'], restart_policy: 'never' });

    await worker.stop({ wait: 'ended' });
    expect(worker.status).toBe('STOPPED');
    await worker.start({ wait: 'ready' });
    expect(worker.info).toMatchObject({ status: 'RUNNING', phase: 'ready' });

    await worker.delete();
    await worker.delete();
    await expect
      .poll(() => refusal(client.workers.get(worker.id)), SOON)
      .toMatchObject({ code: 'not_found' });
    expect(await refusal(client.workers.delete(crypto.randomUUID()))).toMatchObject({
      code: 'not_found',
      status: 404,
    });
  });

  test('`await using` deletes the worker', { timeout: LONG }, async () => {
    const { client } = subject();
    let id: string;
    {
      await using worker = await client.workers.create(CAT);
      id = worker.id;
    }
    await expect.poll(() => refusal(client.workers.get(id)), SOON).toMatchObject({ code: 'not_found' });
  });

  test('a repeated key creates one worker', { timeout: LONG }, async () => {
    const { client } = subject();
    const idempotencyKey = crypto.randomUUID();
    const ids = await Promise.all(
      [1, 2].map(async () => (await client.workers.create(CAT, { idempotencyKey })).id),
    );
    expect(new Set(ids).size).toBe(1);
    const other = { ...CAT, command_line: ['cat', '-'] };
    expect(await refusal(client.workers.create(other, { idempotencyKey }))).toMatchObject({
      code: 'conflict',
      status: 409,
    });
    await client.workers.delete(ids[0] ?? '');
  });

  test('a key that was used for another prompt is refused', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create(CAT, { wait: 'ready' });
    const idempotencyKey = crypto.randomUUID();
    const send = async (prompt: string) => (await worker.send(prompt, { idempotencyKey })).requestId;
    expect(await send('one')).toBe(await send('one'));
    expect(await refusal(send('two'))).toMatchObject({ code: 'conflict', status: 409 });
  });

  test('a list has filters and pages', { timeout: LONG }, async () => {
    const { client } = subject();
    const label = { list: crypto.randomUUID() };
    const made = await Promise.all([1, 2, 3].map(() => client.workers.create({ ...CAT, labels: label })));
    await client.workers.create({ ...CAT, labels: { list: 'other' } });
    const ids = made.map(({ id }) => id).sort();
    const first = await client.workers.list({ label }, { limit: 2 });
    expect(first.items).toHaveLength(2);
    const rest = client.workers.list({ label }, { limit: 2, cursor: first.next_cursor ?? undefined });
    const found = [...first.items, ...(await all(rest))].map(({ id }) => id);
    expect(found.sort()).toEqual(ids);
    expect((await all(client.workers.list({ label }, { limit: 1 }))).map(({ id }) => id).sort()).toEqual(ids);
    expect((await client.workers.list({ label, status: 'FAILED' })).items).toEqual([]);
  });

  test('a state that cannot be reached is a conflict, a slow one a timeout', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create({ ...CAT, command_line: ['/there/is/no/program'] });
    expect(await refusal(worker.wait('ready', { timeoutSeconds: 30 }))).toMatchObject({
      code: 'conflict',
      status: 409,
      workerId: worker.id,
    });
    await using other = await client.workers.create(CAT);
    expect(await refusal(other.wait('ended', { timeoutSeconds: 0.2 }))).toMatchObject({
      code: 'unavailable',
      status: 504,
      workerId: other.id,
    });
  });

  test('refused fields are named', { timeout: LONG }, async () => {
    const { client } = subject();
    const wrong = { ...CAT, restart_policy: 'sometimes' } as unknown as typeof CAT;
    const error = await refusal(client.workers.create(wrong));
    expect(error).toBeInstanceOf(ManagerError);
    expect(error).toMatchObject({
      code: 'invalid_command',
      status: 400,
      issues: [{ path: 'restart_policy' }],
    });
  });
}
