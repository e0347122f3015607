/** A task worker with its own HTTP server (the node API), as `GET /v1/nodes` shows it. */
export interface NodeView {
  worker_id: string;
  pool: string;
  /** URL of the node API; null if it has none. */
  url: string | null;
  /** Started manually: the manager neither started it nor stops it. */
  external: boolean;
  state: NodeState;
  active_tasks: number;
  slots: number | null;
  /** CPU usage of its body; 100 is one core. Null if only the manager can measure it. */
  cpu_percent: number | null;
  /** Memory usage; 100 is its limit. */
  memory_percent: number | null;
  started_at: string;
}

/** `paused`: it exceeds its limits and takes no new tasks. */
export const NODE_STATES = ['starting', 'idle', 'busy', 'paused', 'draining'] as const;
export type NodeState = (typeof NODE_STATES)[number];
