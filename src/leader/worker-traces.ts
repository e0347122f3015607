/**
 * The traces of workers: from a command to `ready`, with the phases, the reconciles, the calls to runtimes and the boot of the
 * wrapper as spans. What a worker's start consists of is read from its history, so the trace is whole even if several
 * managers led meanwhile. Nothing waits for it.
 */
import { randomBytes } from 'node:crypto';
import {
  type Decision,
  type DesiredRecord,
  deriveSpanId,
  deriveTrace,
  describeIntent,
  errorMessage,
  hasEnded,
  type LifecycleEvent,
  type Observation,
  parseTraceparent,
  type TraceContext,
} from '../model/index.ts';
import type { Logger } from '../telemetry/log.ts';
import type { CallScope, EndedSpan, ScopedCall, SpanExport } from '../telemetry/spans.ts';
import { bootSpans, phaseSpans } from './start-spans.ts';

/** What a reconcile does, collected while it runs. */
export interface ReconcileScope {
  calls: ScopedCall[];
  observation?: Observation;
  decision?: Decision;
}

export interface WorkerTracesOptions {
  spans: SpanExport;
  scope: CallScope<ReconcileScope>;
  /** The last events of a worker, oldest first. */
  history: (id: string) => Promise<LifecycleEvent[]>;
  log: Logger;
}

export class WorkerTraces {
  readonly #options: WorkerTracesOptions;

  constructor(options: WorkerTracesOptions) {
    this.#options = options;
  }

  /** Runs a reconcile; if it decides or does anything, it becomes a span. */
  async reconcile<T extends { kind: string }>(run: () => Promise<T>): Promise<T> {
    const scope: ReconcileScope = { calls: [] };
    const start = Date.now();
    const result = await this.#options.scope.run(scope, run);
    this.#addReconcile(scope, start, result.kind);
    return result;
  }

  /** A decision was made. */
  decided(observation: Observation, decision: Decision): void {
    const scope = this.#options.scope.current;
    if (!scope) return;
    const changes =
      decision.intents.length > 0 ||
      observation.status?.phase !== decision.status.phase ||
      observation.status?.status !== decision.status.status;
    if (changes) Object.assign(scope, { observation, decision });
  }

  /** A decision was stored: a start may be over by it. */
  recorded(observation: Observation, decision: Decision): void {
    const before = observation.status;
    const { phase, status, incarnation } = decision.status;
    const starting = before === undefined || before.status === 'STARTING' || before.phase === 'assigned';
    const isNew = before?.incarnation !== incarnation;
    const isReady = phase === 'ready' && before?.phase !== 'silent' && (isNew || before?.phase !== 'ready');
    const hasFailed = (hasEnded(status) && !hasEnded(before?.status)) || phase === 'backoff';
    if (isReady || (hasFailed && starting && before?.phase !== 'backoff'))
      void this.#addStart(observation, decision).catch((error) =>
        this.#options.log.debug({ why: errorMessage(error) }, 'failed to trace a start'),
      );
  }

  async #addStart({ worker_id, desired, heartbeat, now }: Observation, { status }: Decision): Promise<void> {
    const { spans, history } = this.#options;
    const { incarnation } = status;
    const trace = toWorkerTrace(worker_id, desired);
    if (!trace.sampled) return;
    const events = (await history(worker_id)).filter((event) => event.incarnation === incarnation);
    const first = incarnation === 1 ? Date.parse(desired.created_at) : Date.parse(events[0]?.timestamp ?? '');
    const root: EndedSpan = {
      name: 'worker start',
      traceId: trace.traceId,
      spanId: toStartId(worker_id, trace, incarnation),
      parentId: trace.spanId,
      start: Number.isNaN(first) ? now : Math.min(first, now),
      end: now,
      attributes: toAttributes(worker_id, desired, status),
      error: status.phase === 'ready' ? undefined : status.message || status.reason,
    };
    spans.add(root);
    for (const span of phaseSpans(root, events)) spans.add(span);
    if (heartbeat?.incarnation === incarnation)
      for (const span of bootSpans(root, heartbeat)) spans.add(span);
  }

  #addReconcile({ observation, decision, calls }: ReconcileScope, start: number, result: string): void {
    if (!observation || !decision) return;
    const { worker_id, desired } = observation;
    const trace = toWorkerTrace(worker_id, desired);
    if (!trace.sampled) return;
    const { traceId } = trace;
    const spanId = randomBytes(8).toString('hex');
    const parentId = toStartId(worker_id, trace, decision.status.incarnation);
    const { rule, intents, status } = decision;
    this.#options.spans.add({
      name: 'reconcile',
      traceId,
      spanId,
      parentId,
      start,
      end: Date.now(),
      attributes: {
        ...toAttributes(worker_id, desired, status),
        'worker_manager.rule': rule,
        'worker_manager.actions': intents.map(describeIntent),
        'worker_manager.result': result,
      },
      error: result === 'error' ? 'The reconcile failed and is repeated.' : undefined,
    });
    for (const { name, failed, ...times } of calls)
      this.#options.spans.add({
        name,
        traceId,
        spanId: randomBytes(8).toString('hex'),
        parentId: spanId,
        ...times,
        attributes: {},
        error: failed ? 'The call failed.' : undefined,
      });
  }
}

/** The trace that a worker was created in, or one of its own. */
const toWorkerTrace = (id: string, { traceparent }: DesiredRecord): TraceContext =>
  traceparent === undefined ? deriveTrace(id) : parseTraceparent(traceparent);

/** The span of one start, which every manager knows. */
const toStartId = (id: string, { traceId }: TraceContext, incarnation: number) =>
  deriveSpanId(traceId, id, incarnation);

function toAttributes(
  id: string,
  { spec }: DesiredRecord,
  status: Decision['status'],
): EndedSpan['attributes'] {
  const { agent_type, runtime, pool, name } = spec;
  return {
    'worker_manager.worker_id': id,
    'worker_manager.name': name,
    'worker_manager.pool': pool,
    'worker_manager.agent_type': agent_type,
    'worker_manager.runtime': runtime,
    'worker_manager.incarnation': status.incarnation,
    'worker_manager.status': status.status,
    'worker_manager.phase': status.phase,
    'worker_manager.reason': status.reason,
  };
}
