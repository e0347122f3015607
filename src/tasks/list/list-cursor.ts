import type { TaskQuery } from '../../model/task/task.ts';
import { Fault } from '../../model/values/fault.ts';

/** The sections of a list, in their order. */
export const SECTIONS = ['running', 'returned', 'waiting', 'delayed', 'ended'] as const;
export type Section = (typeof SECTIONS)[number];

/** The place of a task in a list. */
export interface Place {
  section: Section;
  /** Rises in the list. */
  order: number;
  pool: string;
  jobId: string;
}

/** Compares the places of tasks of one section. Tasks of one instant are ordered by pool and ID, as Redis does. */
export function comparePlaces(a: Place, b: Place): number {
  const ids = compare(a.jobId, b.jobId);
  return a.order - b.order || compare(a.pool, b.pool) || (isNewestFirst(a.section) ? -ids : ids);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether a section begins with the newest task; then `order` is a negative time. */
export const isNewestFirst = (section: Section): boolean => section === 'running' || section === 'ended';

/** The cursor after a place, for a list of the same filters. */
export function toCursor({ section, order, pool, jobId }: Place, filters: TaskQuery): string {
  return Buffer.from(JSON.stringify([...toKey(filters), section, order, pool, jobId])).toString('base64url');
}

const toKey = ({ pool, status }: TaskQuery) => [pool ?? null, status ?? null];

/** Longest cursor that is read: twice the longest pool and ID. */
const CURSOR_LENGTH = 1000;

/** The place that a cursor holds; throws a Fault `invalid_command` if it is not of a list with these filters. */
export function readCursor(cursor: string, filters: TaskQuery): Place {
  const fields = parse(cursor);
  if (!fields) throw wrongCursor('is not a cursor of a list of tasks');
  const [ofPool, ofStatus, section, order, pool, jobId] = fields;
  const [wantedPool, wantedStatus] = toKey(filters);
  if (ofPool !== wantedPool || ofStatus !== wantedStatus)
    throw wrongCursor('is of a list with another pool or status; omit it to start from the beginning');
  return {
    section: section as Section,
    order: order as number,
    pool: pool as string,
    jobId: jobId as string,
  };
}

function parse(cursor: string): unknown[] | undefined {
  if (cursor.length > CURSOR_LENGTH) return undefined;
  try {
    const fields: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(fields) || fields.length !== 6) return undefined;
    const [, , section, order, pool, jobId] = fields;
    const sound =
      SECTIONS.includes(section) &&
      Number.isFinite(order) &&
      typeof pool === 'string' &&
      typeof jobId === 'string';
    return sound ? fields : undefined;
  } catch {
    return undefined;
  }
}

function wrongCursor(message: string): Fault {
  return new Fault('invalid_command', `The tasks cannot be listed: cursor ${message}.`, {
    issues: [{ path: 'cursor', message }],
  });
}
