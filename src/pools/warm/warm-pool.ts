/**
 * The warm workers that can be claimed now, as the reconciles of this term last observed them. In memory: a
 * new term fills it with its first resync. Whether a worker is still free is checked when it is claimed.
 */
import {
  type ClaimCandidate,
  type Decision,
  getCapabilities,
  type Observation,
  type RuntimeName,
  type WorkerSpec,
} from '../../model/index.ts';
import type { RuntimeInfo } from '../../runtimes/runtime.ts';
import { changedLimits, findMismatch } from './match.ts';

interface AvailableWorker extends ClaimCandidate {
  spec: WorkerSpec;
}

/** A chosen worker, and whether its body matches without changes. */
export interface ChosenWorker extends ClaimCandidate {
  fits: boolean;
}

export interface WarmPoolOptions {
  info: (runtime: RuntimeName) => RuntimeInfo | undefined;
  /** The image that a new body of this spec would run; `undefined` if that is unknown or irrelevant. */
  imageOf: (spec: WorkerSpec) => Promise<string | undefined>;
}

export class WarmPool {
  readonly #available = new Map<string, AvailableWorker>();
  /** Chosen and not known to be released: a reconcile with an earlier observation must not add them again. */
  readonly #claimed = new Set<string>();
  readonly #options: WarmPoolOptions;

  constructor(options: WarmPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#available.size;
  }

  /** Records what a reconcile observed and decided for any worker. */
  note({ worker_id, desired, actual }: Observation, { status, intents }: Decision): void {
    const { spec } = desired;
    if (!spec.warm || this.#claimed.has(worker_id)) return;
    const free =
      status.status === 'RUNNING' &&
      status.phase === 'ready' &&
      intents.length === 0 &&
      actual.kind === 'present';
    if (free) {
      const { id: body_id, image, ip_address } = actual.body;
      this.#available.set(worker_id, { worker_id, body_id, image, ip_address, spec });
    } else this.#available.delete(worker_id);
  }

  /** It was chosen and not claimed: the next reconcile that observes it as free adds it again. */
  release(workerId: string): void {
    this.#claimed.delete(workerId);
  }

  /** Its record does not exist any more. */
  forget(workerId: string): void {
    this.#claimed.delete(workerId);
    this.#available.delete(workerId);
  }

  /**
   * Removes and returns the matching worker that has waited longest; a caller that does not use it enqueues
   * it.
   */
  async choose(requested: WorkerSpec): Promise<ChosenWorker | undefined> {
    const matching = this.#matching(requested);
    if (matching.length === 0) return undefined;
    const image = getCapabilities(requested.runtime).usesImages
      ? await this.#options.imageOf(requested)
      : undefined;
    // Checked again, because another create may have been accepted in between.
    const found = matching.find(
      (one) => this.#available.has(one.worker_id) && (image === undefined || one.image === image),
    );
    if (!found) return undefined;
    const { spec, ...chosen } = found;
    this.#available.delete(chosen.worker_id);
    this.#claimed.add(chosen.worker_id);
    return { ...chosen, fits: changedLimits(spec, requested).length === 0 };
  }

  #matching(requested: WorkerSpec): AvailableWorker[] {
    if (this.#available.size === 0) return [];
    const limits = this.#options.info(requested.runtime)?.limits;
    const names = ['memory', 'cpus', 'pids'] as const;
    const adjustable = new Set(names.filter((name) => limits?.[name].adjustable));
    return [...this.#available.values()].filter(
      ({ spec }) => findMismatch(spec, requested, adjustable) === undefined,
    );
  }
}
