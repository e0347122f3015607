import type { DesiredRecord, Heartbeat, Summary } from '../model/index.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { nodeSummary, readNodes } from './nodes.ts';
import { parse } from './parse.ts';
import { all } from './reply.ts';

/** A short line for each worker, in the order of their creation, and then for each node that was started by hand. */
export async function readSummaries(
  redis: Link,
  keys: Keys,
  heartbeats: (ids: string[]) => Promise<(string | null)[]>,
): Promise<Summary[]> {
  const [workers, nodes] = await Promise.all([readWorkers(redis, keys), readNodes(redis, keys, Date.now())]);
  // Only a body knows where it answers.
  const asked = workers.filter(({ agent_type }) => agent_type === 'TASK');
  const beats = await heartbeats(asked.map(({ worker_id }) => worker_id));
  for (const [at, worker] of asked.entries()) {
    const { node_url } = (parse(beats[at]) ?? {}) as Partial<Heartbeat>;
    if (node_url !== undefined && worker.status === 'RUNNING') worker.node_url = node_url;
  }
  return [...workers, ...nodes.map(nodeSummary)];
}

async function readWorkers(redis: Link, keys: Keys): Promise<Summary[]> {
  const ids = await redis.zrange(keys.workers, '0', '-1');
  const reads = redis.pipeline();
  for (const id of ids) {
    reads.hmget(keys.desired(id), 'spec', 'desired', 'created_at');
    reads.hmget(keys.status(id), 'status', 'phase', 'reason', 'restarts', 'incarnation', 'exit_code');
  }
  const replies = (await all(reads)) as (string | null)[][];
  return ids.flatMap((worker_id, at) => {
    const [spec, desired, created_at] = replies[at * 2] ?? [];
    const [status, phase, reason, restarts, incarnation, exit_code] = replies[at * 2 + 1] ?? [];
    const read = parse(spec) as Partial<DesiredRecord['spec']> | undefined;
    if (!read || !desired) return [];
    const { name, agent_type, runtime, labels, pool } = read;
    return [
      {
        worker_id,
        ...{ name, agent_type, runtime, labels, desired },
        ...{ status: status ?? 'STARTING', phase: phase ?? 'accepted', reason: reason ?? '' },
        ...(exit_code && { exit_code: Number(exit_code) }),
        restarts: Number(restarts ?? 0),
        incarnation: Number(incarnation ?? 0),
        created_at: created_at ?? '',
        ...(pool !== undefined && { pool }),
      },
    ];
  });
}
