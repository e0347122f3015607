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
  isWorkspaceFull,
  type Observation,
  parseInstant,
  type RuntimeName,
  type WorkerSpec,
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
  reason: string;
  /** Since when it has been STARTING without interruption, in milliseconds since 1970; 0 if it is not STARTING. */
  starting_since: number;
  /** Consecutive failures of its bodies. */
  failures: number;
  runtime: RuntimeName;
  incarnation: number;
  agent_type: AgentType;
  /** Empty for a worker without a pool. */
  pool: string;
  desired: boolean;
  spec: Pick<WorkerSpec, 'workspace'>;
  /** Number of turns that its body had ended, for a worker that is saved after each. */
  turns: number;
}

/** Phases of a body that is being ended. */
const ENDING: ReadonlySet<string> = new Set(['stopping', 'killing']);

/** Consecutive failures from which a worker counts as crash looping. */
const CRASH_LOOP = 3;

export type Kind = Pick<SeenWorker, 'status' | 'runtime' | 'agent_type'>;

/** What the metrics show of the workers. */
export interface WorkerCounts {
  kinds: (Kind & { count: number })[];
  reasons: { status: WorkerStatus; reason: string; count: number }[];
  /** The number of workers that should run. */
  desired: number;
  crash_looping: number;
  /** By phase, since when the oldest STARTING worker has been STARTING, in milliseconds since 1970. */
  starting_since: Map<string, number>;
}

export class LastSeen {
  readonly #workers = new Map<string, SeenWorker>();

  /** Records what a reconcile observed and decided; `revision` is that of the status after it. */
  set(observation: Observation, revision: number, { status, memo }: Decision): void {
    const { actual } = observation;
    const body =
      actual.kind === 'absent' ? '' : actual.kind === 'present' ? toFingerprint(actual.body) : undefined;
    this.#workers.set(observation.worker_id, {
      record: `${observation.desired.generation}.${revision}`,
      body,
      status: status.status,
      phase: status.phase,
      reason: status.reason,
      starting_since: status.status === 'STARTING' ? this.#startingSince(observation) : 0,
      failures: (memo.context as { failures?: number } | undefined)?.failures ?? 0,
      runtime: status.runtime,
      incarnation: status.incarnation,
      agent_type: observation.desired.spec.agent_type,
      pool: observation.desired.spec.pool ?? '',
      desired: observation.desired.desired === 'running' && !hasEnded(status.status),
      spec: observation.desired.spec,
      turns: observation.heartbeat?.turns ?? 0,
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
    heartbeat: Pick<
      Heartbeat,
      'incarnation' | 'phase' | 'ready_at' | 'needs_secrets' | 'needs_checkpoint' | 'turns'
    > & { age_ms: number },
    silentMs: number,
  ): boolean {
    const worker = this.#workers.get(id);
    if (!worker || heartbeat.incarnation !== worker.incarnation) return false;
    const waits = worker.phase === 'booting' || worker.phase === ASSIGNED;
    if (worker.status === 'STARTING' || waits)
      return waits && (wasReady(heartbeat) || heartbeat.needs_secrets || heartbeat.needs_checkpoint) === true;
    if ((heartbeat.turns ?? 0) > worker.turns) return true;
    return (worker.phase === 'silent') !== heartbeat.age_ms >= silentMs && !ENDING.has(worker.phase);
  }

  /** Whether a workspace has become too large, or small enough again, since the status was written. */
  isWorkspaceNews(id: string, heartbeat: Pick<Heartbeat, 'incarnation' | 'workspace_bytes'>): boolean {
    const worker = this.#workers.get(id);
    if (!worker || heartbeat.incarnation !== worker.incarnation || worker.phase !== 'ready') return false;
    return isWorkspaceFull(worker.spec, heartbeat) !== (worker.reason === 'WorkspaceFull');
  }

  /** The numbers of workers, for the metrics. */
  count(): WorkerCounts {
    const kinds = new Map<string, Kind & { count: number }>();
    const reasons = new Map<string, WorkerCounts['reasons'][number]>();
    const counts = { desired: 0, crash_looping: 0, starting_since: new Map<string, number>() };
    for (const worker of this.#workers.values()) {
      const { status, runtime, agent_type, reason, phase } = worker;
      const kind = `${status} ${runtime} ${agent_type}`;
      const entry = kinds.get(kind);
      if (entry) entry.count += 1;
      else kinds.set(kind, { status, runtime, agent_type, count: 1 });
      if (reason !== '') {
        const key = `${status} ${reason}`;
        const same = reasons.get(key);
        if (same) same.count += 1;
        else reasons.set(key, { status, reason, count: 1 });
      }
      if (worker.desired) counts.desired += 1;
      if (status !== 'STARTING') continue;
      if (worker.failures >= CRASH_LOOP) counts.crash_looping += 1;
      const oldest = counts.starting_since.get(phase) ?? Number.POSITIVE_INFINITY;
      if (worker.starting_since < oldest) counts.starting_since.set(phase, worker.starting_since);
    }
    return { ...counts, kinds: [...kinds.values()], reasons: [...reasons.values()] };
  }

  /** A worker that this term has not seen before has been STARTING since its creation, or since now if it ran. */
  #startingSince({ worker_id, desired, status, now }: Observation): number {
    const before = this.#workers.get(worker_id);
    if (before) return before.starting_since || now;
    const first = (status?.incarnation ?? 1) <= 1;
    return Math.min(now, (first ? parseInstant(desired.created_at) : undefined) ?? now);
  }
}

/** The fields of a body that a list has as well; it has no exit codes. */
const toFingerprint = ({ id, state, paused }: Body) => `${id} ${state}${paused ? ' paused' : ''}`;
