import type { WorkerSpec } from '../../model/index.ts';

/**
 * What `ps` and `pgrep -f` show of a body: `direct-{type}-{index}-{uuid}`, which its pool has given to it as a name;
 * of a worker without a pool the index is 0 and the id its own. The last argument of the wrapper, which needs it for
 * nothing else than to be seen.
 */
export function formatTitle(spec: WorkerSpec, workerId: string): string {
  if (spec.name?.startsWith('direct-')) return spec.name;
  return `direct-${(spec.worker_type ?? spec.agent_type).toLowerCase()}-0-${workerId}`;
}
