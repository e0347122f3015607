import type { NodeView } from '../../model/task/node.ts';
import type { Summary } from '../../model/worker/record.ts';
import type { WorkerView } from '../../model/worker/worker-view.ts';
import { readManager, readManagerList } from '../api/manager-api.ts';
import type { Context } from '../context.ts';
import type { ManagerApi } from '../deps.ts';

/** All workers of the cell. */
export interface CellWorkers {
  workers: Summary[];
  /** The cell, if no manager leads it. */
  unled?: string;
}

/**
 * Asks the manager of the cell. Reads Redis if none is known, none answers or it does not lead, unless the user named
 * the manager: Redis is another source then.
 */
export async function listWorkers({ deps, session }: Context): Promise<CellWorkers> {
  const api = deps.api();
  if (api?.explicit) return { workers: (await askManager(api)).workers };
  if (api) {
    const answer = await askManager(api).catch(() => undefined);
    if (answer?.leads) return { workers: answer.workers };
  }
  const open = await session();
  const [workers, leader] = [await open.store.summaries(), await open.leader()];
  return leader ? { workers } : { workers, unled: open.settings.cell };
}

async function askManager(api: ManagerApi): Promise<{ workers: Summary[]; leads: boolean }> {
  const [workers, nodes, health] = await Promise.all([
    readManagerList<WorkerView>(api, '/v1/workers?limit=1000'),
    readManagerList<NodeView>(api, '/v1/nodes'),
    // 503 is also an answer.
    readManager<{ checks?: { leadership?: { message?: string } } }>(api, '/healthz', [200, 503]),
  ]);
  const external = nodes.filter((node) => node.external);
  return {
    workers: [...workers.map(toSummary), ...external.map(toNodeSummary)],
    leads: health.checks?.leadership?.message === 'leader',
  };
}

/** The same as from Redis, so that the output does not depend on the source. */
function toSummary(view: WorkerView): Summary {
  const { worker_id, agent_type, desired, status, phase, reason, restarts, incarnation, created_at } = view;
  const { name, runtime, labels, exit_code, pool, node_url } = view;
  return {
    worker_id,
    name: name ?? undefined,
    agent_type,
    runtime: runtime ?? undefined,
    labels,
    desired,
    status,
    phase,
    reason,
    ...(exit_code && { exit_code }),
    restarts,
    incarnation,
    created_at,
    ...(pool !== null && { pool }),
    ...(node_url !== null && { node_url }),
  };
}

/** A node that was started manually. */
function toNodeSummary({ worker_id, pool, state, started_at, url }: NodeView): Summary {
  return {
    worker_id,
    name: undefined,
    agent_type: 'TASK',
    runtime: 'external',
    labels: undefined,
    desired: 'external',
    status: 'RUNNING',
    phase: state === 'starting' ? 'booting' : state === 'draining' ? 'ending' : 'ready',
    reason: '',
    restarts: 0,
    incarnation: 1,
    created_at: started_at,
    external: true,
    pool,
    ...(url !== null && { node_url: url }),
  };
}
