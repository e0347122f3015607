import type { IQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../model/fault.ts';
import type { TaskLink } from './connect.ts';
import type { ConsumerSettings } from './consumer.ts';
import type { Held } from './held.ts';
import type { Place } from './place.ts';
import { renew } from './renew.ts';
import { toFailure } from './stored.ts';

/** How often ended tasks are forgotten. */
const SWEEP_MS = 60_000;
const SWEEP_MAX = 10_000;

interface Parts {
  redis: TaskLink;
  backend: IQueueBackend;
  place: Place;
  settings: ConsumerSettings & { lockSeconds: number; keepSeconds: number };
  /** By BullMQ's id of the job. */
  held: ReadonlyMap<string, Held>;
  trouble(message: string, fields: Record<string, unknown>): void;
  /** Takes what no script can read out of the queue. */
  mend(force: boolean): Promise<void>;
}

/** What a worker does by the clock: renews its locks, finds what dead workers held, hears of cancelling, forgets. */
export class Keeper {
  readonly #parts: Parts;
  readonly #clocks: NodeJS.Timeout[] = [];
  readonly #underWay = new Set<string>();
  #control: Redis | undefined;
  /** By performance.now(): the last renewal, and from when on a missing lock tells of a dead worker. */
  #renewedAt = performance.now();
  #calmAt = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { redis, backend, place, settings } = this.#parts;
    const { workerId, incarnation, lockSeconds, keepSeconds } = settings;
    const beat = Math.ceil((lockSeconds * 1000) / 3);
    this.#control = redis.duplicate({ lazyConnect: false });
    this.#control.on('error', () => {});
    this.#control.on('message', (_channel, jobId) => void this.#cancel(jobId));
    await this.#control.subscribe(place.control);
    await this.#parts.mend(true);
    // A worker's former bodies are dead when it begins, whatever they held.
    const keys = [place.key('active'), place.key('stalled'), place.key('stalled-check')];
    await redis.taskRelease(...keys, place.base, workerId, incarnation - 1);
    this.#every('renew', beat, async () => {
      await this.#renew();
      // Who was cut off from Redis was not the only one: the others have the time of a lock to renew theirs.
      const now = performance.now();
      if (now - this.#renewedAt > 2 * beat) this.#calmAt = now + this.#lockMs();
      this.#renewedAt = now;
      if (now < this.#calmAt) return;
      await this.#parts.mend(false);
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
    return Math.ceil(this.#parts.settings.lockSeconds * 1000);
  }

  async #renew(): Promise<void> {
    const { redis, place, held, settings } = this.#parts;
    const all = [...held.values()].filter(({ lost }) => !lost);
    const told = await renew(redis, place, settings, this.#lockMs(), all);
    for (const [index, one] of all.entries()) {
      if (told[index] === 'lost') {
        one.lost = true;
        one.attempt?.abort('lost', 'Its lock was lost: another worker may be running it.');
      } else if (told[index] === 'cancelled') {
        await this.#cancel(one.jobId);
      }
    }
  }

  /** A task was asked to end; the reason stands with it. */
  async #cancel(jobId: string): Promise<void> {
    const { redis, place, held, trouble } = this.#parts;
    const one = held.get(jobId);
    if (!one) return;
    try {
      const reason = await redis.hget(place.base + jobId, 'defa');
      if (!reason) return;
      one.job.deferredFailure = reason;
      one.attempt?.abort('cancelled', toFailure(reason).message);
    } catch (error) {
      trouble('failed to cancel a task; retrying', { error: messageOf(error) });
    }
  }

  /** At once and then every `ms`; while one is under way, which Redis's absence may stretch, no second one is begun. */
  #every(name: string, ms: number, act: () => Promise<unknown>): void {
    const once = async () => {
      if (this.#underWay.has(name)) return;
      this.#underWay.add(name);
      try {
        await act();
      } catch (error) {
        this.#parts.trouble('queue maintenance failed; retrying', {
          what: name,
          error: messageOf(error),
        });
      } finally {
        this.#underWay.delete(name);
      }
    };
    void once();
    this.#clocks.push(setInterval(once, ms));
  }
}
