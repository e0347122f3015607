/**
 * The loop of one term of leadership: which worker is passed when, and what a pass comes to.
 *
 * Hints (records written, bodies changed, signals of wrappers) and the resync only add keys to the queue; a pass
 * finds out for itself what is to be done. What must always hold: nothing that a pass does or throws stops the
 * loop, and a worker that is stuck holds up nobody but itself.
 */
import type { Decision, Observation, WorkerRecord } from '../model/index.ts';
import { messageOf } from '../model/index.ts';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue, type WorkQueue } from '../queue/work-queue.ts';
import { Fenced } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PassContext } from './context.ts';
import { countRecorded } from './count-recorded.ts';
import { Denials } from './denials.ts';
import { Marks } from './last-seen.ts';
import { type Outcome, reconcileWorker } from './worker.ts';

/** A pass that takes longer is given up on; its worker is not passed again until it has really ended. */
const PASS_DEADLINE_MS = 120_000;

export interface LoopOptions {
  context: Omit<PassContext, 'decided' | 'recorded'>;
  metrics: Metrics;
  concurrency: number;
  /** Another manager leads: the term is over. */
  fenced: () => void;
  /** Called with each decision, before it is recorded. */
  decided: (seen: Observation, decision: Decision) => void;
  /** Called with each decision that was stored. */
  recorded?: (seen: Observation, decision: Decision) => void;
  /** A pass over a worker failed and is tried again later. */
  failed?: (id: string) => void;
  /** There is no record of a worker any more. */
  gone?: (id: string) => void;
}

export class Loop {
  readonly queue: WorkQueue;
  readonly marks = new Marks();
  readonly #denials = new Denials();
  readonly #options: LoopOptions;
  readonly #context: PassContext;
  /** Passes that were given up on and have not ended. */
  readonly #lingering = new Set<string>();
  #moved = performance.now();

  constructor(options: LoopOptions) {
    this.#options = options;
    const { log } = options.context;
    this.queue = createWorkQueue({
      clock: steadyClock,
      onError: (worker_id, err) => log.error({ worker_id, err }, 'reconcile failed unexpectedly'),
    });
    this.#context = {
      ...options.context,
      decided: (record, seen, decision) => {
        this.marks.set(seen, record.revision, decision);
        if (seen.heartbeat)
          this.countDenials(seen.worker_id, seen.heartbeat, seen.status?.status === 'RUNNING');
        options.decided(seen, decision);
      },
      recorded: (record, seen, decision) => this.#recorded(record, seen, decision),
    };
  }

  /** Takes note of what a heartbeat tells of refused commands; see `Denials`. */
  countDenials(id: string, beat: Parameters<Denials['note']>[1], known: boolean): void {
    const agent_type = this.marks.agentType(id);
    const fresh = this.#denials.note(id, beat, known);
    if (fresh > 0 && agent_type) this.#options.metrics.permissionDenied.inc(fresh, { agent_type });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.queue.run((id) => this.#pass(id), this.#options.concurrency, signal);
  }

  /** Seconds since a pass ended while others wait for theirs; 0 where none waits. */
  quietSeconds(): number {
    return this.queue.length === 0 ? 0 : (performance.now() - this.#moved) / 1000;
  }

  async #pass(id: string): Promise<void> {
    if (this.#lingering.has(id)) return this.queue.addRateLimited(id);
    const began = performance.now();
    const outcome = await this.#withinDeadline(id);
    this.#moved = performance.now();
    this.#options.metrics.reconcileDuration.observe((performance.now() - began) / 1000);
    this.#options.metrics.reconcile.inc(1, { result: outcome.kind });
    this.#settle(id, outcome);
  }

  /** The one place where it is decided what follows from a pass. */
  #settle(id: string, outcome: Outcome): void {
    const { queue } = this;
    if (outcome.kind !== 'error' && outcome.kind !== 'standby') queue.forget(id);
    switch (outcome.kind) {
      case 'done':
        break;
      case 'after':
        queue.addAfter(id, outcome.ms);
        break;
      case 'again':
      case 'conflict':
        queue.add(id);
        break;
      case 'terminal':
        this.marks.delete(id);
        this.#denials.delete(id);
        this.#options.gone?.(id);
        break;
      case 'error':
        this.#options.metrics.reconcileErrors.inc(1);
        this.#options.failed?.(id);
        this.#options.context.log.warn(
          { worker_id: id, why: messageOf(outcome.error), tries: queue.retries(id) + 1 },
          'reconcile failed; retrying',
        );
        queue.addRateLimited(id);
        break;
      case 'standby':
        queue.addRateLimited(id);
        break;
    }
  }

  async #withinDeadline(id: string): Promise<Outcome> {
    const pass = this.#guarded(id);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), PASS_DEADLINE_MS);
    });
    const first = await Promise.race([pass, late]);
    clearTimeout(timer);
    if (first !== 'late') return first;
    this.#lingering.add(id);
    void pass.finally(() => this.#lingering.delete(id));
    return { kind: 'error', error: new Error(`The reconcile took more than ${PASS_DEADLINE_MS / 1000} s.`) };
  }

  async #guarded(id: string): Promise<Outcome> {
    try {
      // What was just made is carried on with at once: one worker ready is worth more than two half made.
      let outcome = await reconcileWorker(id, this.#context);
      for (let more = 4; outcome.kind === 'again' && more > 0; more -= 1) {
        outcome = await reconcileWorker(id, this.#context);
      }
      return outcome;
    } catch (error) {
      if (!(error instanceof Fenced)) return { kind: 'error', error };
      this.#options.fenced();
      return { kind: 'standby' };
    }
  }

  #recorded(record: WorkerRecord, seen: Observation, decision: Decision): void {
    this.marks.set(seen, record.revision + 1, decision);
    this.#options.recorded?.(seen, decision);
    countRecorded(this.#options.metrics, seen, decision);
  }
}
