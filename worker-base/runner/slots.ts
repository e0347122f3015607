import type { Call, CallHooks, SlotOptions } from './slot.ts';

/** The slots of a worker: as many tasks at once as there are slots, each in processes of its own. */
export class Slots {
  /** The functions that the handler files offer. */
  readonly functions: string[] = [];

  /** Starts the first slot alone, so that a broken handler file is told once, then the others. Throws a TaskError. */
  static async start(_concurrency: number, _options: SlotOptions): Promise<Slots> {
    throw new Error('not built yet');
  }

  /** Runs a call in a free slot, as Slot.call does; waits for one where none is free. */
  async call(_call: Call, _hooks?: CallHooks): Promise<unknown> {
    return undefined;
  }

  pause(): void {}
  resume(): void {}
  async stop(): Promise<void> {}
}
