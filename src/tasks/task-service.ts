/** Submits and reads tasks for users and programs that don't know the queue: it looks up the pool. */

import type { PoolSpec } from '../model/pool/pool.ts';
import type { TaskPage, TaskQuery, TaskView } from '../model/task/task.ts';
import { Fault } from '../model/values/fault.ts';
import { type AcceptedTask, type BulkResult, type PreparedTask, submitLines } from './bulk.ts';
import { isTaskId, readSubmission, rejectMisdirected, withPoolDefaults } from './submission.ts';
import type { TaskLine } from './task-lines.ts';
import type { TaskQueue, Tasks } from './tasks.ts';

/** The pool of nodes and task workers without a configured one. */
export const DEFAULT_POOL = 'default';
/** How long a bulk submission uses what it has read of a pool. */
const BULK_POOL_MS = 1000;
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
  submit(input: unknown): Promise<AcceptedTask>;
  /**
   * Submits each line alone, in their order; yields a result for each. `complete` adds to what a line says. A pool is looked up
   * once a second, not once a line.
   */
  submitLines(
    lines: AsyncIterable<TaskLine>,
    complete?: (input: unknown, line: number) => unknown,
  ): AsyncGenerator<BulkResult>;
  /** Throws a Fault `not_found` if the task is unknown. */
  get(taskId: string, pool?: string): Promise<TaskView>;
  cancel(taskId: string, reason?: string, pool?: string): Promise<TaskView>;
  /**
   * Queues a failed or cancelled task again, under the rules of `submit`; see `TaskQueue.retry`. The same `key` again changes
   * nothing.
   */
  retry(taskId: string, options?: { pool?: string | undefined; key?: string | undefined }): Promise<TaskView>;
  /** A page of the tasks of all pools, or of one; see `Tasks.list`. */
  list(query?: TaskQuery): Promise<TaskPage>;
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
    const list =
      names.length === 0 ? 'there are no pools' : `the pools are: ${names.slice(0, NAMED).join(', ')}`;
    if ((await tasks.pools()).includes(pool))
      return `No worker serves the pool ${pool}, which is not declared (${list}); the task waits until one does.`;
    if (!named && names.length > 0)
      throw new Fault(
        'not_found',
        `The task names no pool, and no worker serves ${pool}; ${list}. Set pool.`,
      );
    throw new Fault('not_found', `The pool ${pool} does not exist; ${list}. Declare it with \`wm apply\`.`);
  }

  /** The queue of a pool that takes tasks, with its spec if it is declared; throws a Fault if it takes none. */
  async function openQueue(pool: string, named: boolean): Promise<OpenQueue> {
    const spec = await getPool(pool);
    const warning = spec ? undefined : await undeclared(pool, named);
    const queueSize = spec?.tasks?.queue_size;
    return { pool, spec, warning, queue: tasks.queue(pool, queueSize === undefined ? {} : { queueSize }) };
  }

  /** `open` finds the queue of a pool's name; without a name, that of the only pool or the default one. */
  async function prepare(
    input: unknown,
    open: (named: string | undefined) => Promise<OpenQueue>,
  ): Promise<PreparedTask> {
    const { pool: named, ...rest } = toFieldMap(input);
    if (named !== undefined && typeof named !== 'string')
      throw new Fault('invalid_command', 'The task was refused: pool must be the name of a pool.', {
        issues: [{ path: 'pool', message: 'must be the name of a pool' }],
      });
    const task = readSubmission(rest);
    const { pool, spec, warning, queue } = await open(named);
    if (spec || 'command' in task.payload) rejectMisdirected(task, spec ?? { name: pool });
    return {
      submit: async () => ({
        ...(await queue.submit(spec ? withPoolDefaults(task, spec) : task)),
        pool,
        ...(warning !== undefined && { warning }),
      }),
    };
  }
  const open = async (named: string | undefined) =>
    openQueue(named ?? (await onlyPool()), named !== undefined);

  return {
    submit: async (input) => (await prepare(input, open)).submit(),
    submitLines(lines, complete = (input) => input) {
      const openCached = cacheFor(BULK_POOL_MS, open);
      return submitLines(lines, (input, line) => prepare(complete(input, line), openCached));
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
    async retry(id, { pool: named, key } = {}) {
      if (!isTaskId(id)) throw unknown(id);
      const { queue } = await openQueue(named ?? (await tasks.poolOf(id)), true);
      return queue.retry(id, key);
    },
    list: (query = {}) => tasks.list(query),
  };
}

interface OpenQueue {
  pool: string;
  spec: PoolSpec | undefined;
  /** Why its tasks may wait long. */
  warning: string | undefined;
  queue: TaskQueue;
}

/** Calls `find` again for a key only after that many milliseconds, or if it failed. */
function cacheFor<K, V>(milliseconds: number, find: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const found = new Map<K, { until: number; value: V }>();
  return async (key) => {
    const known = found.get(key);
    if (known && performance.now() < known.until) return known.value;
    const value = await find(key);
    found.set(key, { until: performance.now() + milliseconds, value });
    return value;
  };
}

function toFieldMap(input: unknown): Record<string, unknown> {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
    ? (input as Record<string, unknown>)
    : {};
}
