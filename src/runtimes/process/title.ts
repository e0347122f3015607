import type { WorkerSpec } from '../../model/index.ts';

/**
 * The name that `ps` and `pgrep -f` show for a body: `direct-{type}-{index}-{uuid}`, as named by its pool.
 * For a worker without a pool, the index is 0 and the UUID is the worker's ID. It is the last argument of the
 * wrapper and has no other use.
 */
export function formatTitle(spec: WorkerSpec, workerId: string): string {
  if (spec.name?.startsWith('direct-')) return spec.name;
  return `direct-${(spec.worker_type ?? spec.agent_type).toLowerCase()}-0-${workerId}`;
}
