/** What a body can do to its folder, in which the manager finds it, and what an earlier version left there. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { BodyConflict } from '../../../src/runtimes/runtime.ts';
import { HostileWorld, PATIENCE } from './hostile-world.ts';
import { processesOf } from './processes.ts';

const world = new HostileWorld();

describe('a body whose folder is', () => {
  const LOSSES = {
    moved: (worker: string) => rename(world.place(worker), `${world.place(worker)}-moved`),
    deleted: (worker: string) => rm(world.place(worker), { recursive: true }),
    emptied: async (worker: string) => {
      for (const name of await readdir(world.place(worker)))
        await rm(world.place(worker, name), { recursive: true });
    },
  };

  test.each(
    Object.keys(LOSSES).flatMap((loss) => [
      [loss, true, 'the manager that knows it'],
      [loss, true, 'another manager'],
      [loss, false, 'another manager'],
    ]) as [keyof typeof LOSSES, boolean, string][],
  )(
    '%s (cgroups: %s) lives for %s, gets no second one, and is ended by a delete',
    async (loss, cgroups, who) => {
      world.runtime = world.makeRuntime(cgroups);
      const { id, worker_id } = await world.run(
        'setsid sh -c "exec sleep 300" & echo >done; mv done ready; exec sleep 300',
      );
      await vi.waitFor(() => stat(world.workspace(id, 'ready')), PATIENCE);
      await world.runtime.list();
      await LOSSES[loss](worker_id);
      const manager = who === 'another manager' ? world.makeRuntime(cgroups) : world.runtime;
      const expected = [{ id, worker_id, state: 'running', incarnation: 1 }];
      expect(await manager.find(worker_id, id)).toMatchObject(expected);
      expect(await manager.list()).toMatchObject(expected);
      await expect(manager.create(world.order(worker_id, 'true'))).rejects.toBeInstanceOf(BodyConflict);
      await manager.remove(id);
      expect(await processesOf(id)).toEqual([]);
      expect(await manager.list()).toEqual([]);
      expect(await manager.find(worker_id, id)).toEqual([]);
      await rm(`${world.place(worker_id)}-moved`, { recursive: true, force: true });
    },
  );
});

test('a body of the previous layout is started, found and removed completely', async () => {
  const { id, worker_id } = await world.runtime.create(world.order(randomUUID(), 'exec sleep 300'));
  const made = JSON.parse(await readFile(world.place(worker_id, 'body.json'), 'utf8'));
  await writeFile(world.place(worker_id, 'body.json'), JSON.stringify({ ...made, layout: undefined }));
  await rm(dirname(world.workspace(id, '')).replace(/\/workspace$/, ''), { recursive: true });
  await mkdir(world.place(worker_id, 'workspace'));
  world.runtime = world.makeRuntime();
  await world.runtime.start(id);
  expect(await world.runtime.list()).toMatchObject([{ id, state: 'running' }]);
  const [first] = await processesOf(id);
  const environ = await readFile(`/proc/${first?.pid}/environ`, 'latin1');
  expect(environ).toContain(`WORKSPACE_PATH=${world.place(worker_id, 'workspace')}\0`);
  await world.runtime.terminate(id);
  await vi.waitFor(
    async () => expect(await world.runtime.list()).toMatchObject([{ exit_code: 143 }]),
    PATIENCE,
  );
  await world.runtime.remove(id);
  expect(existsSync(world.place(worker_id))).toBe(false);
});
