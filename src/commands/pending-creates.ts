import type { CommandContext } from './context.ts';

/**
 * Creates that were admitted and are not settled yet. They count towards the limit of workers, whichever way they came; not all
 * of them become workers.
 */
export class PendingCreates {
  readonly #pending = new Set<Promise<void>>();

  get size(): number {
    return this.#pending.size;
  }

  /** The context of one command, in which a create counts from the moment it is admitted until `end`. */
  open(context: CommandContext): { context: CommandContext; end: () => void } {
    const place = Promise.withResolvers<void>();
    const full = () => {
      const why = context.full?.(this.#pending.size);
      if (why === undefined) this.#pending.add(place.promise);
      return why;
    };
    return {
      context: Object.create(context, { full: { value: full } }),
      end: () => {
        this.#pending.delete(place.promise);
        place.resolve();
      },
    };
  }

  /** Resolves when those that are pending now are settled. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
