/** Resolves when the promise does, or after `ms` at the latest. */
export async function waitAtMost(promise: Promise<unknown>, ms: number): Promise<void> {
  let clock: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise((resolve) => (clock = setTimeout(resolve, ms)))]);
  clearTimeout(clock);
}
