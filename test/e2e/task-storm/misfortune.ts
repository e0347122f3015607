/** What befalls a storm of tasks while it lasts: each on its own clock, with chances that a seed repeats. */
import { setTimeout as delay } from 'node:timers/promises';

export interface Misfortune {
  name: string;
  everyMs: number;
  /** Answers what it did, for the story of the run; throws nothing that matters. */
  strike: () => Promise<string | undefined>;
}

/** Lets each strike again and again until the signal fires; answers the story when the last blow is over. */
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
