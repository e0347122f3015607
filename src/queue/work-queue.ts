/**
 * The queue of workers to reconcile, with the semantics of client-go's workqueue
 * (k8s.io/client-go/util/workqueue).
 *
 * Owns the order and the timing of reconciles, and knows nothing about what a reconcile does. Invariants:
 * - A key waits at most once, however often it is added.
 * - One reconcile per key at a time; a key added during its reconcile is reconciled again afterwards, so no
 *   event is lost.
 * - A delayed key is not reconciled before its time, and a later delay never postpones an earlier one.
 * - An error of one reconcile never stops the others.
 *
 * It holds only keys and loses them when the manager ends; the next manager resyncs.
 *
 * Must not import the store, the runtimes or the loop.
 */
import type { SetTimer } from './clock.ts';
import { DelayedKeys } from './delayed-keys.ts';

export interface WorkQueueOptions {
  /** `now` in milliseconds from any origin, never going back: `steadyClock`, or a test's own. */
  clock: { now(): number; setTimer: SetTimer };
  /**
   * First wait of `addRateLimited`; doubled each time. client-go's 5 ms would call a dead engine 10 times a
   * second.
   */
  backoffBaseMs?: number;
  /** Longest wait of `addRateLimited`, so also the longest time until a recovered dependency is noticed. */
  backoffMaxMs?: number;
  /** Gets the error of a reconcile. The key is not added again automatically. */
  onError?: (key: string, thrown: unknown) => void;
}

export interface WorkQueue {
  /** Enqueues a key, to be reconciled as soon as there is room. */
  add(key: string): void;
  /** Enqueues a key after `ms` milliseconds; immediately if that is not above 0. */
  addAfter(key: string, ms: number): void;
  /** Enqueues a key after its own backoff, which doubles until `forget`. */
  addRateLimited(key: string): void;
  /** Ends the key's backoff; it stays in the queue. */
  forget(key: string): void;
  /** How often the key was added with backoff since `forget`. */
  retries(key: string): number;
  /** Number of keys that are ready and wait for room, without delayed and running ones. */
  readonly length: number;
  /**
   * Seconds that the longest waiting key has waited, even while it waits for its own reconcile to end; 0 if
   * none waits.
   */
  oldestSeconds(): number;
  /**
   * Reconciles keys until the signal aborts or the queue is shut down, and resolves when the last running
   * reconcile has ended. Never rejects. One runner at a time.
   */
  run(handler: (key: string) => Promise<void>, concurrency: number, signal: AbortSignal): Promise<void>;
  /** Resolves when the reconciles that run now have ended; later ones are not waited for. */
  settled(): Promise<void>;
  /** Accepts no more keys and drops waiting ones; running reconciles finish. */
  shutDown(): void;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { clock, backoffBaseMs = 200, backoffMaxMs = 30_000, onError } = options;
  /** Key -> since when. Ready keys, in the order in which they are reconciled. */
  const ready = new Map<string, number>();
  /**
   * The keys of `ready` in order, from `head`, because taking the first of a large Map steps over all deleted
   * ones.
   */
  let order: string[] = [];
  let head = 0;
  /** Key -> since when. Keys added during their own reconcile. */
  const again = new Map<string, number>();
  const processing = new Set<string>();
  const running = new Set<Promise<void>>();
  const failures = new Map<string, number>();
  const delayed = new DelayedKeys();
  let armed: { due: number; cancel: () => void } | undefined;
  let down = false;
  /** Starts reconciles while there is room, in a later microtask; set by `run`. */
  let wake = () => {};

  function makeReady(key: string, since: number): void {
    ready.set(key, since);
    order.push(key);
    wake();
  }

  function take(): string | undefined {
    const key = order[head];
    if (key === undefined) return undefined;
    head += 1;
    if (head === order.length) {
      order = [];
      head = 0;
    } else if (head > 1024 && head * 2 > order.length) {
      order = order.slice(head);
      head = 0;
    }
    ready.delete(key);
    processing.add(key);
    return key;
  }

  function done(key: string): void {
    processing.delete(key);
    const since = again.get(key);
    again.delete(key);
    if (since !== undefined && !down) makeReady(key, since);
  }

  /** One timer for all keys, at the earliest time. */
  function arm(): void {
    const due = delayed.earliest;
    if (armed?.due === due) return;
    armed?.cancel();
    armed = undefined;
    if (due === undefined) return;
    const wait = Math.max(due - clock.now(), 0);
    armed = { due, cancel: clock.setTimer(wait, ripen) };
  }

  function ripen(): void {
    armed = undefined;
    const now = clock.now();
    for (let key = delayed.takeDue(now); key !== undefined; key = delayed.takeDue(now)) queue.add(key);
    arm();
  }

  async function pass(key: string, handler: (key: string) => Promise<void>): Promise<void> {
    try {
      await handler(key);
    } catch (thrown) {
      try {
        onError?.(key, thrown);
      } catch {
        // A failing error handler must not stop the loop, and its error cannot be reported anywhere else.
      }
    }
    done(key);
  }

  const queue: WorkQueue = {
    add(key) {
      if (down || ready.has(key)) return;
      if (!processing.has(key)) makeReady(key, clock.now());
      else if (!again.has(key)) again.set(key, clock.now());
    },
    addAfter(key, ms) {
      if (down) return;
      // Written so that NaN counts as due: an extra reconcile is better than a key that is never due.
      if (!(ms > 0)) return queue.add(key);
      delayed.put(key, clock.now() + ms);
      arm();
    },
    addRateLimited(key) {
      if (down) return;
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      queue.addAfter(key, Math.min(backoffBaseMs * 2 ** failed, backoffMaxMs));
    },
    forget: (key) => void failures.delete(key),
    retries: (key) => failures.get(key) ?? 0,
    get length() {
      return ready.size;
    },
    oldestSeconds() {
      let oldest = clock.now();
      const now = oldest;
      for (const waiting of [ready, again]) {
        for (const since of waiting.values()) oldest = Math.min(oldest, since);
      }
      return (now - oldest) / 1000;
    },
    run(handler, concurrency, signal) {
      return new Promise((resolve) => {
        let active = 0;
        let woken = false;
        const turn = () => {
          woken = false;
          while (!down && !signal.aborted && active < concurrency) {
            const key = take();
            if (key === undefined) break;
            active += 1;
            const one = pass(key, handler).then(() => {
              running.delete(one);
              active -= 1;
              wake();
            });
            running.add(one);
          }
          if ((down || signal.aborted) && active === 0) {
            signal.removeEventListener('abort', wake);
            resolve();
          }
        };
        // Later, so that `add` never runs a reconcile inside its caller, and adds of one turn cause one
        // reconcile.
        wake = () => {
          if (!woken) queueMicrotask(turn);
          woken = true;
        };
        signal.addEventListener('abort', wake);
        wake();
      });
    },
    async settled() {
      await Promise.all(running);
    },
    shutDown() {
      down = true;
      armed?.cancel();
      armed = undefined;
      delayed.clear();
      ready.clear();
      again.clear();
      failures.clear();
      order = [];
      head = 0;
      wake();
    },
  };
  return queue;
}
