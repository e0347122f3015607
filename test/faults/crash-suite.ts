/** Kills a real manager process at every step of a create and of a delete, and lets another one continue. */
import { randomUUID } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { openWorld, PATIENCE, type RuntimeUnderTest } from './world.ts';

/** Steps of a create and of a delete; one case dies at one of each. */
const STEPS: [create: string, remove: string][] = [
  ['command:read', 'command:read'],
  ['command:settled', 'command:settled'],
  ['record:before', 'record:before'],
  ['record:after', 'record:after'],
  ['act:create:before', 'act:terminate:before'],
  ['act:create:after', 'act:terminate:after'],
  ['record:after@2', 'record:after@2'],
  ['act:start:before', 'act:remove:before'],
  ['act:start:after', 'act:remove:after'],
  ['record:after@3', 'act:purge:before'],
  ['recovered', 'act:purge:after'],
  ['act:create:after', 'purged'],
];

/** Registers the suite for one runtime; each has a file of its own, so that they run side by side. */
export function crashSuite(name: RuntimeUnderTest): void {
  describe(`a manager of ${name} bodies`, { timeout: 120_000 }, () => {
    test.each(STEPS)('that dies at %s of a create and at %s of a delete', async (atCreate, atDelete) => {
      const world = await openWorld(name);
      const { cell } = world;
      const worker = randomUUID();
      const created = await world.create(worker);

      const first = await world.start(atCreate);
      expect(await first.exited, first.log()).toBe(-1);
      const second = await world.start();
      await world.reach(worker, { status: 'RUNNING', incarnation: 1, restarts: 0 });
      expect(await world.answer(created)).toMatchObject({ success: true, worker_id: worker });
      expect(await world.bodies()).toMatchObject([{ worker_id: worker, incarnation: 1, state: 'running' }]);
      const files = async () => (await world.runtime.listWorkspaces()).map(({ id }) => id);
      expect(await files()).toEqual([worker]);
      await second.stop();
      expect(await world.bodies(), 'a manager that goes leaves its bodies').toHaveLength(1);

      const deleted = await world.push({ command: 'delete', worker_id: worker });
      const third = await world.start(atDelete);
      expect(await third.exited, third.log()).toBe(-1);
      await world.start();
      await vi.waitFor(async () => expect(await cell.store.load(worker)).toBeUndefined(), PATIENCE);
      expect(await world.answer(deleted)).toMatchObject({ success: true });
      expect(await world.bodies()).toEqual([]);
      expect(await cell.store.status(worker)).toMatchObject({
        desired: 'deleted',
        status: { status: 'STOPPED' },
      });
      expect([await cell.store.ids(), await cell.store.index()]).toEqual([[], {}]);
      // Deleted with the record, or by a later sweep.
      await vi.waitFor(async () => expect(await files()).toEqual([]), PATIENCE);
    });

    test.each(['act:kill:before', 'act:kill:after'])(
      'that dies at %s of a body that does not end',
      async (at) => {
        const world = await openWorld(name);
        const worker = randomUUID();
        await world.create(worker, { stop_grace_seconds: 0 });
        const first = await world.start(at);
        await world.reach(worker, { status: 'RUNNING' });
        await world.freeze(worker);
        const stopped = await world.push({ command: 'stop', worker_id: worker });
        expect(await first.exited, first.log()).toBe(-1);
        await world.start();
        await world.reach(worker, { status: 'STOPPED', reason: 'Stopped', phase: 'finished' });
        expect(await world.answer(stopped)).toMatchObject({ success: true });
        // The end of a body is stored before the body is removed.
        await vi.waitFor(async () => expect(await world.bodies()).toEqual([]), PATIENCE);
      },
    );
  });
}
