import type { Redis } from 'ioredis';
import type { PoolSpec } from '../../src/model/pool/pool.ts';
import type { Task } from '../../src/model/task/task.ts';
import type { QueueSettings, TaskQueue } from '../../src/tasks/tasks.ts';

/** How long a pool's settings for tasks are cached. */
const KNOWN_MS = 2000;

type Rules = Pick<PoolSpec, 'tasks'>;

/**
 * The queue for clients of this node: the rules of the pool apply to tasks that are submitted here as to
 * those that are submitted to the manager. QUEUE_SIZE of the node precedes the pool's, and the default of a
 * node that was started manually comes last.
 */
export class NodeQueue implements Pick<TaskQueue, 'submit' | 'get' | 'cancel'> {
  readonly #redis: Redis;
  readonly #key: string;
  readonly #open: (settings: QueueSettings) => TaskQueue;
  readonly #queueSize: number | 'none' | undefined;
  readonly #otherwise: number | undefined;
  readonly #commands: boolean;
  readonly #plain: TaskQueue;
  #known: { until: number; rules: Rules } = { until: 0, rules: {} };

  /** `key` is the key of the pool's record, which does not exist for a pool of manually started nodes. */
  constructor(options: {
    redis: Redis;
    key: string;
    queueSize: number | 'none' | undefined;
    /** Used if neither the node nor its pool has a limit; undefined: no limit. */
    otherwise: number | undefined;
    /** Whether this node runs commands. */
    commands: boolean;
    open: (settings: QueueSettings) => TaskQueue;
  }) {
    this.#redis = options.redis;
    this.#key = options.key;
    this.#open = options.open;
    this.#queueSize = options.queueSize;
    this.#otherwise = options.otherwise;
    this.#commands = options.commands;
    this.#plain = options.open({});
  }

  async submit(task: Task): Promise<Awaited<ReturnType<TaskQueue['submit']>>> {
    const rules = await this.#rules();
    const { rejectCommand, withPoolDefaults } = await import('../../src/tasks/submission.ts');
    if ('command' in task.payload && !this.#commands)
      rejectCommand('this worker', 'commands: true (TASK_COMMANDS=true on a manually started node)');
    const queueSize = this.#queueSize ?? rules.tasks?.queue_size ?? this.#otherwise;
    return this.#open(queueSize === undefined || queueSize === 'none' ? {} : { queueSize }).submit(
      withPoolDefaults(task, rules),
    );
  }

  get(taskId: string): ReturnType<TaskQueue['get']> {
    return this.#plain.get(taskId);
  }

  cancel(taskId: string, reason?: string): ReturnType<TaskQueue['cancel']> {
    return this.#plain.cancel(taskId, reason);
  }

  async #rules(): Promise<Rules> {
    const now = performance.now();
    if (now < this.#known.until) return this.#known.rules;
    // While Redis is away the submission fails with its own error.
    const text = await this.#redis.hget(this.#key, 'spec').catch(() => null);
    const { readRules } = await import('../../src/tasks/submission.ts');
    const rules = readRules(text);
    this.#known = { until: now + KNOWN_MS, rules };
    return rules;
  }
}
