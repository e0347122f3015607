import { messageOf } from '../../src/model/index.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';

/** What has to be taken back, last first, whatever has happened. */
export class Cleanup {
  readonly #acts: { what: string; act: () => unknown }[] = [];

  add(what: string, act: () => unknown): void {
    this.#acts.push({ what, act });
  }

  /** Takes everything back; answers what could not be, in words. */
  async run(): Promise<string[]> {
    const failures: string[] = [];
    for (const { what, act } of this.#acts.splice(0).reverse()) {
      try {
        await act();
      } catch (error) {
        failures.push(`${what}: ${messageOf(error)}`);
      }
    }
    return failures;
  }
}

/** Removes the bodies that are left and what a runtime made for the cell; answers how many were left. */
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
