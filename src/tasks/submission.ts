import { toIssues } from '../model/command.ts';
import { Fault } from '../model/fault.ts';
import { type Task, taskId, taskSubmission } from '../model/task.ts';

/** Issues that a sentence names; all of them are in `issues`. */
const TOLD = 5;

/** Reads what somebody submits; throws a Fault `invalid_command` that names every field at fault. */
export function readSubmission(given: unknown): Task {
  const read = taskSubmission.safeParse(given);
  if (read.success) return read.data;
  const issues = toIssues(read.error);
  const list = issues.slice(0, TOLD).map(({ path, message }) => (path ? `${path} ${message}` : message));
  throw new Fault('invalid_command', `The task was refused: ${list.join('; ')}.`, { issues });
}

/** Whether a text can be the id of a task; what cannot be has never been one. */
export const isTaskId = (text: string): boolean => taskId.safeParse(text).success;
