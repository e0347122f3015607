/** Tasks that have ended, for their traces. */
import type { TaskLink } from '../connect.ts';
import { parseWholeNumber } from '../job.ts';
import { type QueueKeys, toTaskId } from '../queue-keys.ts';

export interface EndedTask {
  task_id: string;
  failed: boolean;
  /** Milliseconds since 1970; the start is that of the last attempt, absent if there was none. */
  queued_at: number;
  started_at?: number | undefined;
  ended_at: number;
  attempts: number;
  /** The worker of the last attempt. */
  worker_id?: string | undefined;
  /** The trace that it was submitted in. */
  traceparent?: string | undefined;
}

/** At most `most` completed and `most` failed tasks that ended at or after `since`. */
export async function readEndedTasks(
  redis: TaskLink,
  { key, base }: QueueKeys,
  since: number,
  most: number,
): Promise<EndedTask[]> {
  const rows = (await redis.taskEnded(key('completed'), key('failed'), base, since, most)) as Row[];
  return rows.flatMap(([id, failed, queued, started, ended, attempts, worker, traceparent]) => {
    const [queued_at, ended_at] = [parseWholeNumber(queued), parseWholeNumber(ended)];
    if (queued_at === undefined || ended_at === undefined) return [];
    return {
      task_id: toTaskId(id),
      failed: failed === 1,
      queued_at,
      started_at: parseWholeNumber(started),
      ended_at,
      attempts: parseWholeNumber(attempts) ?? 0,
      worker_id: worker ?? undefined,
      traceparent: traceparent ?? undefined,
    };
  });
}

type Text = string | null;
type Row = [string, number, Text, Text, Text, Text, Text, Text];
