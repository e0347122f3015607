import { type CommandOf, formatInstant, missingPool } from '../model/index.ts';
import { type CommandContext, failureResponse, type Plan, successResponse } from './context.ts';

/** Deletes a pool after its workers have finished their tasks. Waiting tasks stay in the queue. */
export function planDeletePool(command: CommandOf<'delete_pool'>, { now }: CommandContext): Plan {
  const { pool: name, reason } = command;
  const ms = now();
  return {
    operation: 'pool',
    ...(reason !== undefined && { asked: reason }),
    pool: { name, spec: undefined, at: formatInstant(ms), ms },
    answers: {
      ok: successResponse(command, { pool: name }),
      not_found: failureResponse(command, missingPool(name)),
    },
  };
}
