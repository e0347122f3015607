/**
 * Submits many tasks at once. Each line is a task of its own: it is accepted or refused alone, whatever the others are. Invariants:
 * results are in the order of the lines, and so are accepted tasks in their queues; memory is bounded by the window.
 */

import type { TaskAccepted } from '../model/task/task.ts';
import { errorMessage, Fault, type FaultCode, type Issue } from '../model/values/fault.ts';
import { parseTaskLine, type TaskLine } from './task-lines.ts';

/** The result of one line. */
export type BulkResult = { line: number } & (AcceptedTask | { error: BulkError });
export type AcceptedTask = TaskAccepted & { pool: string; warning?: string };
export interface BulkError {
  code: FaultCode;
  message: string;
  /** Paths are of the line's fields. */
  issues?: Issue[];
}

/** A task that was checked, and whose queue is known. */
export interface PreparedTask {
  submit(): Promise<AcceptedTask>;
}

/** Submissions that wait for Redis at the same time. */
const WINDOW = 256;

/** Yields one result a line. After Redis has failed once, the other lines are not tried. */
export async function* submitLines(
  lines: AsyncIterable<TaskLine>,
  prepare: (input: unknown, line: number) => Promise<PreparedTask>,
): AsyncGenerator<BulkResult> {
  const sent: Promise<BulkResult>[] = [];
  let failedAt: number | undefined;
  let warm = false;
  const toResult = async (line: number, accepted: Promise<AcceptedTask>): Promise<BulkResult> => {
    try {
      return { line, ...(await accepted) };
    } catch (thrown) {
      const error = toBulkError(thrown);
      if (error.code === 'unavailable') failedAt ??= line;
      return { line, error };
    }
  };
  const submit = async (line: TaskLine): Promise<{ accepted: Promise<AcceptedTask> }> => {
    if (failedAt !== undefined)
      throw new Fault(
        'unavailable',
        `Not submitted, because line ${failedAt} failed. Submit it again later.`,
      );
    const task = await prepare(parseTaskLine(line), line.line);
    return { accepted: task.submit() };
  };
  for await (const line of lines) {
    // Redis executes submissions in the order in which they are sent, so only their replies are awaited together.
    const started = await submit(line).catch((error: unknown) => ({
      accepted: Promise.reject<AcceptedTask>(error),
    }));
    const result = toResult(line.line, started.accepted);
    sent.push(result);
    // The first one loads the script; those sent before it is there would be sent again, behind later ones.
    if (!warm) warm = !('error' in (await result));
    if (sent.length >= WINDOW) yield (await sent.shift()) as BulkResult;
  }
  for (const result of sent) yield await result;
}

function toBulkError(thrown: unknown): BulkError {
  if (!(thrown instanceof Fault)) return { code: 'internal', message: errorMessage(thrown) };
  const { code, message, issues } = thrown;
  return { code, message, ...(issues && { issues }) };
}
