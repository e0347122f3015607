/** The nodes that were started by hand: what they say of themselves. Nobody but they writes it. */
import { type Heartbeat, instant, type Summary } from '../model/index.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { toHeartbeat } from './parse.ts';
import { all } from './reply.ts';

/** A node that no manager has made, and none may end. */
export interface ExternalNode {
  node_id: string;
  pool: string;
  started_at: string;
  heartbeat: Heartbeat | undefined;
}

/** Of a node that has registered for longer ago than this there is nothing to read. */
const GONE_MS = 3_600_000;
const MOST = 1000;

/** Those that are alive, by when they last registered. */
export async function readNodes(
  redis: Link,
  keys: Pick<Keys, 'node' | 'nodes'>,
  now: number,
): Promise<ExternalNode[]> {
  const ids = await redis.zrange(keys.nodes, String(now - GONE_MS), '+inf', 'BYSCORE', 'LIMIT', 0, MOST);
  if (ids.length === 0) return [];
  const reads = redis.pipeline();
  for (const id of ids) reads.hgetall(keys.node(id));
  const replies = (await all(reads)) as Record<string, string>[];
  return ids.flatMap((node_id, at) => {
    const hash = replies[at];
    if (!hash?.pool) return [];
    const heartbeat = toHeartbeat(hash.heartbeat ?? null);
    return [{ node_id, pool: hash.pool, started_at: hash.started_at ?? instant(now), heartbeat }];
  });
}

/** A node in one line among workers: it has no record, so nobody asks anything of it. */
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
