/** Between SIGTERM and SIGKILL, by default. */
export const RUNNER_GRACE_MS = 2000;

/** What the promise settles to, or undefined once the time is over. */
export async function resolveWithin<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
