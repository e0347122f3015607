import { setTimeout as delay } from 'node:timers/promises';
import type { AgentProcess } from '../../agent/agent-process.ts';
import { killMarked } from '../../sandbox/kill-processes.ts';
import type { SlotOptions } from './options.ts';

/** Time between the end of a process and the search for processes that hold its pipes. */
const CLOSE_MS = 50;
const POLL_MS = 5;
/** The rest of a pipe is read long before this after its program has ended. */
const READING_MS = 2000;

/**
 * The remaining processes of a slot's process after its end. A search reads the whole process table, so after
 * a process that ended on its own it happens only if its pipes are still held.
 */
export class RunnerRemains {
  readonly #options: Pick<SlotOptions, 'killMarked'>;
  readonly #mark: string;
  /** Once aborted, all remaining processes are killed, even if they hold no pipe. */
  readonly #ending: () => boolean;
  #readUntil: number | undefined;
  of: AgentProcess | undefined;

  /** `slot`: the mark in the environment of all of the process's children. */
  constructor(options: Pick<SlotOptions, 'killMarked'>, slot: string, ending: () => boolean) {
    this.#options = options;
    this.#mark = `WORKER_SLOT=${slot}`;
    this.#ending = ending;
  }

  /**
   * The deadline for reading, from the first call on: a process that is not found may write as long as it
   * runs.
   */
  readUntil(): number {
    this.#readUntil ??= performance.now() + READING_MS;
    return this.#readUntil;
  }

  /** Settles when no remaining process can be found. */
  async end(group: number): Promise<void> {
    const since = performance.now();
    while (!this.#ending() && performance.now() - since < CLOSE_MS) {
      if (this.of?.closed) return;
      await delay(POLL_MS);
    }
    const { killMarked: end } = this.#options;
    await (end ? end(group, this.#mark) : killMarked(group, [this.#mark]));
  }
}
