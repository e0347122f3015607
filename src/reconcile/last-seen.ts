/**
 * What the last reconcile of each worker was based on, so that a resync enqueues a worker only if something has changed
 * since. In memory: a new term starts empty and reconciles everything once. Pure.
 */
import {
  type AgentType,
  ASSIGNED,
  type Body,
  type Decision,
  type Heartbeat,
  hasEnded,
  type Observation,
  type RuntimeName,
  type WorkerStatus,
  wasReady,
} from '../model/index.ts';

interface SeenWorker {
  /** `<generation>.<revision>` of the record, as in the index. */
  record: string;
  /** The body as in a list; empty if there is none, `undefined` if it could not be observed. */
  body: string | undefined;
  status: WorkerStatus;
  phase: string;
  runtime: RuntimeName;
  incarnation: number;
  agent_type: AgentType;
  /** Empty for a worker without a pool. */
  pool: string;
  desired: boolean;
}

/** Phases of a body that is being ended. */
const ENDING: ReadonlySet<string> = new Set(['stopping', 'killing']);

export type Kind = Pick<SeenWorker, 'status' | 'runtime' | 'agent_type'>;

export class LastSeen {
  readonly #workers = new Map<string, SeenWorker>();

  /** Records what a reconcile observed and decided; `revision` is that of the status after it. */
  set(observation: Observation, revision: number, { status }: Decision): void {
    const { actual } = observation;
    const body =
      actual.kind === 'absent' ? '' : actual.kind === 'present' ? toFingerprint(actual.body) : undefined;
    this.#workers.set(observation.worker_id, {
      record: `${observation.desired.generation}.${revision}`,
      body,
      status: status.status,
      phase: status.phase,
      runtime: status.runtime,
      incarnation: status.incarnation,
      agent_type: observation.desired.spec.agent_type,
      pool: observation.desired.spec.pool ?? '',
      desired: observation.desired.desired === 'running' && !hasEnded(status.status),
    });
  }

  /** The phase that was decided last; `undefined` before the first reconcile of this term. */
  phase(id: string): string | undefined {
    return this.#workers.get(id)?.phase;
  }

  agentType(id: string): AgentType | undefined {
    return this.#workers.get(id)?.agent_type;
  }

  poolOf(id: string): string {
    return this.#workers.get(id)?.pool ?? '';
  }

  /** Workers that are in a phase. */
  inPhase(phase: string): string[] {
    const ids: string[] = [];
    for (const [id, worker] of this.#workers) if (worker.phase === phase) ids.push(id);
    return ids;
  }

  delete(id: string): void {
    this.#workers.delete(id);
  }

  /** Workers whose record has changed since their last reconcile. */
  changedRecords(index: Record<string, string>): string[] {
    const changed: string[] = [];
    for (const id in index) if (this.#workers.get(id)?.record !== index[id]) changed.push(id);
    return changed;
  }

  /** Workers of the listed runtimes whose body has changed. */
  changedBodies(bodies: Body[], listed: ReadonlySet<string>): string[] {
    const prints = new Map<string, string>();
    const twice: string[] = [];
    for (const body of bodies) {
      if (prints.has(body.worker_id)) twice.push(body.worker_id);
      prints.set(body.worker_id, toFingerprint(body));
    }
    const changed = new Set(twice);
    for (const [id, worker] of this.#workers) {
      if (listed.has(worker.runtime) && worker.body !== (prints.get(id) ?? '')) changed.add(id);
    }
    return [...changed];
  }

  /** Workers that have not ended, for which the heartbeat matters. */
  living(): string[] {
    const ids: string[] = [];
    for (const [id, { status }] of this.#workers)
      if (status === 'STARTING' || status === 'RUNNING') ids.push(id);
    return ids;
  }

  /** Workers of a runtime that have not ended. */
  livingOn(runtime: string): string[] {
    return this.living().filter((id) => this.#workers.get(id)?.runtime === runtime);
  }

  /** Whether the status says that its wrapper reported recently. */
  hasHeartbeat(id: string): boolean {
    const worker = this.#workers.get(id);
    return worker?.status === 'RUNNING' && worker.phase !== 'silent' && !ENDING.has(worker.phase);
  }

  /** Whether a heartbeat differs from the status: ready after all, silent, or reporting again. */
  isHeartbeatNews(
    id: string,
    heartbeat: Pick<Heartbeat, 'incarnation' | 'phase' | 'ready_at' | 'needs_secrets'> & { age_ms: number },
    silentMs: number,
  ): boolean {
    const worker = this.#workers.get(id);
    if (!worker || heartbeat.incarnation !== worker.incarnation) return false;
    const waits = worker.phase === 'booting' || worker.phase === ASSIGNED;
    if (worker.status === 'STARTING' || waits)
      return waits && (wasReady(heartbeat) || heartbeat.needs_secrets === true);
    return (worker.phase === 'silent') !== heartbeat.age_ms >= silentMs && !ENDING.has(worker.phase);
  }

  /** The numbers of workers of each kind, and of those that should run, for the metrics. */
  count(): { kinds: (Kind & { count: number })[]; desired: number } {
    const kinds = new Map<string, Kind & { count: number }>();
    let desired = 0;
    for (const worker of this.#workers.values()) {
      const { status, runtime, agent_type } = worker;
      const key = `${status} ${runtime} ${agent_type}`;
      const entry = kinds.get(key) ?? { status, runtime, agent_type, count: 0 };
      entry.count += 1;
      kinds.set(key, entry);
      if (worker.desired) desired += 1;
    }
    return { kinds: [...kinds.values()], desired };
  }
}

/** The fields of a body that a list has as well; it has no exit codes. */
const toFingerprint = ({ id, state, paused }: Body) => `${id} ${state}${paused ? ' paused' : ''}`;
