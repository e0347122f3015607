import { randomUUID } from 'node:crypto';
import type { IQueueBackend } from 'bullmq';
import type { Task, TaskAccepted, TaskCounts, TaskStatus, TaskView } from '../model/task/task.ts';
import { Fault } from '../model/values/fault.ts';
import type { TaskLink } from './connect.ts';
import { readCounts } from './counts.ts';
import { addDurations, type DurationTotals, type Measured, readDurations } from './durations.ts';
import { type EndedTask, readEndedTasks } from './list/ended-tasks.ts';
import { listTasks } from './list/list-tasks.ts';
import { readTask } from './list/read-task.ts';
import { QueueFull, withQueueErrors } from './queue-errors.ts';
import {
  getQueueKeys,
  LOSS_LIMIT,
  MAX_LOSSES,
  poolsKey,
  type QueueKeys,
  RANK,
  toJobId,
} from './queue-keys.ts';
import { addResults, type ResultTotals, readResults } from './results.ts';
import { rejectOtherPayload } from './same-task.ts';
import { toStored } from './stored-task.ts';
import type { QueueSettings, TaskQueue } from './tasks.ts';

/** Maximum of ended tasks that one cleanup deletes of each kind. */
const SWEEP = 10_000;

/** The queue of one pool, over a shared connection. */
export class PoolQueue implements TaskQueue {
  readonly pool: string;
  readonly #redis: TaskLink;
  readonly #cell: string;
  readonly #queueKeys: QueueKeys;
  readonly #settings: QueueSettings;
  /** BullMQ's own commands, used if they need no change. */
  readonly #bull: () => Promise<IQueueBackend>;

  constructor(
    redis: TaskLink,
    { cell, pool, bull }: { cell: string; pool: string; bull: () => Promise<IQueueBackend> },
    settings: QueueSettings,
  ) {
    this.#redis = redis;
    this.#cell = cell;
    this.pool = pool;
    this.#queueKeys = getQueueKeys(cell, pool);
    this.#settings = settings;
    this.#bull = bull;
  }

