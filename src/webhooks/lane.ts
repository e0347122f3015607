/**
 * The messages for one URL: in order, a few at a time, and one at a time while the receiver is away, so that a queue for
 * a dead receiver costs one attempt and not thousands.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue, type WorkQueue } from '../queue/work-queue.ts';

/** Messages that are sent to one URL at the same time. */
const AT_ONCE = 4;
/** First and longest wait before another attempt, in milliseconds; doubles with each failure. */
const RETRY_MS = [1000, 900_000] as const;
/** Share of a wait that is random, so that receivers do not get all retries at once. */
const JITTER = 0.2;

/** The wait before the next attempt after this number of failures, in milliseconds. */
export function retryMs(failures: number, random: () => number = Math.random): number {
  const wait = Math.min(RETRY_MS[0] * 2 ** Math.min(failures - 1, 30), RETRY_MS[1]);
  return wait * (1 - JITTER + 2 * JITTER * random());
}

export class Lane {
  /** Number of messages for this URL that are not delivered. */
  size = 0;
  readonly queue: WorkQueue = createWorkQueue({ clock: steadyClock });
  #failures = 0;
  #pausedUntil = 0;
  readonly #probe = pLimit(1);

  /** Delivers until the signal fires. */
  run(deliver: (id: string) => Promise<void>, signal: AbortSignal): Promise<void> {
    return this.queue.run((id) => this.#admit(() => deliver(id), signal), AT_ONCE, signal);
  }

  /** The receiver answered, or it is away for at least `pauseMs`. Returns milliseconds until the next attempt. */
  note(away: boolean, pauseMs: number): number {
    if (!away) {
      this.#failures = 0;
      return 0;
    }
    this.#failures += 1;
    const wait = Math.max(retryMs(this.#failures), pauseMs);
    this.#pausedUntil = performance.now() + wait;
    return wait;
  }

  async #admit(deliver: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#failures === 0) return deliver();
    return this.#probe(async () => {
      const wait = this.#failures > 0 ? this.#pausedUntil - performance.now() : 0;
      if (wait > 0) await delay(wait, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await deliver();
    });
  }
}
