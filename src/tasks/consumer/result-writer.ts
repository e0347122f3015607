import type { IQueueBackend, MinimalJob } from 'bullmq';
import type { TaskFailure } from '../../model/task/task-error.ts';
import { TASK_RESULT_LIMIT } from '../../model/task/task-limits.ts';
import { errorMessage } from '../../model/values/fault.ts';
import { isDeeperThan, JSON_DEPTH_LIMIT } from '../../model/values/json-depth.ts';
import type { TaskLink } from '../connect.ts';
import { type Next, parseNext } from '../job.ts';
import { MAX_LOSSES, type QueueKeys } from '../queue-keys.ts';
import { retryBackoffMs } from '../stored-task.ts';
import { type ActiveTask, getAttempt } from './active-task.ts';
import type { AttemptOutcome } from './attempt.ts';

/**
 * The result of an attempt. `fenced`: the task no longer belonged to this worker, and nothing was written.
 */
export type CompletionResult = 'completed' | 'failed' | 'retried' | 'returned' | 'fenced';
/** The result of the write, with the next task if one was requested and available. */
export type Written = [CompletionResult, (Next | undefined)?];

/** BullMQ's codes for a job that is gone, unlocked, not active, or locked by another. */
const NOT_OURS = new Set([-1, -2, -3, -6]);
const UNLOCKED = -2;

/** Stores the results of attempts, each in one step that requires the lock's token. */
export class ResultWriter {
  readonly #backend: IQueueBackend;
  readonly #redis: TaskLink;
  readonly #queueKeys: QueueKeys;
  readonly #retention: { age: number };
  /** Takes an expired lock again if no other attempt has started; returns whether it did. */
  readonly #relock: (activeTask: ActiveTask) => Promise<boolean>;

  constructor(
    backend: IQueueBackend,
    redis: TaskLink,
    queueKeys: QueueKeys,
    keepSeconds: number,
    relock: (activeTask: ActiveTask) => Promise<boolean>,
  ) {
    this.#backend = backend;
    this.#redis = redis;
    this.#queueKeys = queueKeys;
    this.#retention = { age: keepSeconds };
    this.#relock = relock;
  }

