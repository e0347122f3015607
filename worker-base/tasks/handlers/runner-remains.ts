import { setTimeout as delay } from 'node:timers/promises';
import type { AgentProcess } from '../../agent/agent-process.ts';
import { killMarked } from '../../sandbox/kill-processes.ts';
import type { SlotOptions } from './options.ts';

/** Between the end of a process and a search for what holds its pipes. */
const CLOSE_MS = 50;
const POLL_MS = 5;
/** What is left in a pipe when its program has ended is read long before this. */
const READING_MS = 2000;

/**
 * What a process of a slot leaves behind when it ends. A search reads the whole table of processes, so one that ended on its
 * own is followed by a search only if something still holds its pipes.
 */
export class RunnerRemains {
  readonly #options: Pick<SlotOptions, 'killMarked'>;
  readonly #mark: string;
  /** Once it is aborted, all that is left ends, whatever it holds. */
  readonly #ending: () => boolean;
  #readUntil: number | undefined;
  of: AgentProcess | undefined;

  /** `slot`: the mark in the environment of all that the process has started. */
  constructor(options: Pick<SlotOptions, 'killMarked'>, slot: string, ending: () => boolean) {
    this.#options = options;
    this.#mark = `WORKER_SLOT=${slot}`;
    this.#ending = ending;
  }

  /** By when reading ends, counted from the first question: what cannot be found may write for as long as it lives. */
  readUntil(): number {
    this.#readUntil ??= performance.now() + READING_MS;
    return this.#readUntil;
  }

  /** Settles when nothing is left that can be found. */
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
