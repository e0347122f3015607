/** Between two pings, and how long one may be unanswered: the lease alone is renewed too rarely to see a Redis that hangs. */
const PING_MS = 5000;

/** Asks Redis regularly, and reports whether it answers; the answer ends it. */
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
        // Why it failed is reported by the connection.
        () => {},
      )
      .finally(() => {
        waiting = false;
      });
  };
  // After all that has arrived by now: an answer that this thread was too slow to read is one.
  const timer = setInterval(() => setImmediate(ask), everyMs);
  return () => clearInterval(timer);
}
