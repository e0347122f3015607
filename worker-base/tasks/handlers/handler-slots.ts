import { type CallHooks, HandlerSlot, type SlotOptions, type TaskCall } from './handler-slot.ts';

/** The slots of a worker: one concurrent task per slot, each in its own processes. */
export class HandlerSlots {
  readonly #all: HandlerSlot[];
  readonly #free: HandlerSlot[];
  readonly #waiting: ((slot: HandlerSlot) => void)[] = [];
  /** The functions in the handler files. */
  readonly functions: readonly string[];

  /** Starts the first slot alone, so that a broken handler file is reported once, then the others. Throws a TaskError. */
  static async start(concurrency: number, options: SlotOptions): Promise<HandlerSlots> {
    const slots = Array.from({ length: concurrency }, () => new HandlerSlot(options));
    try {
      const functions = (await slots[0]?.start()) ?? [];
      await Promise.all(slots.slice(1).map((slot) => slot.start()));
      return new HandlerSlots(slots, functions);
    } catch (error) {
      await Promise.all(slots.map((slot) => slot.stop()));
      throw error;
    }
  }

  private constructor(slots: HandlerSlot[], functions: string[]) {
    this.#all = slots;
    this.#free = [...slots];
    this.functions = functions;
  }

  /** Runs a call in a free slot, as Slot.call does; waits if none is free. */
  async call(call: TaskCall, hooks?: CallHooks): Promise<unknown> {
    // The most recently used slot, because its processes are in the caches.
    const slot =
      this.#free.pop() ?? (await new Promise<HandlerSlot>((resolve) => this.#waiting.push(resolve)));
    try {
      return await slot.call(call, hooks);
    } finally {
      const next = this.#waiting.shift();
      if (next) next(slot);
      else this.#free.push(slot);
    }
  }

  /** Stops reading the output of functions, so that they block once the pipe is full. */
  pause(): void {
    for (const slot of this.#all) slot.pause();
  }

  resume(): void {
    for (const slot of this.#all) slot.resume();
  }

  /** Ends all processes; running calls end as `Aborted`. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((slot) => slot.stop()));
  }
}
