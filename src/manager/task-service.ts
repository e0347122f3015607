/** The task service on the records of a cell, for the manager's HTTP server and the command line. */
import { Fault, hasEnded } from '../model/index.ts';
import { getKeys, type Link, PoolStore, readNodes, Store } from '../store/index.ts';
import type { Tasks } from '../tasks/index.ts';
import { createTaskService, type TaskService } from '../tasks/task-service.ts';

/** All workers are read for it: not for each task of a burst, and again soon while there is none. */
const SERVED_MS = 2000;
const UNSERVED_MS = 250;

function createDefaultServedCheck(store: Store): () => Promise<boolean> {
  let last: { at: number; served: boolean } | undefined;
  return async () => {
    const at = performance.now();
    if (last && at - last.at < (last.served ? SERVED_MS : UNSERVED_MS)) return last.served;
    const workers = await store.summaries();
    const served = workers.some(
      ({ agent_type, pool, desired, status, external }) =>
        agent_type === 'TASK' && !pool && !external && desired === 'running' && !hasEnded(status),
    );
    last = { at, served };
    return served;
  };
}

export function openTaskService({
  redis,
  cell,
  tasks,
}: {
  redis: Link;
  cell: string;
  tasks: Tasks;
}): TaskService {
  const pools = new PoolStore(redis, cell);
  const keys = getKeys(cell);
  return createTaskService({
    tasks,
    async getPool(name) {
      const record = await pools.record(name);
      if (record?.desired !== 'deleted') return record?.spec;
      throw new Fault('conflict', `The pool ${name} is being deleted and accepts no tasks.`);
    },
    poolNames: () => pools.names(),
    defaultServed: createDefaultServedCheck(new Store(redis, cell)),
    nodePools: async () => (await readNodes(redis, keys, Date.now())).map(({ pool }) => pool),
  });
}
