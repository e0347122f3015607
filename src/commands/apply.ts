import { type CommandOf, formatInstant, type PoolSpec } from '../model/index.ts';
import { rejectUnsupportedPool } from '../placement/pool-capabilities.ts';
import { type CommandContext, type Plan, successResponse } from './context.ts';

/** Creates or updates a pool. Applying an unchanged pool changes nothing. */
export async function planApply(command: CommandOf<'apply'>, context: CommandContext): Promise<Plan> {
  const { pool: spec } = command;
  await rejectUnsupportedPool(spec, context);
  const before = await context.pools.record(spec.name);
  const same = before?.desired === 'running' && JSON.stringify(before.spec) === JSON.stringify(spec);
  const change = !before ? 'created' : same ? 'unchanged' : 'configured';
  return planPoolChange(spec, context, successResponse(command, { pool: spec.name, change }));
}

/** The plan that writes the spec of a pool. */
export function planPoolChange(spec: PoolSpec, { now }: CommandContext, ok: string): Plan {
  const ms = now();
  return { operation: 'pool', pool: { name: spec.name, spec, at: formatInstant(ms), ms }, answers: { ok } };
}