  /** With `fetch`, the next task is taken in the same step. Rejects only if Redis fails. */
  async complete(activeTask: ActiveTask, outcome: AttemptOutcome, fetch: boolean): Promise<Written> {
    try {
      return await this.#write(activeTask, outcome, fetch);
    } catch (error) {
      const { code = 0 } = error as { code?: number };
      if (!NOT_OURS.has(code)) throw error;
      const landed = await this.#landed(activeTask);
      if (landed) return [landed];
      if (code === UNLOCKED && (await this.#relock(activeTask)))
        return this.complete(activeTask, outcome, fetch);
      return ['fenced'];
    }
  }

  /**
   * Returns a task that was not started to the queue, without counting a start; it stays the first of its
   * class.
   */
  async requeue(activeTask: ActiveTask): Promise<void> {
    const { jobId, token } = activeTask;
    try {
      await this.#redis.taskUncount(this.#queueKeys.base + jobId, token, getAttempt(activeTask));
      await this.#backend.moveJobFromActiveToWait(jobId, token);
    } catch (error) {
      if (!NOT_OURS.has((error as { code?: number }).code ?? 0)) throw error;
    }
  }

  async #write(activeTask: ActiveTask, outcome: AttemptOutcome, fetch: boolean): Promise<Written> {
    const { jobId, token } = activeTask;
    switch (outcome.kind) {
      case 'lost':
        return ['fenced'];
      case 'ending': {
        if ((activeTask.stored.max_losses ?? MAX_LOSSES) === 0) {
          return this.#fail(activeTask, { type: 'WorkerLost', message: ENDED }, fetch);
        }
        await this.#backend.moveJobFromActiveToWait(jobId, token);
        return ['returned'];
      }
      case 'failed': {
        if (!activeTask.attempt) await this.#uncount(activeTask);
        if (activeTask.unreadable) return this.#quarantine(activeTask, activeTask.unreadable);
        const made = activeTask.job.attemptsMade + 1;
        if (!outcome.retry || made >= activeTask.job.attempts)
          return this.#fail(activeTask, outcome.failure, fetch);
        const fieldsToUpdate = { failedReason: JSON.stringify(outcome.failure) };
        const delay = retryBackoffMs(made, activeTask.stored.backoff);
        if (delay === 0) {
          await this.#backend.retryJob(jobId, false, token, { fieldsToUpdate });
          return ['retried'];
        }
        const reply = await this.#backend.moveToDelayed(jobId, Date.now(), delay, token, {
          fieldsToUpdate,
          fetchNext: fetch,
        });
        return ['retried', parseNext(reply)];
      }
      case 'done': {
        const failure = resultFailure(outcome.value);
        if (failure) return this.#fail(activeTask, failure, fetch);
        const value = outcome.value ?? null;
        const { result } = await this.#backend.moveToCompleted(
          bare(activeTask),
          value,
          this.#retention,
          token,
          fetch,
        );
        return ['completed', parseNext(result)];
      }
    }
  }

  /** Removes the start of a task that fails without being started (lost too often, or cancelled). */
  async #uncount(activeTask: ActiveTask): Promise<void> {
    if (activeTask.uncounted) return;
    const starts = getAttempt(activeTask);
    const done = await this.#redis.taskUncount(
      this.#queueKeys.base + activeTask.jobId,
      activeTask.token,
      starts,
    );
    if (done !== 1) return;
    activeTask.uncounted = true;
    activeTask.job.attemptsStarted = starts - 1;
  }

  /** A retry after a lost reply finds the lock gone and the task already moved. */
  async #quarantine(activeTask: ActiveTask, failure: TaskFailure): Promise<Written> {
    const { key, base } = this.#queueKeys;
    const [job, reason] = [base + activeTask.jobId, JSON.stringify(failure)];
    const done = await this.#redis.taskAside(
      job,
      key('active'),
      key('stalled'),
      key('failed'),
      activeTask.jobId,
      activeTask.token,
      Date.now(),
      reason,
    );
    if (done === 1) return ['failed'];
    return [(await this.#landed(activeTask)) ?? 'fenced'];
  }

  async #fail(activeTask: ActiveTask, failure: TaskFailure, fetch: boolean): Promise<Written> {
    const reason = JSON.stringify(failure);
    const { result } = await this.#backend.moveToFailed(
      bare(activeTask),
      reason,
      this.#retention,
      activeTask.token,
      fetch,
    );
    return ['failed', parseNext(result)];
  }

  /**
   * A retry after a lost reply is rejected; the stored state shows whether the first request was executed.
   */
  async #landed(activeTask: ActiveTask): Promise<CompletionResult | undefined> {
    const key = this.#queueKeys.base + activeTask.jobId;
    const [ended, starts] = await this.#redis.hmget(key, 'finishedOn', 'ats');
    if (!ended || Number(starts) !== getAttempt(activeTask)) return undefined;
    const completed = await this.#redis.zscore(this.#queueKeys.key('completed'), activeTask.jobId);
    return completed ? 'completed' : 'failed';
  }
}

const ENDED = 'Its worker ended before the task did, and max_losses is 0: it is not given to another worker.';

/** Why a result cannot be stored as JSON; undefined if it can. */
function resultFailure(value: unknown): TaskFailure | undefined {
  try {
    const text = JSON.stringify(value ?? null);
    if (text === undefined) throw new Error(`it is a ${typeof value}`);
    if (text.length > 2 * JSON_DEPTH_LIMIT && isDeeperThan(JSON_DEPTH_LIMIT, value)) {
      const message = `The result is nested too deeply: it has more than ${JSON_DEPTH_LIMIT} levels.`;
      return { type: 'NotSerialisable', message };
    }
    if (text.length <= TASK_RESULT_LIMIT) return undefined;
    const mebibytes = (text.length / 1024 ** 2).toFixed(1);
    return {
      type: 'ResultTooLarge',
      message: `The result is ${mebibytes} MiB of JSON; the limit is ${TASK_RESULT_LIMIT / 1024 ** 2} MiB. Write it to a file or a store, and return its name.`,
    };
  } catch (error) {
    return { type: 'NotSerialisable', message: `The result is not JSON: ${errorMessage(error)}` };
  }
}

/** The part of a job that BullMQ reads when the job ends. */
const bare = ({ job, jobId }: ActiveTask) =>
  ({ id: jobId, name: 'task', data: undefined, opts: { attempts: job.attempts } }) as unknown as MinimalJob;
