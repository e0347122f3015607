import { type CommandOf, Fault, hasEnded, instant, type LifecycleEvent } from '../model/index.ts';
import { type CommandContext, type Plan, refusal, success } from './context.ts';

type Target = CommandOf<'delete' | 'stop' | 'start'>;

type Known = Pick<CommandContext, 'now' | 'full'> & { store: Pick<CommandContext['store'], 'status'> };

/** Ends the worker and forgets it. Deleting what is deleted is a success. */
export const deleteWorker = (command: CommandOf<'delete'>, known: Known): Promise<Plan> =>
  desire(command, 'deleted', known);

/** Ends the body and keeps the record. */
export const stopWorker = (command: CommandOf<'stop'>, known: Known): Promise<Plan> =>
  desire(command, 'stopped', known);

/** Brings a stopped or failed worker to life again, with a new body. */
export async function startWorker(command: CommandOf<'start'>, known: Known): Promise<Plan> {
  const full = known.full?.();
  const adds = async () => hasEnded((await known.store.status(command.worker_id))?.status?.status);
  if (full !== undefined && (await adds())) throw new Fault('capacity', full);
  return desire(command, 'running', known);
}

async function desire(
  command: Target,
  desired: 'deleted' | 'stopped' | 'running',
  known: Known,
): Promise<Plan> {
  const { worker_id, reason } = command;
  const event = reason === undefined ? undefined : await asked(command, reason, known);
  const never = new Fault('not_found', `There is no worker ${worker_id}.`);
  const deleted = new Fault('conflict', `The worker ${worker_id} was deleted; create another one.`);
  const named = new Fault(
    'conflict',
    `The name of the worker ${worker_id} is now used by the worker @holder@, which has not ended; stop or delete that one first.`,
  );
  return {
    operation: 'desire',
    workerId: worker_id,
    desired,
    ...(event && { event }),
    answers: {
      ok: success(command, { worker_id }),
      not_found: refusal(command, never),
      conflict: refusal(command, deleted),
      name_taken: refusal(command, named),
    },
  };
}

const ASKED = { delete: 'DeleteAsked', stop: 'StopAsked', start: 'StartAsked' } as const;

/** Why it was asked for, as a line of the worker's history. */
async function asked(
  { command, worker_id }: Target,
  why: string,
  { store, now }: Known,
): Promise<LifecycleEvent> {
  const seen = (await store.status(worker_id))?.status;
  return {
    ...{ timestamp: instant(now()), type: 'accepted' },
    ...{ status: seen?.status ?? 'STARTING', phase: seen?.phase ?? 'accepted' },
    ...{ reason: ASKED[command], message: why, incarnation: seen?.incarnation ?? 0, actions: [] },
  };
}
