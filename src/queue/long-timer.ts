/** Timers for waits of any length, such as the timeout of a task that may run for a year. */

/**
 * setTimeout takes a 32-bit number of milliseconds, about 24.8 days, and fires immediately for larger ones.
 */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export interface LongTimer {
  cancel(): void;
  /** Does not keep the process alive. */
  unref(): LongTimer;
}

/** Calls `fire` once, after `ms` milliseconds; a wait that is too long for one timer uses several. */
export function setLongTimer(fire: () => void, ms: number): LongTimer {
  const due = performance.now() + ms;
  let timer: NodeJS.Timeout;
  let kept = true;
  const arm = (left: number) => {
    timer = setTimeout(
      () => {
        const still = due - performance.now();
        // A single wait fires as setTimeout does; only a split one checks again.
        if (left > LONGEST_TIMER_MS && still > 0) arm(still);
        else fire();
      },
      Math.min(Math.max(left, 0), LONGEST_TIMER_MS),
    );
    if (!kept) timer.unref();
  };
  arm(ms);
  const long: LongTimer = {
    cancel: () => clearTimeout(timer),
    unref() {
      kept = false;
      timer.unref();
      return long;
    },
  };
  return long;
}

/** `AbortSignal.timeout` for waits of any length. Like that, it does not keep the process alive. */
export function timeoutSignal(ms: number): { signal: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  const late = () => controller.abort(new DOMException('The operation timed out.', 'TimeoutError'));
  const { cancel } = setLongTimer(late, ms).unref();
  return { signal: controller.signal, cancel };
}
