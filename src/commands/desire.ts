import { type CommandOf, Fault } from '../model/index.ts';
import { type Plan, refusal, success } from './context.ts';

type Target = CommandOf<'delete' | 'stop' | 'start'>;

/** Ends the worker and forgets it. Deleting what is deleted is a success. */
export const deleteWorker = (command: CommandOf<'delete'>): Plan => desire(command, 'deleted');

/** Ends the body and keeps the record. */
export const stopWorker = (command: CommandOf<'stop'>): Plan => desire(command, 'stopped');

/** Brings a stopped or failed worker to life again, with a new body. */
export const startWorker = (command: CommandOf<'start'>): Plan => desire(command, 'running');

function desire(command: Target, desired: 'deleted' | 'stopped' | 'running'): Plan {
  const { worker_id } = command;
  const never = new Fault('not_found', `There is no worker ${worker_id}.`);
  const deleted = new Fault('conflict', `The worker ${worker_id} was deleted; create another one.`);
  return {
    operation: 'desire',
    workerId: worker_id,
    desired,
    answers: {
      ok: success(command, { worker_id }),
      not_found: refusal(command, never),
      conflict: refusal(command, deleted),
    },
  };
}
