/** How long a scrape waits for values from elsewhere; many times the latency of a healthy Redis. */
const WAIT_MS = 250;

/**
 * Reads values again for each scrape, and returns the previous values if reading takes too long or fails. A read that
 * hangs is not started again until it ends.
 */
export function lastKnown<A, T>(read: (about: A) => Promise<T>): (about: A) => Promise<T | undefined> {
  let last: T | undefined;
  let reading: Promise<void> | undefined;
  return async (about) => {
    reading ??= read(about)
      .then(
        (values) => {
          last = values;
        },
        () => {},
      )
      .finally(() => {
        reading = undefined;
      });
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, WAIT_MS);
    await Promise.race([reading, late]);
    clearTimeout(timer);
    return last;
  };
}
