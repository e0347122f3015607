/**
 * Remembers which files the last archives of a body had, so that the next one has only what has changed.
 *
 * In the wrapper's memory: the agent cannot change it, and the first archive of the next body, which reads everything,
 * cannot be misled by it. It takes about 200 bytes for each group of files.
 */
import type { ChunkIndex } from './archive-parts.ts';

/** The one that the manager has stored, and one that it may have failed to store. */
const REMEMBERED = 2;

export class SentArchives {
  readonly #byId = new Map<string, ChunkIndex>();

  find(id: string | null): ChunkIndex | undefined {
    const found = this.#byId.get(id ?? '');
    // The base of the next one stays.
    if (found) this.remember(id ?? '', found);
    return found;
  }

  remember(id: string, index: ChunkIndex): void {
    this.#byId.delete(id);
    this.#byId.set(id, index);
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= REMEMBERED) break;
      this.#byId.delete(oldest);
    }
  }
}

const sent = new WeakMap<object, SentArchives>();

/** Those of a body; `environment` is that of its agent. */
export function getSentArchives(environment: object): SentArchives {
  const known = sent.get(environment) ?? new SentArchives();
  sent.set(environment, known);
  return known;
}
