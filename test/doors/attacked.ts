/** A worker and its manager for hostile input, with a manager of another cell beside them. */
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { connect, type ManagerConnection, type WorkerHandle } from '../../src/client/index.ts';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { createFilesApi } from './files-api.ts';

export const LONG = 120_000;
export const SPEC: Parameters<ManagerConnection['workers']['create']>[0] = {
  agent_type: 'CUSTOM',
  command_line: ['sleep', '600'],
  restart_policy: 'always',
};

export interface Attacked {
  manager: Manager;
  worker: WorkerHandle;
  /** Requests for the worker. */
  api: ReturnType<typeof createFilesApi>;
  /** The manager of another cell on the same Redis, and its worker. */
  neighbour: Manager;
  foreign: WorkerHandle;
}

/** Starts both before the tests of the file, and stops them after. */
export function openAttacked(): Attacked {
  const redisUrl = inject('redisUrl');
  const subject = {} as Attacked;
  const create = ({ url, token }: Manager) => connect({ url, token }).workers.create(SPEC, { wait: 'ready' });
  const start = () => startManager({ redisUrl, cell: newCell() });
  beforeAll(async () => {
    [subject.manager, subject.neighbour] = await Promise.all([start(), start()]);
    [subject.worker, subject.foreign] = await Promise.all([
      create(subject.manager),
      create(subject.neighbour),
    ]);
    subject.api = createFilesApi(subject.manager, subject.worker.id);
    await subject.api.put('files/digits', Buffer.from('0123456789'));
  }, LONG);
  afterAll(async () => {
    for (const one of [subject.manager, subject.neighbour]) {
      await one?.stop();
      if (one) await cleanCell({ redisUrl, cell: one.cell, home: one.home });
    }
  });
  return subject;
}

/** The last test of a file. */
export function testUnharmed(subject: Attacked, incarnation = 1): void {
  test('after all of it, the worker and the manager are as before', async () => {
    const { api, worker, manager } = subject;
    expect(await api.run('echo alive')).toMatchObject({ stdout: 'alive\n', exit_code: 0 });
    const { info } = await worker.refresh();
    expect([info.status, info.incarnation]).toEqual(['RUNNING', incarnation]);
    expect((await fetch(`${manager.url}/livez`)).status).toBe(200);
    expect(manager.log()).not.toMatch(/"level":"error"/);
  });
}
