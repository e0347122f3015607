import { type CommandOf, Fault, instant } from '../model/index.ts';
import { type CommandContext, type Plan, refusal, success } from './context.ts';

/** Ends a pool: its workers finish what they run, and then it is forgotten. Tasks that wait stay in the queue. */
export function deletePool(command: CommandOf<'delete_pool'>, { now }: CommandContext): Plan {
  const { pool: name, reason } = command;
  const ms = now();
  return {
    operation: 'pool',
    ...(reason !== undefined && { asked: reason }),
    pool: { name, spec: undefined, at: instant(ms), ms },
    answers: {
      ok: success(command, { pool: name }),
      not_found: refusal(command, new Fault('not_found', `There is no pool ${name}.`)),
    },
  };
}
