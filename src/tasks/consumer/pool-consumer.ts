/**
 * Takes tasks and completes them: BullMQ's worker loop, for handlers in separate processes.
 *
 * BullMQ's Worker supports no timeout, no cancellation by other processes, no fairness and no return of a
 * task, so the loop is ours; each step in Redis is BullMQ's own. Invariants: no more attempts than slots; the
 * lock of a held task is renewed until the task is completed or lost; a paused worker holds no task that it
 * has not started.
 */
import type { IQueueBackend } from 'bullmq';
import { TASK_KEEP_SECONDS } from '../../model/task/task-limits.ts';
import { errorMessage } from '../../model/values/fault.ts';
import { openBackend } from '../backend.ts';
import { connectWorker, type TaskLink } from '../connect.ts';
import type { Next } from '../job.ts';
import { getQueueKeys, type QueueKeys } from '../queue-keys.ts';
import { type ActiveTask, getTaskId, toActiveTask } from './active-task.ts';
import { ActiveTasks } from './active-tasks.ts';
import type { AttemptOutcome } from './attempt.ts';
import type { ActiveTaskInfo, ConsumerSettings, ConsumerTotals, TaskConsumer } from './consumer.ts';
import { Fetcher, PAUSE_AFTER_ERROR_MS } from './fetcher.ts';
import { LockRenewer } from './lock-renewer.ts';
import { ProgressReporter } from './progress-reporter.ts';
import { renew } from './renew.ts';
import { isReplyError, repairQueue } from './repair-queue.ts';
import { ResultWriter, type Written } from './result-writer.ts';
import { END_GRACE_SECONDS, TaskAdmission } from './task-admission.ts';
import { Totals } from './totals.ts';
import { waitAtMost } from './wait-at-most.ts';

/** How long an ending worker waits for Redis to accept its results; after that, its locks expire. */
const FINAL_WRITE_MS = 5000;
/** A worker that is silent for this long has lost its tasks. */
const LOCK_SECONDS = 15;

class PoolConsumer implements TaskConsumer {
  readonly #settings: ConsumerSettings;
  readonly #queueKeys: QueueKeys;
  readonly #redis: TaskLink;
  readonly #backend: IQueueBackend;
  readonly #resultWriter: ResultWriter;
  readonly #lockRenewer: LockRenewer;
  readonly #progress: ProgressReporter;
  readonly #fetcher: Fetcher;
  readonly #admission: TaskAdmission;
  readonly #active = new ActiveTasks();
  readonly #totals: Totals;
  #state: 'idle' | 'taking' | 'draining' | 'closed' = 'idle';
  #paused = false;
  #idleWaiters: (() => void)[] = [];

