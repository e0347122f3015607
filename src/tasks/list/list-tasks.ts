/**
 * Lists the tasks of several queues as one list, page by page: running ones (newest first), queued ones in the order in which
 * they are taken, then ended ones (newest first). A cursor holds the place of the last task, so a page costs the same wherever
 * it is, and a task that stays where it is appears exactly once.
 */
import type { TaskPage, TaskQuery, TaskStatus, TaskView } from '../../model/task/task.ts';
import type { TaskLink } from '../connect.ts';
import { withQueueErrors } from '../queue-errors.ts';
import { getQueueKeys, type QueueKeys } from '../queue-keys.ts';
import {
  comparePlaces,
  isNewestFirst,
  type Place,
  readCursor,
  SECTIONS,
  type Section,
  toCursor,
} from './list-cursor.ts';
import { readTask } from './read-task.ts';

const PAGE = 100;
/** Maximum length of a page, because all its tasks are in memory. */
export const TASK_PAGE_LIMIT = 1000;
/** Longest result, error or progress of a task in a list, in bytes, so that a page fits into memory. */
const LONGEST_FIELD = 8192;
/** Tasks of one pool that ended in the same millisecond. */
const SAME_INSTANT = 10_000;

const SECTIONS_OF: Record<TaskStatus, readonly Section[]> = {
  running: ['running'],
  queued: ['returned', 'waiting', 'delayed'],
  completed: ['ended'],
  failed: ['ended'],
};

/** The tasks of these pools after the cursor. Tasks that move while they are read may be missing from the page. */
export async function listTasks(
  redis: TaskLink,
  cell: string,
  pools: readonly string[],
  query: TaskQuery,
): Promise<TaskPage> {
  const { status, cursor, limit = PAGE } = query;
  const after = cursor === undefined ? undefined : readCursor(cursor, query);
  const size = Math.max(1, Math.min(limit, TASK_PAGE_LIMIT));
  const wanted = status === undefined ? SECTIONS : SECTIONS_OF[status];
  const sections = wanted.filter(
    (section) => !after || SECTIONS.indexOf(section) >= SECTIONS.indexOf(after.section),
  );
  const found: Place[] = [];
  for (const section of sections) {
    if (found.length > size) break;
    const from = after?.section === section ? after : undefined;
    const read = (pool: string) =>
      readSection(redis, getQueueKeys(cell, pool), { pool, section, status, from, size });
    const places = (await Promise.all(pools.map(read))).flat().sort(comparePlaces);
    found.push(...places.filter((place) => !from || comparePlaces(place, from) > 0));
  }
  const page = found.slice(0, size);
  const tasks = page.map(({ pool, jobId }) =>
    readTask(redis, { pool, jobId, queueKeys: getQueueKeys(cell, pool) }, LONGEST_FIELD),
  );
  const views = (await Promise.all(tasks)).map((task) => task?.view);
  const last = page.at(-1);
  return {
    items: views.filter(
      (view): view is TaskView => view !== undefined && (!status || view.status === status),
    ),
    next_cursor: last && found.length > size ? toCursor(last, query) : null,
  };
}

interface SectionQuery {
  pool: string;
  section: Section;
  status: TaskStatus | undefined;
  from: Place | undefined;
  size: number;
}

/** At least the first `size + 1` places of a section after `from`, or all there are. */
function readSection(redis: TaskLink, queueKeys: QueueKeys, query: SectionQuery): Promise<Place[]> {
  const { pool, section, status } = query;
  const read = async (): Promise<string[]> => {
    if (section === 'running') return readList(redis, queueKeys, 'active', 'processedOn');
    if (section === 'returned') return readList(redis, queueKeys, 'wait', 'timestamp');
    if (section === 'waiting') return readSet(redis, queueKeys.key('prioritized'), query);
    if (section === 'delayed') return readSet(redis, queueKeys.key('delayed'), query);
    const kinds = (['completed', 'failed'] as const).filter(
      (kind) => status === undefined || kind === status,
    );
    return (await Promise.all(kinds.map((kind) => readSet(redis, queueKeys.key(kind), query)))).flat();
  };
  return withQueueErrors('list tasks', pool, async () => {
    const found = await read();
    const sign = isNewestFirst(section) ? -1 : 1;
    return found.flatMap((jobId, at) =>
      at % 2 === 0 ? [{ section, pool, jobId, order: sign * (Number(found[at + 1]) || 0) }] : [],
    );
  });
}

/** A list of BullMQ is short: it has the tasks that workers run, or that have come back from workers. */
async function readList(
  redis: TaskLink,
  { key, base }: QueueKeys,
  name: string,
  field: string,
): Promise<string[]> {
  return (await redis.taskDated(key(name), base, field)) as string[];
}

async function readSet(
  redis: TaskLink,
  key: string,
  { section, from, size }: SectionQuery,
): Promise<string[]> {
  const count = size + 1;
  const newest = isNewestFirst(section);
  if (!from)
    return newest
      ? redis.zrange(key, '0', String(size), 'REV', 'WITHSCORES')
      : redis.zrange(key, '0', String(size), 'WITHSCORES');
  const score = String(Math.abs(from.order));
  const beyond = newest
    ? redis.zrange(key, `(${score}`, '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, count, 'WITHSCORES')
    : redis.zrange(key, `(${score}`, '+inf', 'BYSCORE', 'LIMIT', 0, count, 'WITHSCORES');
  const same = redis.zrange(key, score, score, 'BYSCORE', 'LIMIT', 0, SAME_INSTANT, 'WITHSCORES');
  return [...(await same), ...(await beyond)];
}
