/**
 * The timing of the leader lease, independent of its store.
 *
 * Invariants:
 * - The deadline is measured by this process's steady clock from before the call that won or renewed the
 *   lease, so the lease always ends earlier here than in the store, however late a reply or a timer is.
 * - After two thirds of its life no action starts (`held`), so that a slow action still ends within the
 *   lease.
 * - Each term that began ends once: by `onLost`, or by `release`.
 *
 * A lease does not fence: every write carries the epoch, and the store rejects an old one.
 *
 * Must not import the store; see `LeaseStore`.
 */
import type { SetTimer } from './clock.ts';

/**
 * Stores the lease. A call may fail or hang: it is retried, and abandoned after a third of the lease's life.
 */
export interface LeaseStore {
  /**
   * Takes the lease if it is free and returns its epoch, higher than any before; `undefined` if another holds
   * it.
   */
  acquire(owner: string, ttlMs: number): Promise<number | undefined>;
  /** Extends the lease if owner and epoch still match; false if they do not. */
  renew(owner: string, epoch: number, ttlMs: number): Promise<boolean>;
  /** Releases the lease if owner and epoch still match. */
  release(owner: string, epoch: number): Promise<void>;
}

export interface LeaseOptions {
  store: LeaseStore;
  /** Identifies this process uniquely, now and in the past. */
  owner: string;
  /** Life of the lease without a renewal. With 10 s, a standby leads at most 11 s after the leader's end. */
  ttlMs?: number;
  /** How often a standby tries to take the lease. */
  pollMs?: number;
  /** `monotonic` in milliseconds; `steadyClock`, or a test's own. */
  clock: { monotonic(): number; setTimer: SetTimer };
  onAcquired: (epoch: number) => void;
  /** Called when the lease was won, before `onAcquired`, and at each renewal: `held` is true until then on `clock`. */
  onExtended?: (epoch: number, heldUntilMs: number) => void;
  /** Called once for each term that ended without `release`; the process stands by again. */
  onLost: (reason: string) => void;
  /** Receives errors that the store or a callback throws. */
  onError?: (thrown: unknown) => void;
}

export interface Lease {
  /** Starts to try for the lease, immediately. */
  start(): void;
  /** Tries for the lease now rather than at the next poll, because another manager has released it. */
  tryNow(): void;
  /**
   * Whether an action may start: this process leads, and less than two thirds of the lease's life have
   * passed.
   */
  held(): boolean;
  /** The epoch of the current term, even while actions must wait; `undefined` on standby. */
  epoch(): number | undefined;
  /**
   * Ends the term without `onLost`, releases the lease so that another can lead immediately, and stops. Never
   * rejects.
   */
  release(): Promise<void>;
}

interface Term {
  epoch: number;
  /** Just before the call that won or last renewed it. */
  since: number;
}

