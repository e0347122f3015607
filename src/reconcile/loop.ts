/**
 * The loop of one term of leadership: it decides when each worker is reconciled, and what follows from a
 * reconcile.
 *
 * Events (written records, changed bodies, signals of wrappers) and the resync only add keys to the queue; a
 * reconcile determines the necessary actions itself. Invariants: no error of a reconcile stops the loop, and
 * a stuck worker delays only itself.
 */
import type { Decision, Observation, WorkerRecord } from '../model/index.ts';
import { errorMessage } from '../model/index.ts';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue, type WorkQueue } from '../queue/work-queue.ts';
import { Fenced } from '../store/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { ReconcileContext } from './context.ts';
import { countRecorded } from './count-recorded.ts';
import { DenialCounter } from './denials.ts';
import { LastSeen } from './last-seen.ts';
import { type ReconcileResult, reconcileWorker } from './worker.ts';

/** A reconcile that takes longer is abandoned; its worker is not reconciled again until it has really ended. */
const RECONCILE_DEADLINE_MS = 120_000;

export interface LoopOptions {
  context: Omit<ReconcileContext, 'decided' | 'recorded'>;
  metrics: Metrics;
  concurrency: number;
  /** Another manager leads: the term is over. */
  fenced: () => void;
  /** Called with each decision, before it is recorded. */
  decided: (observation: Observation, decision: Decision) => void;
  /** Called with each decision that was stored. */
  recorded?: (observation: Observation, decision: Decision) => void;
  /** A reconcile of a worker failed and is retried later. */
  failed?: (id: string) => void;
  /** Runs a reconcile, for traces. */
  trace?: ((run: () => Promise<ReconcileResult>) => Promise<ReconcileResult>) | undefined;
  /** A worker's record does not exist any more. */
  gone?: (id: string) => void;
}

export class Loop {
  readonly queue: WorkQueue;
  readonly lastSeen = new LastSeen();
  readonly #denials = new DenialCounter();
  /** Workers whose last reconcile failed. */
  readonly #failing = new Set<string>();
  readonly #options: LoopOptions;
  readonly #context: ReconcileContext;
  /** Reconciles that were abandoned and have not ended. */
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
      decided: (record, observation, decision) => {
        this.lastSeen.set(observation, record.revision, decision);
        if (observation.heartbeat)
          this.countDenials(
            observation.worker_id,
            observation.heartbeat,
            observation.status?.status === 'RUNNING',
          );
        options.decided(observation, decision);
      },
      recorded: (record, observation, decision) => this.#recorded(record, observation, decision),
    };
  }

  /** Records the refused commands of a heartbeat; see `DenialCounter`. */
  countDenials(id: string, heartbeat: Parameters<DenialCounter['note']>[1], known: boolean): void {
    const agent_type = this.lastSeen.agentType(id);
    const fresh = this.#denials.note(id, heartbeat, known);
    if (fresh > 0 && agent_type) this.#options.metrics.permissionDenied.inc(fresh, { agent_type });
  }

  run(signal: AbortSignal): Promise<void> {
    return this.queue.run((id) => this.#reconcile(id), this.#options.concurrency, signal);
  }

  /** Seconds since a reconcile ended while others wait; 0 if none waits. */
  quietSeconds(): number {
    return this.queue.length === 0 ? 0 : (performance.now() - this.#moved) / 1000;
  }

  async #reconcile(id: string): Promise<void> {
    if (this.#lingering.has(id)) return this.queue.addRateLimited(id);
    const began = performance.now();
    const outcome = await this.#withinDeadline(id);
    this.#moved = performance.now();
    this.#options.metrics.reconcileDuration.observe((performance.now() - began) / 1000);
    this.#options.metrics.reconcile.inc(1, { result: outcome.kind });
    this.#settle(id, outcome);
  }

  /** The only place that decides what follows from a reconcile. */
  #settle(id: string, outcome: ReconcileResult): void {
    const { queue } = this;
    const { log } = this.#options.context;
    const tries = queue.retries(id) + 1;
    if (outcome.kind !== 'error' && outcome.kind !== 'standby') {
      queue.forget(id);
      if (this.#failing.delete(id)) log.info({ worker_id: id, tries }, 'reconcile succeeded after failures');
    }
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
        this.lastSeen.delete(id);
        this.#denials.delete(id);
        this.#options.gone?.(id);
        break;
      case 'error':
        this.#options.metrics.reconcileErrors.inc(1);
        this.#options.failed?.(id);
        // An outage fails for each worker again and again: less and less often in the log.
        this.#failing.add(id);
        log[isPowerOfTwo(tries) ? 'warn' : 'debug'](
          { worker_id: id, act: outcome.act, why: errorMessage(outcome.error), tries },
          'reconcile failed; retrying',
        );
        queue.addRateLimited(id);
        break;
      case 'standby':
        queue.addRateLimited(id);
        break;
    }
  }

  async #withinDeadline(id: string): Promise<ReconcileResult> {
    const pass = this.#guarded(id);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), RECONCILE_DEADLINE_MS);
    });
    const first = await Promise.race([pass, late]);
    clearTimeout(timer);
    if (first !== 'late') return first;
    this.#lingering.add(id);
    void pass.finally(() => this.#lingering.delete(id));
    return {
      kind: 'error',
      error: new Error(`The reconcile took more than ${RECONCILE_DEADLINE_MS / 1000} s.`),
    };
  }

  async #guarded(id: string): Promise<ReconcileResult> {
    try {
      // A worker that was just created continues immediately: one ready worker is worth more than two half
      // started.
      const { trace } = this.#options;
      const once = () => reconcileWorker(id, this.#context);
      const pass = trace ? () => trace(once) : once;
      let outcome = await pass();
      for (let more = 4; outcome.kind === 'again' && more > 0; more -= 1) outcome = await pass();
      return outcome;
    } catch (error) {
      if (!(error instanceof Fenced)) return { kind: 'error', error };
      this.#options.fenced();
      return { kind: 'standby' };
    }
  }

  #recorded(record: WorkerRecord, observation: Observation, decision: Decision): void {
    this.lastSeen.set(observation, record.revision + 1, decision);
    this.#options.recorded?.(observation, decision);
    countRecorded(this.#options.metrics, observation, decision);
  }
}

const isPowerOfTwo = (count: number) => Number.isInteger(Math.log2(count));
