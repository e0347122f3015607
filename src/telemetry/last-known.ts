/** How long a scrape waits for values that are read from elsewhere: many times what Redis takes when it is well. */
const WAIT_MS = 250;

/**
 * Values that are read anew for each scrape, and whose last ones are taken if reading them takes longer or fails. A
 * read that hangs is not repeated while it does.
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
