import { type CommandOf, Fault, missingPool } from '../model/index.ts';
import { fixedSize } from '../pools/autoscale.ts';
import { planPoolChange } from './apply.ts';
import { type CommandContext, type Plan, successResponse } from './context.ts';

/** Changes the number of workers of a fixed pool; a mix keeps its ratio. */
export async function planScale(command: CommandOf<'scale'>, context: CommandContext): Promise<Plan> {
  const { pool: name, count } = command;
  const before = await context.pools.record(name);
  if (!before) throw missingPool(name);
  if (before.desired === 'deleted') throw new Fault('conflict', `The pool ${name} is being deleted.`);
  const { spec } = before;
  if (spec.min !== undefined) {
    const message = `The pool ${name} is scaled on its queue, between ${spec.min} and ${spec.max}; apply other limits, or a count instead.`;
    throw new Fault('conflict', message);
  }
  const answer = successResponse(command, { pool: name, count, before: fixedSize(spec) });
  return planPoolChange({ ...spec, count }, context, answer);
}
