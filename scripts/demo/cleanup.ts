import { errorMessage } from '../../src/model/index.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';

/** What must be undone in reverse order, whatever happens. */
export class Cleanup {
  readonly #acts: { what: string; act: () => unknown }[] = [];

  add(what: string, act: () => unknown): void {
    this.#acts.push({ what, act });
  }

  /** Undoes everything; returns descriptions of what failed. */
  async run(): Promise<string[]> {
    const failures: string[] = [];
    for (const { what, act } of this.#acts.splice(0).reverse()) {
      try {
        await act();
      } catch (error) {
        failures.push(`${what}: ${errorMessage(error)}`);
      }
    }
    return failures;
  }
}

/** Removes remaining bodies and what a runtime created for the cell; returns the number of remaining bodies. */
export async function dismantle(runtime: Runtime): Promise<number> {
  try {
    const left = await runtime.list();
    for (const { id } of left) await runtime.remove(id);
    await runtime.dismantle();
    return left.length;
  } finally {
    await runtime.close();
  }
}
