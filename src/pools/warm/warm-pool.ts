/**
 * The warm workers that can be taken over now, as the passes of this term saw them last. In memory: a new term fills it
 * with its first look at everything, and that one of them is still free is checked where it is taken.
 */
import {
  type Candidate,
  type Decision,
  getCapabilities,
  type Observation,
  type RuntimeName,
  type WorkerSpec,
} from '../../model/index.ts';
import type { RuntimeInfo } from '../../runtimes/runtime.ts';
import { changedLimits, whyNoMatch } from './match.ts';

interface Shelved extends Candidate {
  spec: WorkerSpec;
}

/** One that was chosen, and whether its body fits as it is. */
export interface Chosen extends Candidate {
  fits: boolean;
}

export interface StockOptions {
  info: (runtime: RuntimeName) => RuntimeInfo | undefined;
  /** The image that a body of this spec would run if it were made now; `undefined` where that is not known, or does not matter. */
  imageOf: (spec: WorkerSpec) => Promise<string | undefined>;
}

export class Stock {
  readonly #shelf = new Map<string, Shelved>();
  /** Chosen, and not known to have been spared: a pass that looked before that must not put them back. */
  readonly #given = new Set<string>();
  readonly #options: StockOptions;

  constructor(options: StockOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#shelf.size;
  }

  /** Takes note of what a pass saw and decided of any worker. */
  note({ worker_id, desired, actual }: Observation, { status, intents }: Decision): void {
    const { spec } = desired;
    if (!spec.warm || this.#given.has(worker_id)) return;
    const free =
      status.status === 'RUNNING' &&
      status.phase === 'ready' &&
      intents.length === 0 &&
      actual.kind === 'present';
    if (free) {
      const { id: body_id, image, ip_address } = actual.body;
      this.#shelf.set(worker_id, { worker_id, body_id, image, ip_address, spec });
    } else this.#shelf.delete(worker_id);
  }

  /** It was chosen and not taken: the next pass that sees it free puts it back. */
  spare(workerId: string): void {
    this.#given.delete(workerId);
  }

  /** There is no record of it any more. */
  forget(workerId: string): void {
    this.#given.delete(workerId);
    this.#shelf.delete(workerId);
  }

  /** Takes the one that waits longest and matches off the shelf; whoever does not use it asks for a look at it. */
  async choose(asked: WorkerSpec): Promise<Chosen | undefined> {
    const matching = this.#matching(asked);
    if (matching.length === 0) return undefined;
    const image = getCapabilities(asked.runtime).usesImages ? await this.#options.imageOf(asked) : undefined;
    // Looked at again: another create may have come in between.
    const found = matching.find(
      (one) => this.#shelf.has(one.worker_id) && (image === undefined || one.image === image),
    );
    if (!found) return undefined;
    const { spec, ...chosen } = found;
    this.#shelf.delete(chosen.worker_id);
    this.#given.add(chosen.worker_id);
    return { ...chosen, fits: changedLimits(spec, asked).length === 0 };
  }

  #matching(asked: WorkerSpec): Shelved[] {
    if (this.#shelf.size === 0) return [];
    const limits = this.#options.info(asked.runtime)?.limits;
    const names = ['memory', 'cpus', 'pids'] as const;
    const adjustable = new Set(names.filter((name) => limits?.[name].adjustable));
    return [...this.#shelf.values()].filter(({ spec }) => whyNoMatch(spec, asked, adjustable) === undefined);
  }
}
