import { Fault, type TaskView } from '../model/index.ts';

/** Throws a Fault if a task has ended: nothing of it can be cancelled, and a script must not take that for done. */
export function refuseEnded({ task_id, status }: TaskView): void {
  if (status !== 'completed' && status !== 'failed') return;
  throw new Fault('conflict', `The task ${task_id} was not cancelled: it has already ended (${status}).`);
}
