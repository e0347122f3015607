import type { IQueueBackend } from 'bullmq';
import { messageOf } from '../model/fault.ts';
import type { TaskLink } from './connect.ts';
import { type Next, nextOf } from './job.ts';
import type { Place } from './place.ts';

/** One fetch in this many takes the task that has waited longest, whatever its class: no class starves. */
const FAIR_SHARE = 8;
/** A blocked wait for work ends by itself after so long, in seconds, and looks. */
const WAIT_SECONDS = 5;
/** After an error of Redis. */
export const PAUSE_AFTER_TROUBLE_MS = 500;

interface Parts {
  redis: TaskLink;
  backend: IQueueBackend;
  place: Place;
  workerId: string;
  incarnation: number;
  /** Whether another task may be held, those asked for included. */
  wants(): boolean;
  closed(): boolean;
  begin(next: Next, token: string): void;
  /** Something that was asked for has come or not. */
  looked(): void;
  trouble(message: string, fields: Record<string, unknown>): void;
  /** Redis refused a step: what stands in the queue may be the reason. */
  refused(error: unknown): Promise<void>;
}

/** Brings tasks while there is room for them, and waits for them where there are none. */
export class Fetcher {
  readonly #parts: Parts;
  #takes = 0;
  #filling: Promise<void> | undefined;
  /** Requests under way that may bring a task. */
  asked = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Fetches until nothing more is wanted; one at a time, for the queue hands out in order. */
  fill(): void {
    this.#filling ??= this.#fetch().finally(() => {
      this.#filling = undefined;
      this.#parts.looked();
      // What was let go after the last look, and before this one, asked in vain.
      if (this.#parts.wants()) this.fill();
    });
  }

  /** Before each take. It goes ahead on the same connection, so the take that follows sees it. */
  turn(): number {
    const { redis, place } = this.#parts;
    this.#takes += 1;
    if (this.#takes % FAIR_SHARE === 0) redis.taskLongest(place.key('prioritized')).catch(() => {});
    return this.#takes;
  }

  async #fetch(): Promise<void> {
    const { backend, workerId, incarnation, wants, begin, looked, trouble } = this.#parts;
    while (wants()) {
      // Who holds a task stands in its lock, so that the tasks of a dead body can be found; no two takes have the same.
      const token = `${workerId}/${incarnation}/${this.turn()}`;
      let until: number | undefined;
      this.asked += 1;
      try {
        const reply = await backend.moveToActive(token, workerId);
        const next = nextOf(reply);
        if (next) {
          begin(next, token);
          continue;
        }
        until = Number(reply[3] ?? 0);
      } catch (error) {
        trouble('failed to fetch a task', { error: messageOf(error) });
        await this.#parts.refused(error);
      } finally {
        this.asked -= 1;
        looked();
      }
      if (until === undefined) await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_TROUBLE_MS));
      else if (wants()) await this.#wait(until);
    }
  }

  /** Blocks until there may be work. Who wakes and does not want it any more wakes another one. */
  async #wait(delayedUntil: number): Promise<void> {
    const { redis, backend, place, wants, closed, trouble } = this.#parts;
    const seconds = delayedUntil > 0 ? (delayedUntil - Date.now()) / 1000 : WAIT_SECONDS;
    if (seconds <= 0) return;
    try {
      const least = backend.minimumBlockTimeout;
      const woken = await backend.waitForJob(Math.max(least, Math.min(seconds, WAIT_SECONDS)));
      if (woken && !wants() && !closed()) await redis.zadd(place.key('marker'), 0, '0');
    } catch (error) {
      if (closed()) return;
      trouble('failed to wait for tasks', { error: messageOf(error) });
      await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_TROUBLE_MS));
    }
  }
}