  async submit(task: Task): Promise<TaskAccepted> {
    const task_id = task.task_id ?? randomUUID();
    const { key, job } = this.#queueKeys;
    const size = this.#settings.queueSize ?? -1;
    const attempts = (task.max_retries ?? 0) + 1;
    const reply = await withQueueErrors('take a task', this.pool, () =>
      this.#redis.taskSubmit(
        job(task_id),
        key('prioritized'),
        key('wait'),
        key('delayed'),
        key('marker'),
        key('pc'),
        key('meta'),
        poolsKey(this.#cell),
        key('completed'),
        key('failed'),
        toJobId(task_id),
        toStored(task),
        JSON.stringify({ attempts }),
        Date.now(),
        RANK[task.priority],
        LOSS_LIMIT - (task.max_losses ?? MAX_LOSSES),
        size,
        this.pool,
        task.traceparent ?? '',
      ),
    );
    const [what, number, ended] = reply as [string, number, number];
    if (what === 'full') throw new QueueFull(this.pool, number, ended / 10);
    if (what === 'queued') return { task_id, status: 'queued', position: number };
    await rejectOtherPayload(this.#redis, {
      pool: this.pool,
      key: job(task_id),
      task_id,
      payload: task.payload,
    });
    const stored = await this.#read(task_id);
    const status = stored?.view.status ?? 'queued';
    return { task_id, status, position: status === 'queued' ? (stored?.position ?? 0) : 0 };
  }

  async get(taskId: string): Promise<TaskView | undefined> {
    return (await this.#read(taskId))?.view;
  }

  async cancel(taskId: string, reason = 'It was cancelled.'): Promise<TaskView> {
    const { key, job, control } = this.#queueKeys;
    const failure = JSON.stringify({ type: 'Cancelled', message: reason });
    await withQueueErrors('cancel a task', this.pool, () =>
      this.#redis.taskCancel(
        job(taskId),
        key('prioritized'),
        key('wait'),
        key('delayed'),
        key('failed'),
        key('results'),
        toJobId(taskId),
        Date.now(),
        failure,
        control,
      ),
    );
    const view = await this.get(taskId);
    if (!view) throw unknownTask(taskId, this.pool);
    return view;
  }

  async retry(taskId: string, key = ''): Promise<TaskView> {
    const { key: toKey, job } = this.#queueKeys;
    const keys = ['failed', 'prioritized', 'wait', 'delayed', 'marker', 'pc'].map(toKey);
    const size = this.#settings.queueSize ?? -1;
    const [what, waiting] = (await withQueueErrors('retry a task', this.pool, () =>
      this.#redis.taskRetry(job(taskId), ...keys, toJobId(taskId), key, size, LOSS_LIMIT, MAX_LOSSES),
    )) as [string, number];
    if (what === 'full') throw new QueueFull(this.pool, waiting, 0);
    const view = await this.get(taskId);
    if (!view) throw unknownTask(taskId, this.pool);
    if (what !== 'not failed') return view;
    throw new Fault(
      'conflict',
      `The task ${taskId} is ${view.status}: only a failed or cancelled task can be retried.`,
    );
  }

  counts(): Promise<TaskCounts> {
    return withQueueErrors('count tasks', this.pool, () => readCounts(this.#redis, this.#queueKeys));
  }

  async oldestSeconds(): Promise<number> {
    const { key, base } = this.#queueKeys;
    const since = await withQueueErrors('read the oldest task', this.pool, () =>
      this.#redis.taskOldest(key('prioritized'), key('wait'), base),
    );
    return since === null ? 0 : Math.max(0, Date.now() - Number(since)) / 1000;
  }

  durations(of: Measured): Promise<DurationTotals> {
    return withQueueErrors('read the durations of tasks', this.pool, () =>
      readDurations(this.#redis, this.#queueKeys, of),
    );
  }

  addDurations(of: Measured, totals: DurationTotals): Promise<void> {
    const add = () => addDurations(this.#redis, this.#queueKeys, of, totals);
    return withQueueErrors('add durations of tasks', this.pool, add);
  }

  results(): Promise<ResultTotals> {
    return withQueueErrors('read the results of tasks', this.pool, () =>
      readResults(this.#redis, this.#queueKeys),
    );
  }

  addResults(more: ResultTotals): Promise<void> {
    return withQueueErrors('add results of tasks', this.pool, () =>
      addResults(this.#redis, this.#queueKeys, more),
    );
  }

  ended(since: number, most: number): Promise<EndedTask[]> {
    return withQueueErrors('read ended tasks', this.pool, () =>
      readEndedTasks(this.#redis, this.#queueKeys, since, most),
    );
  }

  async list(of: { status?: TaskStatus; limit?: number } = {}): Promise<TaskView[]> {
    return (await listTasks(this.#redis, this.#cell, [this.pool], of)).items;
  }

  async release(workerId: string, incarnation = -1): Promise<number> {
    const { key, base } = this.#queueKeys;
    const released = await withQueueErrors('release the tasks of a worker', this.pool, async () => {
      const keys = [key('active'), key('stalled'), key('stalled-check')];
      const count = (await this.#redis.taskRelease(...keys, base, workerId, incarnation)) as number;
      if (count > 0) await (await this.#bull()).moveStalledJobsToWait();
      return count;
    });
    return released;
  }

  async sweep(): Promise<void> {
    const { keepSeconds } = this.#settings;
    if (keepSeconds === undefined) return;
    await withQueueErrors('delete ended tasks', this.pool, async () => {
      const bull = await this.#bull();
      for (const state of ['completed', 'failed']) {
        await bull.cleanJobsByState(state, Date.now() - keepSeconds * 1000, SWEEP);
      }
    });
  }

  async remove(): Promise<void> {
    await withQueueErrors('remove a queue', this.pool, async () => {
      await this.#redis.srem(poolsKey(this.#cell), this.pool);
      const bull = await this.#bull();
      // Bounded by the number of tasks; each round removes a thousand.
      let rest = 1;
      while (rest > 0) {
        await bull.pause(true);
        rest = await bull.obliterate({ force: true, count: 1000 });
      }
    });
  }

  #read(taskId: string): Promise<{ view: TaskView; position: number } | undefined> {
    return readTask(this.#redis, { pool: this.pool, queueKeys: this.#queueKeys, jobId: toJobId(taskId) });
  }
}

export const unknownTask = (taskId: string, pool?: string): Fault =>
  new Fault(
    'not_found',
    `There is no task ${taskId}${pool === undefined ? '' : ` in the pool ${pool}`}: it never existed, or its result has expired.`,
  );
