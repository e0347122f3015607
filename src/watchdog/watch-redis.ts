/** Interval between pings, and their timeout: the lease alone is renewed too rarely to detect a Redis that hangs. */
const PING_MS = 5000;

/** Pings Redis regularly, and reports whether it answers; the returned function stops it. */
export function watchRedis(
  ping: () => Promise<unknown>,
  report: (ok: boolean, message: string) => void,
  everyMs = PING_MS,
): () => void {
  let waiting = false;
  const ask = () => {
    if (waiting) return report(false, `has not answered for ${everyMs / 1000} s`);
    waiting = true;
    ping()
      .then(
        () => report(true, 'answers'),
        // The connection reports why it failed.
        () => {},
      )
      .finally(() => {
        waiting = false;
      });
  };
  // After everything that has arrived by now: an answer that this thread was too slow to read counts.
  const timer = setInterval(() => setImmediate(ask), everyMs);
  return () => clearInterval(timer);
}