export function createLease(options: LeaseOptions): Lease {
  const { store, owner, ttlMs = 10_000, pollMs = 1000, clock } = options;
  const expired = `the leader lease was not renewed for ${ttlMs / 1000} s`;
  let term: Term | undefined;
  let started = false;
  let released = false;
  let asking = false;
  let again = false;
  let underWay: Promise<void> = Promise.resolve();
  let cancelStep = () => {};
  let cancelDeadline = () => {};

  function stepIn(ms: number): void {
    cancelStep();
    if (released) return;
    cancelStep = clock.setTimer(ms, () => {
      underWay = term === undefined ? ask() : renew(term);
    });
  }

  async function ask(): Promise<void> {
    const since = clock.monotonic();
    asking = true;
    const answer = await attempt('acquire', () => store.acquire(owner, ttlMs), giveBack);
    asking = false;
    const epoch = answer?.value;
    const soon = again;
    again = false;
    if (epoch === undefined) stepIn(soon ? 0 : pollMs);
    else if (released) await giveBack(epoch);
    else begin({ epoch, since });
  }

  function begin(won: Term): void {
    term = won;
    watchDeadline(won);
    stepIn(nextRenewal(won));
    tell(() => options.onExtended?.(won.epoch, actsUntil(won)));
    tell(() => options.onAcquired(won.epoch));
  }

  async function renew(mine: Term): Promise<void> {
    const before = clock.monotonic();
    if (before >= mine.since + ttlMs) return lose(mine, expired);
    const answer = await attempt('renew', () => store.renew(owner, mine.epoch, ttlMs));
    if (term !== mine) return;
    if (answer === undefined) {
      // Earlier than usual, because the rest of the lease's life is needed for retries.
      stepIn(Math.min(pollMs, ttlMs / 10));
    } else if (answer.value) {
      mine.since = before;
      watchDeadline(mine);
      stepIn(nextRenewal(mine));
      tell(() => options.onExtended?.(mine.epoch, actsUntil(mine)));
    } else {
      lose(mine, 'another manager has the leader lease, or the store has lost it');
    }
  }

  /**
   * A third of the life after the last renewal began, so that a retry still fits before actions must stop.
   */
  const nextRenewal = ({ since }: Term) => Math.max(0, since + ttlMs / 3 - clock.monotonic());

  const actsUntil = ({ since }: Term) => since + (ttlMs * 2) / 3;

  function watchDeadline(mine: Term): void {
    cancelDeadline();
    const left = mine.since + ttlMs - clock.monotonic();
    cancelDeadline = clock.setTimer(Math.max(0, left), () => {
      if (term !== mine) return;
      if (clock.monotonic() >= mine.since + ttlMs) lose(mine, expired);
      else watchDeadline(mine);
    });
  }

  function lose(mine: Term, reason: string): void {
    if (term !== mine) return;
    term = undefined;
    cancelDeadline();
    stepIn(pollMs);
    tell(() => options.onLost(reason));
  }

  async function giveBack(epoch: number | undefined): Promise<void> {
    if (epoch !== undefined) await attempt('release', () => store.release(owner, epoch));
  }

  /**
   * The store's reply; `undefined`, with the error reported, if the call fails or takes longer than a third
   * of the lease's life. A later reply is passed to `late`, because the store has executed the call anyway.
   */
  function attempt<T>(
    what: keyof LeaseStore,
    call: () => Promise<T>,
    late?: (value: T) => unknown,
  ): Promise<{ value: T } | undefined> {
    return new Promise((resolve) => {
      let waiting = true;
      const end = (answer: { value: T } | undefined) => {
        waiting = false;
        cancel();
        resolve(answer);
      };
      const cancel = clock.setTimer(ttlMs / 3, () => {
        end(undefined);
        const seconds = Math.round(ttlMs / 300) / 10;
        report(new Error(`Leader lease: no response from the store to "${what}" for ${seconds} s.`));
      });
      const answered = (value: T) => (waiting ? end({ value }) : late?.(value));
      const failed = (thrown: unknown) => {
        if (waiting) end(undefined);
        report(thrown);
      };
      (async () => call())().then(answered, failed);
    });
  }

  /** Calls a callback, and keeps its errors away from the timing. */
  function tell(call: () => void): void {
    try {
      call();
    } catch (thrown) {
      report(thrown);
    }
  }

  function report(thrown: unknown): void {
    try {
      options.onError?.(thrown);
    } catch {
      // A failing error handler must not end the lease, and its error cannot be reported anywhere else.
    }
  }

  return {
    start() {
      if (started) return;
      started = true;
      underWay = ask();
    },
    tryNow() {
      if (!started || released || term !== undefined) return;
      // The answer that is on its way may be older than the release.
      if (asking) again = true;
      else stepIn(0);
    },
    held: () => term !== undefined && clock.monotonic() < actsUntil(term),
    epoch: () => term?.epoch,
    async release() {
      if (released) return;
      released = true;
      cancelStep();
      cancelDeadline();
      const mine = term;
      term = undefined;
      if (mine !== undefined) return giveBack(mine.epoch);
      await underWay;
    },
  };
}
