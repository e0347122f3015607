import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { CAT } from '../scene.ts';
import { type ClientSubject, LONG } from './subject.ts';

/** Over HTTP only: without a manager's API, nothing reaches a body or the archives. */
export function testCheckpoints(subject: ClientSubject): void {
  test('a workspace is saved, and a worker is forked from it', { timeout: LONG }, async () => {
    const { client } = subject();
    await using worker = await client.workers.create({ ...CAT, name: 'first' }, { wait: 'ready' });
    await worker.commands.run('echo one > file');
    const checkpoint = await worker.checkpoint();
    expect(checkpoint).toMatchObject({ worker_id: worker.id, trigger: 'request' });
    const { checkpoint_id: id } = checkpoint;
    const { items } = await client.checkpoints.list({ workerId: worker.id });
    expect(items.map(({ checkpoint_id }) => checkpoint_id)).toEqual([id]);
    expect(await buffer(await client.checkpoints.download(id))).toHaveLength(checkpoint.bytes);
    expect(await worker.changes({ format: 'names' })).toBe('A\tfile\n');
    await worker.commands.run('echo two > file');
    await using now = await worker.fork({ labels: { of: 'first' } }, { wait: 'ready' });
    expect((await now.commands.run('cat file')).stdout).toBe('two\n');
    expect([now.name, (await now.spec()).labels]).toEqual([undefined, { of: 'first' }]);
    await using before = await worker.fork({}, { checkpoint: id, wait: 'ready' });
    expect((await before.commands.run('cat file')).stdout).toBe('one\n');
    await using other = await client.workers.create({ ...CAT, from_checkpoint: id }, { wait: 'ready' });
    expect((await other.commands.run('cat file')).stdout).toBe('one\n');
    expect((await client.checkpoints.get(id)).spec.name).toBe('first');
    await client.checkpoints.delete(id);
    await expect(client.checkpoints.get(id)).rejects.toMatchObject({ code: 'not_found' });
  });
}
