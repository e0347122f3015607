/** Which workers a table shows, and in which order. Pure. */
import type { WorkerInfo } from '../../src/client/types.ts';

/** CPU and memory of a worker at the last check. */
export interface WorkerUsage {
  cpu_percent: number | null;
  memory_bytes: number | null;
}
export type UsageById = ReadonlyMap<string, WorkerUsage>;

export const SORT_KEYS = ['age', 'name', 'status', 'reason', 'cpu', 'memory', 'image'] as const;
export type SortKey = (typeof SORT_KEYS)[number];
export const GROUP_KEYS = ['none', 'status', 'pool', 'type', 'runtime'] as const;
export type GroupKey = (typeof GROUP_KEYS)[number];

export interface WorkerOrder {
  key: SortKey;
  descending: boolean;
}

export type TableRow =
  | { kind: 'group'; key: string; name: string; count: number }
  | { kind: 'worker'; key: string; worker: WorkerInfo };

/** The order of importance: what needs a person comes first. */
const STATUS_ORDER: Record<string, number> = { FAILED: 0, STARTING: 1, RUNNING: 2, STOPPED: 3 };

/** The text in which a filter looks, made once for each version of a worker. */
const texts = new WeakMap<WorkerInfo, string>();
function textOf(worker: WorkerInfo): string {
  const known = texts.get(worker);
  if (known !== undefined) return known;
  const labels = Object.entries(worker.labels).map(([name, value]) => `label:${name}=${value}`);
  const text = [
    worker.worker_id,
    worker.name,
    `type:${worker.agent_type}`,
    `runtime:${worker.runtime ?? ''}`,
    `pool:${worker.pool ?? ''}`,
    `status:${worker.status}`,
    `phase:${worker.phase}`,
    `reason:${worker.reason}`,
    worker.message,
    worker.image,
    ...labels,
  ]
    .join('\n')
    .toLowerCase();
  texts.set(worker, text);
  return text;
}

/** Workers that contain every word of the filter; `-word` leaves out those that contain it. */
export function filterWorkers(workers: readonly WorkerInfo[], filter: string): readonly WorkerInfo[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return workers;
  const matches = (text: string) =>
    words.every((word) =>
      word.length > 1 && word.startsWith('-') ? !text.includes(word.slice(1)) : text.includes(word),
    );
  return workers.filter((worker) => matches(textOf(worker)));
}

/** The workers, given in the order of their creation, in another order. */
export function sortWorkers(
  workers: readonly WorkerInfo[],
  { key, descending }: WorkerOrder,
  usage: UsageById,
): readonly WorkerInfo[] {
  const read = getValue(key, usage);
  // Each value is computed once; equal ones keep their order.
  const keyed = workers.map((worker) => ({ worker, value: read(worker) }));
  const sign = descending ? -1 : 1;
  if (key !== 'age') keyed.sort((a, b) => sign * (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  // The oldest comes first in what is given.
  else if (!descending) keyed.reverse();
  return keyed.map(({ worker }) => worker);
}

function getValue(key: SortKey, usage: UsageById): (worker: WorkerInfo) => string | number {
  switch (key) {
    case 'age':
      return () => 0;
    case 'name':
      return ({ name, worker_id }) => (name ?? `\uffff${worker_id}`).toLowerCase();
    case 'status':
      return ({ status, phase }) => `${STATUS_ORDER[status]} ${phase}`;
    case 'reason':
      return ({ reason }) => reason || '\uffff';
    case 'cpu':
      return ({ worker_id }) => usage.get(worker_id)?.cpu_percent ?? -1;
    case 'memory':
      return ({ worker_id }) => usage.get(worker_id)?.memory_bytes ?? -1;
    case 'image':
      return ({ image }) => image ?? '\uffff';
  }
}

/** The rows with a heading for each group. */
export function groupWorkers(workers: readonly WorkerInfo[], by: GroupKey): TableRow[] {
  const toRow = (worker: WorkerInfo): TableRow => ({ kind: 'worker', key: worker.worker_id, worker });
  if (by === 'none') return workers.map(toRow);
  const groups = new Map<string, WorkerInfo[]>();
  for (const worker of workers) {
    const name = groupOf(worker, by);
    const group = groups.get(name);
    if (group) group.push(worker);
    else groups.set(name, [worker]);
  }
  const order = (name: string) => `${by === 'status' ? STATUS_ORDER[name] : ''}${name}`;
  return [...groups]
    .sort(([a], [b]) => (order(a) < order(b) ? -1 : 1))
    .flatMap(([name, members]): TableRow[] => [
      { kind: 'group', key: `group ${name}`, name, count: members.length },
      ...members.map(toRow),
    ]);
}

function groupOf(worker: WorkerInfo, by: Exclude<GroupKey, 'none'>): string {
  if (by === 'status') return worker.status;
  if (by === 'pool') return worker.pool ?? 'no pool';
  if (by === 'type') return worker.agent_type;
  return worker.runtime ?? 'no runtime yet';
}
