/** The desk of tasks over the records of a cell, as the manager's HTTP and the command line use it. */
import { Fault } from './model/index.ts';
import { keysOf, type Link, PoolStore, readNodes } from './store/index.ts';
import { openDesk, type TaskDesk } from './tasks/desk.ts';
import type { Tasks } from './tasks/index.ts';

export function deskOf({ redis, cell, tasks }: { redis: Link; cell: string; tasks: Tasks }): TaskDesk {
  const pools = new PoolStore(redis, cell);
  const keys = keysOf(cell);
  return openDesk({
    tasks,
    async poolOf(name) {
      const record = await pools.record(name);
      if (record?.desired !== 'deleted') return record?.spec;
      throw new Fault('conflict', `The pool ${name} is being deleted and takes no tasks.`);
    },
    poolNames: () => pools.names(),
    nodePools: async () => (await readNodes(redis, keys, Date.now())).map(({ pool }) => pool),
  });
}
