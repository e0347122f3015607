import type { IQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { errorMessage } from '../../model/values/fault.ts';
import type { TaskLink } from '../connect.ts';
import type { QueueKeys } from '../queue-keys.ts';
import { toFailure } from '../stored-task.ts';
import type { ActiveTask } from './active-task.ts';
import type { ConsumerSettings } from './consumer.ts';
import { renew } from './renew.ts';

/** How often ended tasks are deleted. */
const SWEEP_MS = 60_000;
const SWEEP_MAX = 10_000;

interface LockRenewerDeps {
  redis: TaskLink;
  backend: IQueueBackend;
  queueKeys: QueueKeys;
  settings: ConsumerSettings & { lockSeconds: number; keepSeconds: number };
  /** By BullMQ's id of the job. */
  active: ReadonlyMap<string, ActiveTask>;
  onError(message: string, fields: Record<string, unknown>): void;
  /** Removes jobs from the queue that no script can read. */
  mend(force: boolean): Promise<void>;
}

/**
 * A worker's periodic work: renew locks, find tasks of dead workers, receive cancellations, delete old tasks.
 */
export class LockRenewer {
  readonly #deps: LockRenewerDeps;
  readonly #clocks: NodeJS.Timeout[] = [];
  readonly #underWay = new Set<string>();
  #control: Redis | undefined;
  /** By performance.now(): the last renewal, and the time from which a missing lock means a dead worker. */
  #renewedAt = performance.now();
  #calmAt = 0;

  constructor(deps: LockRenewerDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    const { redis, backend, queueKeys, settings } = this.#deps;
    const { workerId, incarnation, lockSeconds, keepSeconds } = settings;
    const beat = Math.ceil((lockSeconds * 1000) / 3);
    this.#control = redis.duplicate({ lazyConnect: false });
    this.#control.on('error', () => {});
    this.#control.on('message', (_channel, jobId) => void this.#cancel(jobId));
    await this.#control.subscribe(queueKeys.control);
    await this.#deps.mend(true);
    // A worker's earlier bodies are dead when it starts, so their tasks are released.
    const keys = [queueKeys.key('active'), queueKeys.key('stalled'), queueKeys.key('stalled-check')];
    await redis.taskRelease(...keys, queueKeys.base, workerId, incarnation - 1);
    this.#every('renew', beat, async () => {
      await this.#renew();
      // Other workers may have lost Redis as well: they have the duration of a lock to renew theirs.
      const now = performance.now();
      if (now - this.#renewedAt > 2 * beat) this.#calmAt = now + this.#lockMs();
      this.#renewedAt = now;
      if (now < this.#calmAt) return;
      await this.#deps.mend(false);
      await backend.moveStalledJobsToWait();
    });
    this.#every('sweep', SWEEP_MS, async () => {
      const before = Date.now() - keepSeconds * 1000;
      for (const state of ['completed', 'failed']) await backend.cleanJobsByState(state, before, SWEEP_MAX);
    });
  }

  async stop(): Promise<void> {
    for (const clock of this.#clocks.splice(0)) clearInterval(clock);
    this.#control?.disconnect();
  }

  #lockMs(): number {
    return Math.ceil(this.#deps.settings.lockSeconds * 1000);
  }

  async #renew(): Promise<void> {
    const { redis, queueKeys, active, settings } = this.#deps;
    const all = [...active.values()].filter(({ lost }) => !lost);
    const results = await renew(redis, queueKeys, settings, this.#lockMs(), all);
    for (const [index, one] of all.entries()) {
      if (results[index] === 'lost') {
        one.lost = true;
        one.attempt?.abort('lost', 'Its lock was lost: another worker may be running it.');
      } else if (results[index] === 'cancelled') {
        await this.#cancel(one.jobId);
      }
    }
  }

  /** A task was cancelled; the reason is stored with it. */
  async #cancel(jobId: string): Promise<void> {
    const { redis, queueKeys, active, onError } = this.#deps;
    const activeTask = active.get(jobId);
    if (!activeTask) return;
    try {
      const reason = await redis.hget(queueKeys.base + jobId, 'defa');
      if (!reason) return;
      activeTask.job.deferredFailure = reason;
      activeTask.attempt?.abort('cancelled', toFailure(reason).message);
    } catch (error) {
      onError('failed to cancel a task; retrying', { error: errorMessage(error) });
    }
  }

  /** Runs immediately and then every `ms`, one run at a time; a run may take long if Redis is away. */
  #every(name: string, ms: number, act: () => Promise<unknown>): void {
    const once = async () => {
      if (this.#underWay.has(name)) return;
      this.#underWay.add(name);
      try {
        await act();
      } catch (error) {
        this.#deps.onError('queue maintenance failed; retrying', {
          what: name,
          error: errorMessage(error),
        });
      } finally {
        this.#underWay.delete(name);
      }
    };
    void once();
    this.#clocks.push(setInterval(once, ms));
  }
}
