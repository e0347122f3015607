import type { RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { messageOf } from '../model/fault.ts';
import type { TaskLink } from './connect.ts';
import type { ConsumerSettings } from './consumer.ts';
import type { Held } from './held.ts';
import { type Place, poolsKey } from './place.ts';
import { toFailure } from './stored.ts';

/** How often ended tasks are forgotten. */
const SWEEP_MS = 60_000;
const SWEEP_MAX = 10_000;

interface Parts {
  redis: TaskLink;
  backend: RedisQueueBackend;
  place: Place;
  settings: ConsumerSettings & { lockSeconds: number; keepSeconds: number };
  /** By BullMQ's id of the job. */
  held: ReadonlyMap<string, Held>;
  trouble(message: string, fields: Record<string, unknown>): void;
}

/** What a worker does by the clock: renews its locks, finds what dead workers held, hears of cancelling, forgets. */
export class Keeper {
  readonly #parts: Parts;
  readonly #clocks: NodeJS.Timeout[] = [];
  readonly #underWay = new Set<string>();
  #control: Redis | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { redis, backend, place, settings } = this.#parts;
    const { workerId, incarnation, cell, pool, lockSeconds, keepSeconds } = settings;
    const beat = Math.ceil((lockSeconds * 1000) / 3);
    this.#control = redis.duplicate({ lazyConnect: false });
    this.#control.on('error', () => {});
    this.#control.on('message', (_channel, jobId) => void this.#cancel(jobId));
    await this.#control.subscribe(place.control);
    // A worker's former bodies are dead when it begins, whatever they held.
    const keys = [place.key('active'), place.key('stalled'), place.key('stalled-check')];
    await redis.taskRelease(...keys, place.base, workerId, incarnation - 1);
    this.#every('renew', beat, () => this.#renew(poolsKey(cell), pool, Math.ceil(lockSeconds * 1000)));
    this.#every('stalled', beat, () => backend.moveStalledJobsToWait());
    this.#every('sweep', SWEEP_MS, async () => {
      const before = Date.now() - keepSeconds * 1000;
      for (const state of ['completed', 'failed']) await backend.cleanJobsByState(state, before, SWEEP_MAX);
    });
  }

  async stop(): Promise<void> {
    for (const clock of this.#clocks.splice(0)) clearInterval(clock);
    this.#control?.disconnect();
  }

  async #renew(pools: string, pool: string, lockMs: number): Promise<void> {
    const { redis, place, held } = this.#parts;
    const all = [...held.values()];
    const pairs = all.flatMap(({ jobId, token }) => [jobId, token]);
    const told = (await redis.taskRenew(
      place.key('stalled'),
      pools,
      place.base,
      lockMs,
      pool,
      ...pairs,
    )) as number[];
    for (const [index, one] of all.entries()) {
      if (told[index] === 1) {
        one.attempt?.abort('lost', 'Its lock is gone: another worker may run it by now.');
      } else if (told[index] === 2) {
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
      trouble('A task could not be cancelled yet', { error: messageOf(error) });
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
        this.#parts.trouble('The queue could not be kept; trying again', {
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
