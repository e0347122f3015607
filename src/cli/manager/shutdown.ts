/** Decides what a signal means to a manager that may already be shutting down. Pure. */

/** The exit code that a shell reports for a program that was ended by a signal. */
export const SIGNALED = { SIGINT: 130, SIGTERM: 143 } as const;
export type EndSignal = keyof typeof SIGNALED;

/**
 * A second Ctrl-C counts only after this time in milliseconds, because the first one can arrive several times: from the
 * terminal to the whole group, and from each parent that forwards it.
 */
const PATIENCE_MS = 2000;

/**
 * Decides the effect of each signal: the first one starts the shutdown. SIGTERM never shortens it, because a service
 * manager sends it to the whole group and parents forward it, so it arrives more than once; use SIGKILL to end the
 * manager immediately.
 */
export function shutdownSignals(options: {
  /** Whether the manager runs on a terminal. */
  isTerminal: boolean;
  /** A monotonic clock, in milliseconds. */
  now: () => number;
}): (signal: EndSignal) => 'begin' | 'ignore' | 'exit' {
  let began: number | undefined;
  return (signal) => {
    const now = options.now();
    if (began === undefined) {
      began = now;
      return 'begin';
    }
    return signal === 'SIGINT' && options.isTerminal && now - began >= PATIENCE_MS ? 'exit' : 'ignore';
  };
}
