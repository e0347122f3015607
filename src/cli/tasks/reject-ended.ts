import { Fault, type TaskView } from '../../model/index.ts';

/** Throws a Fault if a task has already ended: it was not cancelled, and a script must be able to detect that. */
export function rejectEnded({ task_id, status }: TaskView): void {
  if (status !== 'completed' && status !== 'failed') return;
  throw new Fault('conflict', `The task ${task_id} was not cancelled: it has already ended (${status}).`);
}
