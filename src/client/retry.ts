/** Repeats what failed for a passing reason. Every operation here has an idempotency key or changes nothing. */
import { ManagerError } from './errors.ts';

/** Delay before the first retry in milliseconds; it doubles, and half of it is random. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 5000;
/** Statuses of a passing failure: no response, too many requests, and a proxy or a manager without its parts. */
const PASSING = new Set([0, 429, 502, 503]);

export interface RetryOptions {
  /** Number of retries after the first attempt. */
  retries: number;
  signal?: AbortSignal | undefined;
}

/** Whether the same request may succeed later. */
export const isPassing = (error: unknown): error is ManagerError =>
  error instanceof ManagerError &&
  PASSING.has(error.status) &&
  (error.code === 'unavailable' || error.code === 'capacity');

export async function withRetries<T>(
  attempt: () => Promise<T>,
  { retries, signal }: RetryOptions,
): Promise<T> {
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failed >= retries || !isPassing(error)) throw error;
      await sleep(retryDelay(failed, error), signal);
    }
  }
}

/**
 * A request of a wait that lasts anyway: it is repeated for as long as a broken stream is opened again, so that a wait
 * survives the restart of a manager.
 */
export async function withPatience<T>(
  attempt: () => Promise<T>,
  {
    seconds,
    deadline,
    signal,
  }: {
    seconds: number;
    /** Of the wait, as of `performance.now()`. */
    deadline: number;
    signal?: AbortSignal | undefined;
  },
): Promise<T> {
  let failingSince: number | undefined;
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      const now = performance.now();
      failingSince ??= now;
      if (!isPassing(error) || now >= Math.min(deadline, failingSince + seconds * 1000)) throw error;
      await sleep(Math.min(retryDelay(failed, error), deadline - now), signal);
    }
  }
}

/** Milliseconds until the next attempt, after `failed` earlier ones; at least what the manager asked for. */
export function retryDelay(failed: number, error: ManagerError): number {
  const longest = Math.min(FIRST_DELAY_MS * 2 ** Math.min(failed, 16), LONGEST_DELAY_MS);
  const delay = longest * (0.5 + Math.random() / 2);
  return Math.max(delay, (error.retryAfterSeconds ?? 0) * 1000);
}

/** Rejects with the signal's reason as soon as it fires. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
