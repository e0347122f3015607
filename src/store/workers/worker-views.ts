/** Reads workers as the HTTP API shows them, one by one and in pages. */
import { toAcceptedView, type WorkerView } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { parse, toHeartbeat } from '../parse.ts';
import { execAll } from '../reply.ts';
import { idsAfter } from './summaries.ts';

/** Workers per round trip. */
const SCAN_PAGE = 200;
/** Maximum workers that one page of a filtered list reads; the rest is for the next page. */
const SCANNED_AT_MOST = 5000;

const DESIRED = ['spec', 'desired', 'generation', 'created_at'] as const;
const STATUS = [
  ...([
    'status',
    'phase',
    'reason',
    'message',
    'incarnation',
    'restarts',
    'exit_code',
    'ip_address',
  ] as const),
  ...(['image', 'observed_generation', 'started_at', 'running_at', 'finished_at', 'next_retry_at'] as const),
];

export interface WorkerPage {
  items: WorkerView[];
  /** The last worker that was read, if there are more after it. */
  next: string | undefined;
}

/** The workers with these IDs, in their order; those without a record are omitted. */
export async function readWorkerViews(redis: Link, keys: Keys, ids: string[]): Promise<WorkerView[]> {
  if (ids.length === 0) return [];
  const records = ids.flatMap((id) => [keys.desired(id), keys.status(id)]);
  const fields = [DESIRED.length, ...DESIRED, ...STATUS];
  const replies = (await redis.views(records.length, ...records, ...fields)) as (Values | null)[];
  const views = ids.flatMap((id, at) => toView(id, replies[at * 2] ?? [], replies[at * 2 + 1] ?? []) ?? []);
  await addNodeUrls(redis, keys, views);
  return views;
}

/**
 * At most `limit` workers after `cursor` that `keep` accepts, in the order of their creation. It reads a bounded number of
 * workers, so a page may have fewer than `limit`, or none, although there are more.
 */
export async function readWorkerPage(
  redis: Link,
  keys: Keys,
  of: { limit: number; cursor: string | undefined; keep: ((view: WorkerView) => boolean) | undefined },
): Promise<WorkerPage> {
  const { limit, keep } = of;
  const items: WorkerView[] = [];
  let cursor = of.cursor;
  for (let scanned = 0; scanned < SCANNED_AT_MOST; ) {
    const size = keep ? SCAN_PAGE : limit;
    const { ids, next_cursor, positions } = await idsAfter(redis, keys.workers, size, cursor);
    scanned += size;
    for (const view of await readWorkerViews(redis, keys, ids)) {
      if (keep && !keep(view)) continue;
      items.push(view);
      const last = ids.at(-1) === view.worker_id && next_cursor === undefined;
      if (items.length === limit) return { items, next: last ? undefined : positions.get(view.worker_id) };
    }
    if (next_cursor === undefined) return { items, next: undefined };
    cursor = next_cursor;
    if (!keep) break;
  }
  return { items, next: cursor };
}

type Values = readonly (string | null | undefined)[];

function toView(worker_id: string, desiredValues: Values, statusValues: Values): WorkerView | undefined {
  const record = toFieldMap(DESIRED, desiredValues);
  const seen = toFieldMap(STATUS, statusValues);
  const spec = parse(record.spec) as Partial<WorkerView> | undefined;
  if (!spec || !record.desired) return undefined;
  const accepted = toAcceptedView(spec, { worker_id, created_at: record.created_at ?? '' });
  return {
    ...accepted,
    desired: record.desired as WorkerView['desired'],
    status: (seen.status as WorkerView['status'] | undefined) ?? accepted.status,
    phase: seen.phase ?? accepted.phase,
    reason: seen.reason ?? '',
    message: seen.message ?? '',
    exit_code: toNumber(seen.exit_code),
    incarnation: toNumber(seen.incarnation) ?? 0,
    restarts: toNumber(seen.restarts) ?? 0,
    generation: toNumber(record.generation) ?? 1,
    observed_generation: toNumber(seen.observed_generation) ?? 0,
    ip_address: seen.ip_address ?? null,
    image: seen.image ?? null,
    started_at: seen.started_at ?? null,
    running_at: seen.running_at ?? null,
    finished_at: seen.finished_at ?? null,
    next_retry_at: seen.next_retry_at ?? null,
  };
}

function toFieldMap<N extends string>(names: readonly N[], values: Values): Partial<Record<N, string>> {
  const found = names.flatMap((name, at) => (values[at] == null ? [] : [[name, values[at]] as const]));
  return Object.fromEntries(found) as Partial<Record<N, string>>;
}

const toNumber = (text: string | undefined) => (text === undefined ? null : Number(text));

/** Only a body knows the address at which it is reachable. */
async function addNodeUrls(redis: Link, keys: Keys, views: WorkerView[]): Promise<void> {
  const running = views.filter(({ agent_type, status }) => agent_type === 'TASK' && status === 'RUNNING');
  if (running.length === 0) return;
  const reads = redis.pipeline();
  for (const { worker_id } of running) reads.get(keys.heartbeat(worker_id));
  const beats = await execAll(reads, () => true);
  for (const [at, view] of running.entries())
    view.node_url = toHeartbeat(beats[at] as string | null)?.node_url ?? null;
}
