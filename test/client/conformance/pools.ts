import { expect, test } from 'vitest';
import { ManagerError, TaskFailed } from '../../../src/client/index.ts';
import { ADDERS } from '../scene.ts';
import { type ClientSubject, LONG, refusal, SOON } from './subject.ts';

export function testPools(subject: ClientSubject): void {
  test('pools are applied, scaled and deleted, and run tasks', { timeout: LONG }, async () => {
    const { client } = subject();
    expect(await client.pools.apply(ADDERS)).toMatchObject({ pool: 'adders', change: 'created' });
    expect(await client.pools.apply(ADDERS)).toMatchObject({ change: 'unchanged' });
    expect((await client.pools.list()).map(({ name }) => name)).toEqual(['adders']);
    const task = await client.tasks.submit({ pool: 'adders', payload: { function: 'add', args: [2, 3] } });
    expect(await task.result()).toBe(5);
    expect(await task.status()).toMatchObject({ status: 'completed', result: 5, pool: 'adders' });
    expect(await (await client.tasks.get(task.id)).result()).toBe(5);
    const sum = client.tasks.submit({ pool: 'adders', payload: { function: 'add', args: [3, 4] } });
    expect(await sum.result()).toBe(7);

    const many = await client.tasks.submitMany([
      { pool: 'adders', payload: { function: 'add', args: [1, 1] } },
      { pool: 'never', payload: { function: 'add', args: [1, 1] } },
      { pool: 'adders', payload: { function: 'fail', args: ['no'] } },
    ]);
    expect(many.map((one) => (one instanceof ManagerError ? one.code : 'task'))).toEqual([
      'task',
      'not_found',
      'task',
    ]);
    const [good, , bad] = many;
    if (!good || !bad || good instanceof ManagerError || bad instanceof ManagerError) throw new Error();
    expect(await good.result()).toBe(2);
    const failed = await refusal(bad.result());
    expect(failed).toBeInstanceOf(TaskFailed);
    expect(failed).toMatchObject({ type: 'ValueError', message: expect.stringContaining('no') });

    const endless = await client.tasks.submit({ pool: 'adders', payload: { function: 'wait' } });
    expect(await refusal(endless.result({ timeoutSeconds: 0.2 }))).toMatchObject({ status: 504 });
    await endless.cancel({ reason: 'test' });
    expect(await refusal(endless.result())).toMatchObject({ type: 'Cancelled' });
    const listed = (await client.tasks.list({ pool: 'adders' })).items.map(({ task_id }) => task_id);
    expect(listed).toEqual(expect.arrayContaining([task.id, good.id, bad.id, endless.id]));

    expect((await client.nodes()).map(({ pool }) => pool)).toEqual(['adders']);
    expect(await client.pools.workerStats()).toMatchObject({ adders: {} });
    expect(await client.webhooks({ limit: 5 })).toEqual([]);
    const usage = await client.usage();
    for (const { worker_id, checked_at } of usage) expect([worker_id, checked_at]).not.toContain('');
    // This manager has no Docker.
    expect(await refusal(client.images())).toMatchObject({ code: 'unsupported', status: 422 });
    expect(await client.pools.scale('adders', 0)).toMatchObject({ count: 0, before: 1 });
    expect(await client.pools.get('adders')).toMatchObject({ spec: { count: 0 } });
    await client.pools.delete('adders');
    await expect.poll(() => client.pools.list(), SOON).toEqual([]);
    expect(await refusal(client.pools.get('adders'))).toMatchObject({ code: 'not_found', status: 404 });
  });
}
