import { checkNumber } from './check-values.ts';
import type { ClientContext } from './client-context.ts';
import { ManagerError, TaskFailed } from './errors.ts';
import { newKey } from './new-key.ts';
import { PagedList } from './paged-list.ts';
import { PendingHandle } from './pending.ts';
import type { ChangeOptions, PageOptions, RequestOptions } from './request-options.ts';
import { sleep, withPatience } from './retry.ts';
import type { TaskFilter, TaskInfo, TaskInput, TaskReceipt } from './types.ts';

/** Interval between reads of a task that is not over; it grows. */
const FIRST_POLL_MS = 25;
const LONGEST_POLL_MS = 1000;

/** A submitted task. */
export class TaskHandle {
  readonly id: string;
  readonly pool: string | undefined;
  /** Why the task may wait long, if the manager reported that. */
  readonly warning: string | undefined;
  readonly #context: ClientContext;

  constructor(
    context: ClientContext,
    { task_id, pool, warning }: Pick<TaskReceipt, 'task_id' | 'warning'> & { pool?: string | undefined },
  ) {
    this.#context = context;
    this.id = task_id;
    this.pool = pool;
    this.warning = warning;
  }

  /** The task's current state. */
  status(options: RequestOptions = {}): Promise<TaskInfo> {
    return this.#context.transport.getTask(this.id, this.pool, options);
  }

  /**
   * Waits for the end of the task and returns what its function returned. Throws `TaskFailed` if it failed or was
   * cancelled, and a `ManagerError` with status 504 after `timeoutSeconds`, which has no limit by default.
   */
  async result<T = unknown>(
    options: { timeoutSeconds?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    const { timeoutSeconds = Number.POSITIVE_INFINITY, signal } = options;
    checkNumber('timeoutSeconds', timeoutSeconds);
    const { policy } = this.#context;
    const deadline = performance.now() + timeoutSeconds * 1000;
    for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 1.5, LONGEST_POLL_MS)) {
      const read = () => this.status({ signal });
      const task = await withPatience(read, { seconds: policy.reconnectSeconds, deadline, signal });
      if (task.status === 'completed') return task.result as T;
      if (task.status === 'failed') throw new TaskFailed(task);
      const left = deadline - performance.now();
      if (left <= 0) {
        const what = `The task ${this.id} is still ${task.status} after ${timeoutSeconds} s.`;
        throw new ManagerError('unavailable', what, { status: 504 });
      }
      await sleep(Math.min(pause, left), signal);
    }
  }

  /** Cancels the task. A running one ends when its function has ended. */
  cancel(options: RequestOptions & { reason?: string | undefined } = {}): Promise<TaskInfo> {
    const { reason, ...request } = options;
    return this.#context.transport.cancelTask(this.id, { pool: this.pool, reason }, request);
  }

  /** Queues the task again if it has failed or was cancelled. */
  retry(options: ChangeOptions = {}): Promise<TaskInfo> {
    return this.#context.transport.retryTask(this.id, this.pool, options);
  }
}

/** A task that is being submitted, and with `await` its handle once the manager has accepted it. */
export class PendingTask extends PendingHandle<TaskHandle> {
  /** See `TaskHandle.result`. */
  async result<T = unknown>(
    options: { timeoutSeconds?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    return (await this.handle).result<T>(options);
  }
}

/** `manager.tasks`: the tasks of the cell's pools. */
export class TaskCollection {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** Submits a task; `await` waits until it is accepted. Without a `task_id` it gets one here, so that a repeated request is the same task. */
  submit(task: TaskInput, options: RequestOptions = {}): PendingTask {
    const submitted = this.#context.transport.submitTask(withId(task), options);
    return new PendingTask(submitted.then((receipt) => new TaskHandle(this.#context, receipt)));
  }

  /** Submits many tasks in few requests. The results are in their order: a handle, or why the task was refused. */
  async submitMany(
    tasks: Iterable<TaskInput>,
    options: RequestOptions = {},
  ): Promise<(TaskHandle | ManagerError)[]> {
    const answers = await this.#context.transport.submitTasks([...tasks].map(withId), options);
    return answers.map((answer) =>
      answer instanceof ManagerError ? answer : new TaskHandle(this.#context, answer),
    );
  }

  /** A task that was submitted before. */
  async get(id: string, options: RequestOptions & { pool?: string | undefined } = {}): Promise<TaskHandle> {
    const { pool, ...request } = options;
    const task = await this.#context.transport.getTask(id, pool, request);
    return new TaskHandle(this.#context, task);
  }

  /** The newest tasks: `for await` yields all, `await` returns the first page. */
  list(query: TaskFilter = {}, options: PageOptions = {}): PagedList<TaskInfo> {
    return new PagedList((cursor = options.cursor) =>
      this.#context.transport.listTasks(query, { ...options, cursor }),
    );
  }
}

const withId = (task: TaskInput): TaskInput & { task_id: string } => ({
  ...task,
  task_id: task.task_id ?? newKey(),
});
