import type { DesiredRecord, Summary } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { parse, toHeartbeat } from '../parse.ts';
import { execAll } from '../reply.ts';
import { nodeSummary, readNodes } from './nodes.ts';

export interface SummaryPage {
  summaries: Summary[];
  /** The cursor of the next page; absent on the last one. */
  next_cursor?: string;
}

/**
 * Workers after the cursor, in the order of their creation; the last page ends with the manually started
 * nodes.
 */
export async function readPage(
  redis: Link,
  keys: Keys,
  heartbeats: (ids: string[]) => Promise<(string | null)[]>,
  { limit, cursor }: { limit: number; cursor: string | undefined },
): Promise<SummaryPage> {
  const { ids, next_cursor } = await idsAfter(redis, keys.workers, limit, cursor);
  const last = next_cursor === undefined;
  const [workers, nodes] = await Promise.all([
    readWorkers(redis, keys, ids),
    last ? readNodes(redis, keys, Date.now()) : [],
  ]);
  // Only a body knows the address at which it is reachable.
  const summaries = workers.filter(({ agent_type }) => agent_type === 'TASK');
  const beats = await heartbeats(summaries.map(({ worker_id }) => worker_id));
  for (const [at, worker] of summaries.entries()) {
    const node_url = toHeartbeat(beats[at])?.node_url;
    if (node_url !== undefined && worker.status === 'RUNNING') worker.node_url = node_url;
  }
  return { summaries: [...workers, ...nodes.map(nodeSummary)], ...(last ? {} : { next_cursor }) };
}

/**
 * A cursor contains the creation time and ID of the last worker before it, so it stays valid when others
 * change. Ranks are not used: they change when an earlier worker is deleted.
 */
export async function idsAfter(redis: Link, key: string, limit: number, cursor: string | undefined) {
  const most = limit + 1;
  let entries: [string, string][];
  if (cursor === undefined) entries = toPairs(await redis.zrange(key, '0', String(limit), 'WITHSCORES'));
  else {
    const [created, id] = splitCursor(cursor);
    const [same, later] = (await execAll(
      redis
        .pipeline()
        .zrangebyscore(key, created, created, 'WITHSCORES')
        .zrangebyscore(key, `(${created}`, '+inf', 'WITHSCORES', 'LIMIT', 0, most),
    )) as [string[], string[]];
    entries = [...toPairs(same).filter(([one]) => one > id), ...toPairs(later)];
  }
  const page = entries.slice(0, limit);
  const [lastId, score] = page.at(-1) ?? ['', '0'];
  const positions = new Map(page.map(([one, at]) => [one, `${at}-${one}`]));
  return {
    ids: page.map(([one]) => one),
    positions,
    next_cursor: entries.length > limit ? `${score}-${lastId}` : undefined,
  };
}

/** Members with their scores. */
const toPairs = (found: string[]): [string, string][] =>
  found.flatMap((text, at) => (at % 2 === 0 ? [[text, found[at + 1] ?? '0'] as [string, string]] : []));

function splitCursor(cursor: string): [string, string] {
  const at = cursor.indexOf('-');
  return [cursor.slice(0, at), cursor.slice(at + 1)];
}

async function readWorkers(redis: Link, keys: Keys, ids: string[]): Promise<Summary[]> {
  const reads = redis.pipeline();
  for (const id of ids) {
    reads.hmget(keys.desired(id), 'spec', 'desired', 'created_at');
    reads.hmget(keys.status(id), 'status', 'phase', 'reason', 'restarts', 'incarnation', 'exit_code');
  }
  const replies = (await execAll(reads)) as (string | null)[][];
  return ids.flatMap((worker_id, at) => {
    const [spec, desired, created_at] = replies[at * 2] ?? [];
    const [status, phase, reason, restarts, incarnation, exit_code] = replies[at * 2 + 1] ?? [];
    const read = parse(spec) as Partial<DesiredRecord['spec']> | undefined;
    if (!read || !desired) return [];
    const { name, agent_type, runtime, labels, pool } = read;
    return [
      {
        worker_id,
        name,
        agent_type,
        runtime,
        labels,
        desired,
        status: status ?? 'STARTING',
        phase: phase ?? 'accepted',
        reason: reason ?? '',
        ...(exit_code && { exit_code: Number(exit_code) }),
        restarts: Number(restarts ?? 0),
        incarnation: Number(incarnation ?? 0),
        created_at: created_at ?? '',
        ...(pool !== undefined && { pool }),
      },
    ];
  });
}
