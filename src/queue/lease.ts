/**
 * Who leads: the timing of the leader lease, apart from where it is stored.
 *
 * What must always hold:
 * - The deadline is counted on this process's steady clock from before the call that won or renewed the lease, so
 *   it always ends earlier here than in the store, however late an answer or a timer comes.
 * - Past two thirds of its life no act is begun (`held`), so that an act that takes a while still ends inside it.
 * - Each term that began ends once: by `onLost`, or by `release`.
 * A lease does not fence: what is written carries the epoch, and the store refuses an old one.
 *
 * Must not import the store; see `LeaseStore`.
 */
import type { SetTimer } from './clock.ts';

/** Where the lease stands. Each call may fail or hang: it is asked again, and given up after a third of the life. */
export interface LeaseStore {
  /** Takes the lease if it is free: its epoch, higher than any before. `undefined` if another has it. */
  acquire(owner: string, ttlMs: number): Promise<number | undefined>;
  /** Extends the lease if it is still that of owner and epoch; false where it is not. */
  renew(owner: string, epoch: number, ttlMs: number): Promise<boolean>;
  /** Gives the lease back if it is still that of owner and epoch. */
  release(owner: string, epoch: number): Promise<void>;
}

export interface LeaseOptions {
  store: LeaseStore;
  /** Names this process, unlike any other that ever ran. */
  owner: string;
  /** Life of the lease without a renewal. 10 s: a standby leads 11 s after the leader's end at the latest. */
  ttlMs?: number;
  /** How often a standby asks. */
  pollMs?: number;
  /** `monotonic` in milliseconds; `steadyClock`, or a test's own. */
  clock: { monotonic(): number; setTimer: SetTimer };
  onAcquired: (epoch: number) => void;
  /** Called when the lease was won, before `onAcquired`, and at each renewal: `held` is true until then on `clock`. */
  onExtended?: (epoch: number, heldUntilMs: number) => void;
  /** Called once for each term that ended without `release`; the process stands by again. */
  onLost: (reason: string) => void;
  /** Gets what the store or a callback has thrown. */
  onError?: (thrown: unknown) => void;
}

export interface Lease {
  /** Starts to ask for the lease, at once. */
  start(): void;
  /** Whether an act may begin: this process leads, and the lease is younger than two thirds of its life. */
  held(): boolean;
  /** The epoch of the term under way, even while acts must wait; `undefined` on standby. */
  epoch(): number | undefined;
  /** Ends the term without `onLost`, gives the lease back for an instant hand-over, and asks no more. Never rejects. */
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
    const answer = await attempt('acquire', () => store.acquire(owner, ttlMs), giveBack);
    const epoch = answer?.value;
    if (epoch === undefined) stepIn(pollMs);
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
      // Sooner than usual: what is left of the life is needed for this.
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

  /** A third of the life after the last renewal began, so that a second try still comes before acts must stop. */
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
   * The store's answer; `undefined`, and the error reported, where it fails or takes longer than a third of the
   * life. An answer that comes after that is given to `late`, because the store has acted anyway.
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
        report(new Error(`Leader lease: no response from the store to "${what}" for ${ttlMs / 3000} s.`));
      });
      const answered = (value: T) => (waiting ? end({ value }) : late?.(value));
      const failed = (thrown: unknown) => {
        if (waiting) end(undefined);
        report(thrown);
      };
      (async () => call())().then(answered, failed);
    });
  }

  /** Calls back without letting what it throws into the timing. */
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
      // A reporter that fails must not end the lease, and there is no one left to report to.
    }
  }

  return {
    start() {
      if (started) return;
      started = true;
      underWay = ask();
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
