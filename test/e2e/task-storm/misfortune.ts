/** What befalls a storm of tasks while it lasts: each on its own clock, with chances that a seed repeats. */
import { setTimeout as delay } from 'node:timers/promises';

/** A small generator of numbers from 0 to 1 (mulberry32), so that a failed run can be played again by its seed. */
export function chances(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

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
