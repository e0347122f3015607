import {
  type CommandOf,
  Fault,
  formatInstant,
  hasEnded,
  type LifecycleEvent,
  missingWorker,
} from '../model/index.ts';
import { type CommandContext, failureResponse, type Plan, type Refusal, successResponse } from './context.ts';

type Target = CommandOf<'delete' | 'stop' | 'start' | 'restart'>;

type Known = Pick<CommandContext, 'now' | 'full' | 'newTrace'> & {
  store: Pick<CommandContext['store'], 'status'>;
};

/** Ends the worker and deletes its record. Deleting a deleted worker succeeds. */
export const planDelete = (command: CommandOf<'delete'>, known: Known): Promise<Plan> =>
  planDesire(command, 'deleted', known);

/** Ends the body and keeps the record. */
export const planStop = (command: CommandOf<'stop'>, known: Known): Promise<Plan> =>
  planDesire(command, 'stopped', known);

/** Starts a stopped or failed worker again, with a new body. */
export async function planStart(command: CommandOf<'start' | 'restart'>, known: Known): Promise<Plan> {
  const full = known.full?.();
  const adds = async () => hasEnded((await known.store.status(command.worker_id))?.status?.status);
  if (full !== undefined && (await adds())) throw new Fault('capacity', full);
  return planDesire(command, 'running', known);
}

/** Replaces the body of a worker, or starts it again if it has ended. */
export const planRestart = async (command: CommandOf<'restart'>, known: Known): Promise<Plan> => ({
  ...(await planStart(command, known)),
  operation: 'restart',
});

async function planDesire(
  command: Target,
  desired: 'deleted' | 'stopped' | 'running',
  known: Known,
): Promise<Plan> {
  const { worker_id, reason, if_generation, traceparent } = command;
  const event = reason === undefined ? undefined : await toRequestEvent(command, reason, known);
  const never: Refusal = { code: 'not_found', message: missingWorker(worker_id).message };
  const deleted: Refusal = {
    code: 'conflict',
    message: `The worker ${worker_id} was deleted; create another one.`,
  };
  const named: Refusal = {
    code: 'conflict',
    message: `The name of the worker ${worker_id} is now used by the worker @holder@, which has not ended; stop or delete that one first.`,
  };
  const stale: Refusal = {
    code: 'conflict',
    message: `The generation of the worker ${worker_id} is @generation@ and not ${if_generation}: it was changed in the meantime. Read it again.`,
    issues: [{ path: 'if_generation', message: 'is @generation@' }],
  };
  return {
    operation: 'desire',
    workerId: worker_id,
    desired,
    ifGeneration: if_generation,
    // The end of a worker belongs to the trace of its start.
    ...(desired === 'running' && { traceparent: known.newTrace?.(traceparent) ?? traceparent }),
    ...(event && { event }),
    answers: {
      ok: successResponse(command, { worker_id }),
      not_found: failureResponse(command, never),
      conflict: failureResponse(command, deleted),
      name_taken: failureResponse(command, named),
      ...(if_generation !== undefined && { stale: failureResponse(command, stale) }),
    },
  };
}

const EVENT_TYPES = {
  delete: 'DeleteAsked',
  stop: 'StopAsked',
  start: 'StartAsked',
  restart: 'RestartAsked',
} as const;

/** The reason given in the command, as a line of the worker's history. */
async function toRequestEvent(
  { command, worker_id }: Target,
  why: string,
  { store, now }: Known,
): Promise<LifecycleEvent> {
  const seen = (await store.status(worker_id))?.status;
  return {
    timestamp: formatInstant(now()),
    type: 'accepted',
    status: seen?.status ?? 'STARTING',
    phase: seen?.phase ?? 'accepted',
    reason: EVENT_TYPES[command],
    message: why,
    incarnation: seen?.incarnation ?? 0,
    actions: [],
  };
}
