import { type Body, errorMessage, type RuntimeName } from '../model/index.ts';
import type { Runtimes } from './registry.ts';

/** The bodies of all runtimes that are up. */
export interface ListedBodies {
  bodies: Body[];
  /** The runtimes that answered; bodies of the others are unknown, not absent. */
  listed: Set<RuntimeName>;
}

/**
 * Lists the bodies of all runtimes, one call each. `onError` receives each runtime that failed, and its
 * error.
 */
export async function listBodies(
  runtimes: Runtimes,
  onError: (runtime: RuntimeName, why: string) => void,
): Promise<ListedBodies> {
  const listed = new Set<RuntimeName>();
  const lists = await Promise.all(
    runtimes.all.map(async ({ name }) => {
      try {
        const bodies = await runtimes.call(name, (runtime) => runtime.list());
        listed.add(name);
        return bodies;
      } catch (error) {
        onError(name, errorMessage(error));
        return [];
      }
    }),
  );
  // Avoids a copy in the usual case, because one list may have many thousands of bodies.
  return { bodies: lists.length === 1 ? (lists[0] ?? []) : lists.flat(), listed };
}
