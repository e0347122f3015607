import type { IQueueBackend } from 'bullmq';
import { errorMessage } from '../../model/values/fault.ts';
import type { TaskLink } from '../connect.ts';
import { type Next, parseNext } from '../job.ts';
import type { QueueKeys } from '../queue-keys.ts';

/** One fetch in this many takes the task that has waited longest, whatever its class: no class starves. */
const FAIR_SHARE = 8;
/** A blocking wait for work ends after this many seconds, and checks. */
const WAIT_SECONDS = 5;
/** After an error of Redis. */
export const PAUSE_AFTER_ERROR_MS = 500;

interface FetcherDeps {
  redis: TaskLink;
  backend: IQueueBackend;
  queueKeys: QueueKeys;
  workerId: string;
  incarnation: number;
  /** Whether another task may be held, including requested ones. */
  wants(): boolean;
  closed(): boolean;
  begin(next: Next, token: string): void;
  /** A request has returned, with or without a task. */
  onPolled(): void;
  onError(message: string, fields: Record<string, unknown>): void;
  /** Redis rejected a step, possibly because of the content of the queue. */
  onRejected(error: unknown): Promise<void>;
}

/** Fetches tasks while there is room for them, and waits for them if there are none. */
export class Fetcher {
  readonly #deps: FetcherDeps;
  #takes = 0;
  #filling: Promise<void> | undefined;
  /** Requests under way that may bring a task. */
  asked = 0;

  constructor(deps: FetcherDeps) {
    this.#deps = deps;
  }

  /** Fetches until no more tasks are wanted; one at a time, because the queue returns them in order. */
  fill(): void {
    this.#filling ??= this.#fetch().finally(() => {
      this.#filling = undefined;
      this.#deps.onPolled();
      // A slot that became free after the last check called `fill` without effect.
      if (this.#deps.wants()) this.fill();
    });
  }

  /** Runs before each fetch, on the same connection, so that the fetch sees its effect. */
  turn(): number {
    const { redis, queueKeys } = this.#deps;
    this.#takes += 1;
    if (this.#takes % FAIR_SHARE === 0) redis.taskLongest(queueKeys.key('prioritized')).catch(() => {});
    return this.#takes;
  }

  async #fetch(): Promise<void> {
    const { backend, workerId, incarnation, wants, begin, onPolled, onError } = this.#deps;
    while (wants()) {
      // A task's lock names its holder, so that the tasks of a dead body can be found; it is unique to each
      // fetch.
      const token = `${workerId}/${incarnation}/${this.turn()}`;
      let until: number | undefined;
      this.asked += 1;
      try {
        const reply = await backend.moveToActive(token, workerId);
        const next = parseNext(reply);
        if (next) {
          begin(next, token);
          continue;
        }
        until = Number(reply[3] ?? 0);
      } catch (error) {
        onError('failed to fetch a task', { error: errorMessage(error) });
        await this.#deps.onRejected(error);
      } finally {
        this.asked -= 1;
        onPolled();
      }
      if (until === undefined) await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
      else if (wants()) await this.#wait(until);
    }
  }

  /**
   * Blocks until there may be work. A worker that wakes up and does not want it any more wakes another one.
   */
  async #wait(delayedUntil: number): Promise<void> {
    const { redis, backend, queueKeys, wants, closed, onError } = this.#deps;
    const seconds = delayedUntil > 0 ? (delayedUntil - Date.now()) / 1000 : WAIT_SECONDS;
    if (seconds <= 0) return;
    try {
      const least = backend.minimumBlockTimeout;
      const woken = await backend.waitForJob(Math.max(least, Math.min(seconds, WAIT_SECONDS)));
      if (woken && !wants() && !closed()) await redis.zadd(queueKeys.key('marker'), 0, '0');
    } catch (error) {
      if (closed()) return;
      onError('failed to wait for tasks', { error: errorMessage(error) });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_ERROR_MS));
    }
  }
}
