import pLimit from 'p-limit';
import type { BuildProgress } from './build.ts';

interface Job {
  done: Promise<void>;
  progress: BuildProgress;
  listeners: Set<(progress: BuildProgress) => void>;
}

type ReportProgress = (progress: BuildProgress) => void;

/**
 * Build jobs by name. At most one job per name runs at a time, further callers join it, and its failure is
 * kept until the next one. Jobs with different names run one after the other, because each uses all cores.
 */
export class Jobs<Failure> {
  readonly #jobs = new Map<string, Job>();
  readonly #failures = new Map<string, Failure>();
  readonly #inTurn = pLimit(1);
  readonly #onChange: (name: string) => void;
  readonly #toFailure: (name: string, error: unknown) => Failure | undefined;

  /** `onChange` is called when a job begins, has a new step, or has ended. */
  constructor(
    onChange: (name: string) => void,
    toFailure: (name: string, error: unknown) => Failure | undefined,
  ) {
    this.#onChange = onChange;
    this.#toFailure = toFailure;
  }

  get busy(): boolean {
    return this.#jobs.size > 0;
  }

  progress(name: string): BuildProgress | undefined {
    return this.#jobs.get(name)?.progress;
  }

  failure(name: string): Failure | undefined {
    return this.#failures.get(name);
  }

  /** Clears a failure: the image exists anyway. */
  clearFailure(name: string): void {
    this.#failures.delete(name);
  }

  /** Joins the job of that name, or starts it; `line` is its progress before the first step. */
  join(
    name: string,
    line: string,
    act: (report: ReportProgress) => Promise<void>,
    listener?: ReportProgress,
  ): Promise<void> {
    const job = this.#jobs.get(name) ?? this.#begin(name, line, act);
    if (listener) {
      job.listeners.add(listener);
      listener(job.progress);
    }
    return job.done;
  }

  /** Resolves when all jobs have ended. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#jobs.values()].map(({ done }) => done));
  }

  #begin(name: string, line: string, act: (report: ReportProgress) => Promise<void>): Job {
    const listeners: Job['listeners'] = new Set();
    const job: Job = { done: Promise.resolve(), progress: { step: 0, of: 0, line }, listeners };
    const report: ReportProgress = (progress) => {
      job.progress = progress;
      for (const listener of listeners) listener(progress);
      this.#onChange(name);
    };
    this.#jobs.set(name, job);
    this.#failures.delete(name);
    job.done = this.#run(name, () => act(report));
    // Even if no caller waits for it, `failure` reports a failed job.
    job.done.catch(() => undefined);
    this.#onChange(name);
    return job;
  }

  async #run(name: string, act: () => Promise<void>): Promise<void> {
    try {
      await this.#inTurn(act);
    } catch (error) {
      const failure = this.#toFailure(name, error);
      if (failure !== undefined) this.#failures.set(name, failure);
      throw error;
    } finally {
      this.#jobs.delete(name);
      this.#onChange(name);
    }
  }
}
