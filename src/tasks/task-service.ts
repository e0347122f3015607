/** Submits and reads tasks for users and programs that don't know the queue: it looks up the pool. */
import { Fault } from '../model/fault.ts';
import type { PoolSpec } from '../model/pool.ts';
import type { TaskAccepted, TaskStatus, TaskView } from '../model/task.ts';
import { isTaskId, readSubmission, rejectMisdirected, withPoolDefaults } from './submission.ts';
import type { Tasks } from './tasks.ts';

/** The pool of nodes and task workers without a configured one. */
export const DEFAULT_POOL = 'default';
/** Maximum number of pools that an error names. */
const NAMED = 10;

export interface TaskServiceOptions {
  tasks: Tasks;
  /** The spec of a pool; `undefined` if it is not declared. */
  getPool: (name: string) => Promise<PoolSpec | undefined>;
  /** Names of the declared pools. */
  poolNames: () => Promise<string[]>;
  /** Pools of nodes that were started manually. */
  nodePools: () => Promise<string[]>;
  /** Whether a running task worker that no pool created takes tasks from the default queue. */
  defaultServed: () => Promise<boolean>;
}

export interface TaskService {
  /**
   * `input` is a submission with an optional `pool`; the default is the only declared pool, or else
   * `default`.
   */
  submit(input: unknown): Promise<TaskAccepted & { pool: string; warning?: string }>;
  /** Throws a Fault `not_found` if the task is unknown. */
  get(taskId: string, pool?: string): Promise<TaskView>;
  cancel(taskId: string, reason?: string, pool?: string): Promise<TaskView>;
  /** The newest tasks of all pools, or of one. */
  list(of: { pool?: string; status?: TaskStatus; limit?: number }): Promise<TaskView[]>;
}

export function createTaskService({
  tasks,
  getPool,
  poolNames,
  nodePools,
  defaultServed,
}: TaskServiceOptions): TaskService {
  const unknown = (id: string) =>
    new Fault('not_found', `There is no task ${id}, or its result has expired.`);

  async function onlyPool(): Promise<string> {
    const names = await poolNames();
    return names.length === 1 && names[0] !== undefined ? names[0] : DEFAULT_POOL;
  }

  /**
   * Rejects a task for a queue that is not declared and that no worker has ever served, because it would wait
   * forever. If a worker has served it, the worker may return, so the response has a warning.
   */
  async function undeclared(pool: string, named: boolean): Promise<string | undefined> {
    const nodes = await nodePools();
    if (nodes.includes(pool) || (pool === DEFAULT_POOL && (await defaultServed()))) return undefined;
    const names = [...new Set([...(await poolNames()), ...nodes])].sort();
    const list = names.length === 0 ? 'there are none' : `there are ${names.slice(0, NAMED).join(', ')}`;
    if ((await tasks.pools()).includes(pool))
      return `No worker serves the pool ${pool}, which is not declared (${list}); the task waits until one does.`;
    if (!named && names.length > 0)
      throw new Fault(
        'not_found',
        `The task names no pool, and no worker serves ${pool}; ${list}. Set pool.`,
      );
    throw new Fault('not_found', `There is no pool ${pool}; ${list}. Declare it with \`wm apply\`.`);
  }

  return {
    async submit(input) {
      const { pool: named, ...rest } = toFieldMap(input);
      if (named !== undefined && typeof named !== 'string')
        throw new Fault('invalid_command', 'The task was refused: pool must be the name of a pool.', {
          issues: [{ path: 'pool', message: 'must be the name of a pool' }],
        });
      const task = readSubmission(rest);
      const pool = named ?? (await onlyPool());
      const spec = await getPool(pool);
      if (spec) rejectMisdirected(task, spec);
      const warning = spec ? undefined : await undeclared(pool, named !== undefined);
      if (!spec && 'command' in task.payload) rejectMisdirected(task, { name: pool });
      const queueSize = spec?.tasks?.queue_size;
      const queue = tasks.queue(pool, queueSize === undefined ? {} : { queueSize });
      const accepted = await queue.submit(spec ? withPoolDefaults(task, spec) : task);
      return { ...accepted, pool, ...(warning !== undefined && { warning }) };
    },
    async get(id, pool) {
      if (!isTaskId(id)) throw unknown(id);
      const task = await (pool === undefined ? tasks.find(id) : tasks.queue(pool).get(id));
      if (!task) throw unknown(id);
      return task;
    },
    async cancel(id, reason, pool) {
      if (!isTaskId(id)) throw unknown(id);
      return pool === undefined ? tasks.cancel(id, reason) : tasks.queue(pool).cancel(id, reason);
    },
    async list({ pool, ...of }) {
      const pools = pool === undefined ? await tasks.pools() : [pool];
      const lists = await Promise.all(pools.map((name) => tasks.queue(name).list(of)));
      const [first = [], ...others] = lists;
      // The tasks of one pool are in the order in which they are taken.
      if (others.length === 0) return first;
      const all = lists.flat().sort((a, b) => b.queued_at.localeCompare(a.queued_at));
      return all.slice(0, of.limit);
    },
  };
}

function toFieldMap(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
    ? (input as Record<string, unknown>)
    : {};
}
