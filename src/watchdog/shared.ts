/** Memory that the main thread and the watchdog share, so that neither needs the other's loop to be running. */

/** Slots of the memory; each is read and written as a whole. */
const BEATS = 0;
const EPOCH = 1;
const ACTS_UNTIL_NS = 2;
const SLOTS = 3;

/** Nanoseconds of the process's steady clock. Unlike `performance.now()`, all threads count from the same zero. */
const nowNs = () => process.hrtime.bigint();

/** The steady clock that a lease is judged by in both threads, in milliseconds. */
export const processMs = (): number => Number(nowNs()) / 1e6;

export interface SharedState {
  readonly buffer: SharedArrayBuffer;
  /** The main loop has come round once more. */
  beat(): void;
  beats(): bigint;
  /** The term of that epoch may begin acts until then, in milliseconds of `processMs`. */
  setTerm(epoch: number, actsUntilMs: number): void;
  clearTerm(): void;
  /** Whether the term of that epoch is still the current one and may begin an act now. */
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
