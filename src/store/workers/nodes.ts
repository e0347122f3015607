/** Manually started nodes, and their reports. Only the nodes write these. */
import {
  formatInstant,
  type Heartbeat,
  type NodeState,
  type NodeView,
  type Summary,
} from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { toHeartbeat } from '../parse.ts';
import { execAll } from '../reply.ts';

/** A node that no manager has created, and none may end. */
export interface ExternalNode {
  node_id: string;
  pool: string;
  started_at: string;
  heartbeat: Heartbeat | undefined;
}

/** Age of the last registration after which nothing is left to read of a node. */
const GONE_MS = 3_600_000;
const MOST = 1000;

/** The live nodes, by the time of their last registration. */
export async function readNodes(
  redis: Link,
  keys: Pick<Keys, 'node' | 'nodes'>,
  now: number,
): Promise<ExternalNode[]> {
  const ids = await redis.zrange(keys.nodes, String(now - GONE_MS), '+inf', 'BYSCORE', 'LIMIT', 0, MOST);
  if (ids.length === 0) return [];
  const reads = redis.pipeline();
  for (const id of ids) reads.hgetall(keys.node(id));
  const replies = (await execAll(reads)) as Record<string, string>[];
  return ids.flatMap((node_id, at) => {
    const hash = replies[at];
    if (!hash?.pool) return [];
    const heartbeat = toHeartbeat(hash.heartbeat ?? null);
    return [{ node_id, pool: hash.pool, started_at: hash.started_at ?? formatInstant(now), heartbeat }];
  });
}

/** Summarizes a node among workers: it has no record, so it gets no commands. */
export function nodeSummary({ node_id, pool, started_at, heartbeat }: ExternalNode): Summary {
  const ending = heartbeat?.phase === 'ending';
  return {
    worker_id: node_id,
    name: undefined,
    agent_type: 'TASK',
    runtime: 'external',
    labels: undefined,
    desired: 'external',
    status: 'RUNNING',
    phase: ending ? 'ending' : (heartbeat?.phase ?? 'booting'),
    reason: '',
    restarts: 0,
    incarnation: heartbeat?.incarnation ?? 1,
    created_at: started_at,
    external: true,
    pool,
    ...(heartbeat?.node_url !== undefined && { node_url: heartbeat.node_url }),
  };
}

/** Converts the report of a node, external or not; without a report it is starting. Pure. */
function nodeView(
  node: Pick<NodeView, 'worker_id' | 'pool' | 'external' | 'started_at'>,
  heartbeat: Heartbeat | undefined,
): NodeView {
  return {
    ...node,
    url: heartbeat?.node_url !== undefined && URL.canParse(heartbeat.node_url) ? heartbeat.node_url : null,
    state: toNodeState(heartbeat),
    active_tasks: heartbeat?.active_tasks ?? 0,
    slots: heartbeat?.slots ?? null,
    cpu_percent: heartbeat?.cpu_percent ?? null,
    memory_percent: heartbeat?.memory_percent ?? null,
  };
}

function toNodeState(heartbeat: Heartbeat | undefined): NodeState {
  if (!heartbeat || heartbeat.phase === 'booting') return 'starting';
  if (heartbeat.phase === 'ending') return 'draining';
  if (heartbeat.paused) return 'paused';
  return heartbeat.busy ? 'busy' : 'idle';
}

/** The manually started nodes, as `GET /v1/nodes` shows them. */
export async function readNodeViews(
  redis: Link,
  keys: Pick<Keys, 'node' | 'nodes'>,
  now: number,
): Promise<NodeView[]> {
  const nodes = await readNodes(redis, keys, now);
  return nodes.map(({ node_id, pool, started_at, heartbeat }) =>
    nodeView({ worker_id: node_id, pool, started_at, external: true }, heartbeat),
  );
}

/** The running task workers among these workers. */
export async function ownNodes(
  all: readonly Summary[],
  heartbeats: (ids: string[]) => Promise<(string | null)[]>,
): Promise<NodeView[]> {
  const workers = all.filter(
    ({ agent_type, status, external }) => agent_type === 'TASK' && status === 'RUNNING' && !external,
  );
  const beats = await heartbeats(workers.map(({ worker_id }) => worker_id));
  return workers.map(({ worker_id, pool = '', created_at }, at) =>
    nodeView({ worker_id, pool, external: false, started_at: created_at }, toHeartbeat(beats[at])),
  );
}
