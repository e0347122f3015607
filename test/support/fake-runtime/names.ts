/** A body's name in the engine: made of the cell and the worker's id alone. */
export const nameOf = (cell: string, workerId: string) => `wm-${cell}-${workerId}`;

/** The names that an engine has given away, each once; a test may put a foreign thing in the way. */
export class Names {
  readonly #holders = new Map<string, 'ours' | 'foreign'>();

  holder(name: string): 'free' | 'ours' | 'foreign' {
    return this.#holders.get(name) ?? 'free';
  }

  give(name: string): void {
    this.#holders.set(name, 'ours');
  }

  free(name: string): void {
    this.#holders.delete(name);
  }

  occupy(name: string): void {
    if (this.holder(name) !== 'free') throw new Error(`the name ${name} is taken`);
    this.#holders.set(name, 'foreign');
  }

  /** Takes a foreign thing away; a body of ours keeps its name. */
  clear(name: string): void {
    if (this.holder(name) === 'foreign') this.#holders.delete(name);
  }
}
