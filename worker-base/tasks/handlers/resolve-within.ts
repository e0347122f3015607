/** Default milliseconds between SIGTERM and SIGKILL. */
export const RUNNER_GRACE_MS = 2000;

/** Resolves with the promise's value, or with undefined when the time is over. */
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
