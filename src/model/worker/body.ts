import type { RuntimeName } from '../runtimes.ts';

/** Labels on every body, network, volume and image that the manager creates; `managed` is the one to filter by. */
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
  workspace: 'worker-manager.workspace',
  createdAt: 'worker-manager.created-at',
} as const;

/**
 * - `created`: exists but has never been started; the next action starts it.
 * - `running`: a process is alive, even if the body is paused or being stopped.
 * - `exited`: it ran, or could not be started, and none of its processes is alive.
 */
export type BodyState = 'created' | 'running' | 'exited';

/** What a runtime reports about a body, in the same terms for every runtime. */
export interface Body {
  /** The engine's own ID, which is never reused. Destructive actions use it to name the body. */
  id: string;
  runtime: RuntimeName;
  worker_id: string;
  incarnation: number;
  spec_hash: string;
  /** The spec from the label, as JSON; empty if it is unreadable. */
  spec: string;
  /** The identity of the store that the body was created for; absent on bodies of an older version. */
  store?: string | undefined;
  /** ID of the workspace that it uses; absent if its files end with it. */
  workspace?: string | undefined;
  state: BodyState;
  /** Set only for an exited body, and only if the engine kept it. */
  exit_code?: number | undefined;
  oom_killed?: boolean | undefined;
  /** The engine's error message, if the body could not be started. */
  error?: string | undefined;
  /** Set instead of `exit_code` and `error` if it is unknown how the body ended. */
  lost?: { reason: string; message: string } | undefined;
  /**
   * Set for a running direct body: its supervisor (the leader of its process group), or the first process that is left.
   */
  pid?: number | undefined;
  paused?: boolean | undefined;
  /** The engine's health check (HEALTHCHECK of its image) fails. */
  unhealthy?: boolean | undefined;
  /** Milliseconds since 1970. */
  created_at: number;
  started_at?: number | undefined;
  finished_at?: number | undefined;
  ip_address?: string | undefined;
  image?: string | undefined;
  /** The last lines that the body itself printed, read before it is removed; set only for an exited body. */
  tail?: string | undefined;
}

/**
 * The observed bodies of a worker. Unknown is never absent: an incomplete list or a failed call changes nothing.
 * Ambiguous fails closed.
 */
export type Actual =
  | { kind: 'absent' }
  | { kind: 'present'; body: Body }
  | { kind: 'unknown'; error: string }
  | { kind: 'ambiguous'; ids: string[] };

/** The current resource usage of a body. A value that the machine does not report is absent. */
export interface ResourceUsage {
  /** Seconds of CPU time since the start. */
  cpu_seconds?: number;
  memory_bytes?: number;
  pids?: number;
}
