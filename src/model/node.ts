/** A task worker that answers over HTTP for itself (the node API), as `GET /v1/nodes` shows it. */
export interface NodeView {
  worker_id: string;
  pool: string;
  /** Where it answers; null if it does not. */
  url: string | null;
  /** Started by hand: no manager made it, and none ends it. */
  external: boolean;
  state: NodeState;
  active_tasks: number;
  slots: number | null;
  /** Of its body, 100 for one core; null if only the manager can tell. */
  cpu_percent: number | null;
  /** Of the memory that it may use. */
  memory_percent: number | null;
  started_at: string;
}

/** `paused`: it is above its limits and takes nothing new. */
export const NODE_STATES = ['starting', 'idle', 'busy', 'paused', 'draining'] as const;
export type NodeState = (typeof NODE_STATES)[number];
