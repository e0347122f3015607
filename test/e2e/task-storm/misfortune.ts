/** Faults during a storm of tasks: each on its own schedule, with chances that a seed reproduces. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Misfortune {
  name: string;
  everyMs: number;
  /** Returns what it did, for the log of the run; its errors do not matter. */
  strike: () => Promise<string | undefined>;
}

/** Repeats each fault until the signal fires; returns the log after the last one has ended. */
export async function befall(misfortunes: Misfortune[], signal: AbortSignal): Promise<string[]> {
  const story: string[] = [];
  const began = performance.now();
  await Promise.all(
    misfortunes.map(async ({ name, everyMs, strike }) => {
      while (!signal.aborted) {
        await delay(everyMs, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) return;
        const did = await strike();
        if (did) story.push(`${((performance.now() - began) / 1000).toFixed(1)} s: ${name} ${did}`);
      }
    }),
  );
  return story;
}