  constructor(options: ConsumerSettings) {
    const settings = { lockSeconds: LOCK_SECONDS, keepSeconds: TASK_KEEP_SECONDS, ...options };
    const { redisUrl, cell, pool, workerId, incarnation, lockSeconds, keepSeconds } = settings;
    this.#settings = settings;
    const queueKeys = getQueueKeys(cell, pool);
    this.#queueKeys = queueKeys;
    const redis = connectWorker(redisUrl);
    this.#redis = redis;
    const backend = openBackend(redis, queueKeys, pool, {
      name: workerId,
      lockMs: Math.ceil(lockSeconds * 1000),
      stalledCheckMs: Math.ceil((lockSeconds * 1000) / 3),
    });
    this.#backend = backend;
    const onError = (message: string, fields: Record<string, unknown>) =>
      settings.onError?.(message, { pool, ...fields });
    this.#totals = new Totals(onError);
    for (const from of [redis, backend]) {
      from.on('error', (error: unknown) => onError('Redis connection lost', { error: errorMessage(error) }));
    }
    this.#resultWriter = new ResultWriter(backend, redis, queueKeys, keepSeconds, async (activeTask) => {
      const [told] = await renew(redis, queueKeys, settings, Math.ceil(lockSeconds * 1000), [activeTask]);
      return told !== 'lost';
    });
    this.#progress = new ProgressReporter(redis, queueKeys);
    const keeping = { redis, backend, queueKeys, settings, active: this.#active.byJob, onError };
    this.#lockRenewer = new LockRenewer({ ...keeping, mend: (force) => this.#repair(force) });
    this.#admission = new TaskAdmission({
      settings,
      progress: this.#progress,
      ended: (activeTask, outcome) => void this.#complete(activeTask, outcome),
      freed: () => this.#fetcher.fill(),
      requeue: (activeTask) => void this.#requeue(activeTask),
    });
    this.#fetcher = new Fetcher({
      redis,
      backend,
      queueKeys,
      workerId,
      incarnation,
      onError,
      wants: () => this.#wants(),
      closed: () => this.#state === 'closed',
      begin: (next, token) => this.#begin(next, token),
      onPolled: () => this.#onPolled(),
      onRejected: (error) => this.#onRejected(error),
    });
  }

  async start(): Promise<void> {
    if (this.#state !== 'idle') return;
    this.#state = 'taking';
    await this.#backend.waitUntilReady();
    await this.#lockRenewer.start();
    this.#fetcher.fill();
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
    this.#admission.returnAhead();
  }

  resume(): void {
    this.#paused = false;
    this.#fetcher.fill();
  }

  active(): ActiveTaskInfo[] {
    return this.#active.running();
  }

  totals(): ConsumerTotals {
    return { ...this.#totals.read(), seconds: this.#admission.seconds };
  }

  async drain(): Promise<void> {
    if (this.#state !== 'closed') this.#state = 'draining';
    this.#admission.returnAhead();
    await this.#active.emptied();
    // A request to Redis is not awaited forever, because Redis may be away.
    await waitAtMost(this.#idle(), FINAL_WRITE_MS);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#state = 'draining';
    this.#admission.returnAhead();
    const attempts = this.#active.attempts();
    for (const attempt of attempts) attempt.abort('ending', 'Its worker is shutting down.');
    const { endGraceSeconds = END_GRACE_SECONDS } = this.#settings;
    await waitAtMost(Promise.all(attempts.map(({ settled }) => settled)), endGraceSeconds * 1000);
    await waitAtMost(this.#idle(), FINAL_WRITE_MS);
    this.#state = 'closed';
    await this.#lockRenewer.stop();
    // The wait that ends here may have consumed the marker of a task that another worker should take.
    if (this.#redis.status === 'ready')
      await this.#redis.zadd(this.#queueKeys.key('marker'), 0, '0').catch(() => {});
    await this.#backend.close(true).catch(() => {});
    this.#redis.disconnect();
  }

  #open(): boolean {
    return this.#state === 'taking' && !this.#paused;
  }

  #wants(): boolean {
    return this.#open() && this.#active.inSlots + this.#fetcher.asked < this.#admission.capacity();
  }

  #begin(next: Next, token: string): void {
    const activeTask = toActiveTask(next, token);
    this.#active.add(activeTask);
    if (this.#open()) this.#admission.take(activeTask);
    else void this.#requeue(activeTask);
  }

  async #requeue(activeTask: ActiveTask): Promise<void> {
    await this.#retryUntilDone(activeTask, async () => {
      await this.#resultWriter.requeue(activeTask);
      return undefined;
    });
    this.#release(activeTask);
  }

  async #complete(activeTask: ActiveTask, outcome: AttemptOutcome): Promise<void> {
    await this.#progress.last(activeTask);
    this.#active.settling += 1;
    const fetch = this.#wants();
    if (fetch) {
      this.#fetcher.asked += 1;
      this.#fetcher.turn();
    }
    const written = await this.#retryUntilDone(activeTask, () =>
      this.#resultWriter.complete(activeTask, outcome, fetch),
    );
    const [settled, next]: Written = written ?? ['fenced'];
    this.#active.settling -= 1;
    if (fetch) this.#fetcher.asked -= 1;
    this.#totals.count(activeTask, settled, outcome);
    this.#active.forget(activeTask);
    if (next) this.#begin(next, activeTask.token);
    this.#release(activeTask);
  }

  /** Retries until Redis accepts the step; a closed worker lets the lock expire. */
  async #retryUntilDone<T>(activeTask: ActiveTask, act: () => Promise<T>): Promise<T | undefined> {
    for (;;) {
      try {
        return await act();
      } catch (error) {
        if (this.#state === 'closed') return undefined;
        const fields = {
          pool: this.#settings.pool,
          task_id: getTaskId(activeTask),
          error: errorMessage(error),
        };
        this.#settings.onError?.('failed to save task result; retrying', fields);
        await this.#onRejected(error);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      }
    }
  }

  async #onRejected(error: unknown): Promise<void> {
    // If Redis is away or full, the repair fails as well; the next attempt fails and logs that.
    if (isReplyError(error)) await this.#repair(true).catch(() => {});
  }

  async #repair(force: boolean): Promise<void> {
    this.#totals.quarantined(await repairQueue(this.#redis, this.#queueKeys, force));
  }

  /** This worker no longer holds a task. */
  #release(activeTask: ActiveTask): void {
    this.#active.forget(activeTask);
    this.#onPolled();
    this.#fetcher.fill();
  }

  #onPolled(): void {
    this.#active.resolveIfEmpty();
    if (this.#active.size + this.#fetcher.asked > 0) return;
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  #idle(): Promise<void> {
    if (this.#active.size + this.#fetcher.asked === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleWaiters.push(resolve));
  }
}

/** Creates a consumer of a pool's queue; it takes no task before `start`. */
export function openConsumer(settings: ConsumerSettings): TaskConsumer {
  return new PoolConsumer(settings);
}
