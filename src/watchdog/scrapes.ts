import { Fault } from '../model/values/fault.ts';

/** How long a scrape waits for the main loop before it returns the last values. */
const WAIT_MS = 1000;
const PREFIX = 'worker_manager_';

export interface Scrapes {
  /** The metrics in Prometheus's text format; the last ones if the main loop is blocked. */
  text(): Promise<string>;
  /** The main loop has collected its metrics, or failed to. */
  answered(text: string | undefined): void;
}

/** Scrapes of the main thread's metrics. `facts` are values that the watchdog knows better than the last text. */
export function createScrapes(options: { ask: () => void; facts: () => Record<string, number> }): Scrapes {
  const { ask, facts } = options;
  let last: string | undefined;
  let failed = false;
  let waiting: { done: Promise<void>; end: () => void } | undefined;

  function collect(): Promise<void> {
    if (waiting) return waiting.done;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting = { done: promise, end: resolve };
    ask();
    return promise;
  }

  return {
    async text() {
      const { promise: late, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, WAIT_MS);
      await Promise.race([collect(), late]);
      clearTimeout(timer);
      if (failed) throw new Error('The metrics could not be collected; see the log.');
      if (last === undefined) throw new Fault('unavailable', 'There are no metrics yet.');
      return Object.entries(facts()).reduce((text, [name, value]) => withValue(text, name, value), last);
    },
    answered(text) {
      failed = text === undefined;
      last = text ?? last;
      waiting?.end();
      waiting = undefined;
    },
  };
}

/** The text with another value for a metric without labels. */
const withValue = (text: string, name: string, value: number) =>
  text.replace(new RegExp(`^${PREFIX}${name} .*$`, 'm'), `${PREFIX}${name} ${value}`);
