import type { RuntimeName } from './spec.ts';

/** Labels on every body, network, volume and image of ours; `managed` is the one to search by. */
export const LABEL = {
  managed: 'worker-manager.managed',
  cell: 'worker-manager.cell',
  workerId: 'worker-manager.worker-id',
  incarnation: 'worker-manager.incarnation',
  specHash: 'worker-manager.spec-hash',
  spec: 'worker-manager.spec',
  agentType: 'worker-manager.agent-type',
  pool: 'worker-manager.pool',
  epoch: 'worker-manager.epoch',
  store: 'worker-manager.store',
} as const;

/**
 * - `created`: exists and was never started; the next act starts it.
 * - `running`: a process is alive, also while paused or being stopped.
 * - `exited`: it ran, or could not be started, and nothing of it is alive.
 */
export type BodyState = 'created' | 'running' | 'exited';

/** What a runtime knows of one body, in the same words for every runtime. */
export interface Body {
  /** The engine's own id, never reused; acts that destroy name the body by it. */
  id: string;
  runtime: RuntimeName;
  worker_id: string;
  incarnation: number;
  spec_hash: string;
  /** The spec as it stands in the label, JSON; empty where it is unreadable. */
  spec: string;
  /** The identity of the store that it was made for; missing on one of an older version. */
  store?: string | undefined;
  state: BodyState;
  /** Only of an exited body, and only where the engine kept it. */
  exit_code?: number | undefined;
  oom_killed?: boolean | undefined;
  /** The engine's words on why it could not be started. */
  error?: string | undefined;
  /** Nobody saw how it ended, and why; instead of `exit_code` and `error`. */
  lost?: { reason: string; message: string } | undefined;
  /** Of a direct body that lives: its supervisor (the leader of its process group), or the first process that is left. */
  pid?: number | undefined;
  paused?: boolean | undefined;
  /** The engine's own check of it (HEALTHCHECK of its image) fails. */
  unhealthy?: boolean | undefined;
  /** Milliseconds since 1970. */
  created_at: number;
  started_at?: number | undefined;
  finished_at?: number | undefined;
  ip_address?: string | undefined;
  image?: string | undefined;
  /** The last lines that the body itself printed, only of an exited one, read before it is removed. */
  tail?: string | undefined;
}

/**
 * What is seen of a worker's bodies. Unknown is never absent: an incomplete list or a failed call changes
 * nothing. Ambiguous fails closed.
 */
export type Actual =
  | { kind: 'absent' }
  | { kind: 'present'; body: Body }
  | { kind: 'unknown'; error: string }
  | { kind: 'ambiguous'; ids: string[] };

/** What a body uses now. A figure that the machine cannot tell is absent. */
export interface Usage {
  /** Seconds of CPU since the start. */
  cpu_seconds?: number;
  memory_bytes?: number;
  pids?: number;
}
