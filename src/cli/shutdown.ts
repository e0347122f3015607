/** What a signal means to a manager that may be shutting down already. Pure. */

/** As a shell reports a program that a signal has ended. */
export const SIGNALED = { SIGINT: 130, SIGTERM: 143 } as const;
export type EndSignal = keyof typeof SIGNALED;

/**
 * Milliseconds after which a second Ctrl-C is a person's: the first one may come several times, from the terminal to the
 * whole group and from each parent that passes it on.
 */
const PATIENCE_MS = 2000;

/**
 * Decides what each signal does: the first begins the shutdown. SIGTERM never cuts it short: a service manager sends it to
 * the whole group, and parents pass it on, so it comes more than once; who wants an end at once has SIGKILL.
 */
export function shutdownSignals(options: {
  /** Whether a person sits at a terminal. */
  isTerminal: boolean;
  /** A steady clock, in milliseconds. */
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
