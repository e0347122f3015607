/** Memory that the main thread and the watchdog share, so that neither needs the other's loop to run. */

/** Slots of the memory; each is read and written atomically. */
const BEATS = 0;
const EPOCH = 1;
const ACTS_UNTIL_NS = 2;
const SLOTS = 3;

/** Nanoseconds of the process's monotonic clock. Unlike `performance.now()`, it is the same in all threads. */
const nowNs = () => process.hrtime.bigint();

/** The monotonic clock for the lease in both threads, in milliseconds. */
export const processMs = (): number => Number(nowNs()) / 1e6;

export interface SharedState {
  readonly buffer: SharedArrayBuffer;
  /** The main loop has completed another iteration. */
  beat(): void;
  beats(): bigint;
  /** The term of that epoch may start actions until then, in milliseconds of `processMs`. */
  setTerm(epoch: number, actsUntilMs: number): void;
  clearTerm(): void;
  /** Whether the term of that epoch is still the current one and may start an action now. */
  mayAct(epoch: number): boolean;
}

export function shareState(buffer = new SharedArrayBuffer(SLOTS * 8)): SharedState {
  const slots = new BigInt64Array(buffer);
  return {
    buffer,
    beat: () => void Atomics.add(slots, BEATS, 1n),
    beats: () => Atomics.load(slots, BEATS),
    setTerm(epoch, actsUntilMs) {
      Atomics.store(slots, ACTS_UNTIL_NS, BigInt(Math.floor(actsUntilMs * 1e6)));
      Atomics.store(slots, EPOCH, BigInt(epoch));
    },
    clearTerm() {
      Atomics.store(slots, EPOCH, 0n);
      Atomics.store(slots, ACTS_UNTIL_NS, 0n);
    },
    mayAct(epoch) {
      // The deadline is read before the epoch: a deadline of the next term then comes with an epoch that differs.
      const until = Atomics.load(slots, ACTS_UNTIL_NS);
      return Atomics.load(slots, EPOCH) === BigInt(epoch) && nowNs() < until;
    },
  };
}
