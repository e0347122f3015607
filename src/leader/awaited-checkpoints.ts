/**
 * Keeps the checkpoints that starting workers wait for: an image may be built for minutes before a body can be filled, and
 * others may be saved meanwhile that exceed CHECKPOINT_BUDGET.
 */
import { errorMessage } from '../model/index.ts';
import type { Logger } from '../telemetry/log.ts';

type Release = () => void;

export class AwaitedCheckpoints {
  readonly #hold: (checkpointId: string) => Promise<Release | undefined>;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #held = new Map<string, Promise<Release | undefined>>();

  constructor(hold: (checkpointId: string) => Promise<Release | undefined>, log: Pick<Logger, 'warn'>) {
    this.#hold = hold;
    this.#log = log;
  }

  /** The worker needs the checkpoint from now on; without it, the body reports that it does not exist. */
  keep(workerId: string, checkpoint: string): void {
    if (this.#held.has(workerId)) return;
    const holding = this.#hold(checkpoint).catch((error: unknown) => {
      this.#log.warn(
        { worker_id: workerId, checkpoint, why: errorMessage(error) },
        'failed to keep a checkpoint',
      );
      return undefined;
    });
    this.#held.set(workerId, holding);
  }

  release(workerId: string): void {
    void this.#held.get(workerId)?.then((release) => release?.());
    this.#held.delete(workerId);
  }

  releaseAll(): void {
    for (const id of [...this.#held.keys()]) this.release(id);
  }
}
