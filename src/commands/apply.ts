import { type CommandOf, instant, type PoolSpec } from '../model/index.ts';
import { refuseImpossiblePool } from '../placement/pool-capabilities.ts';
import { type CommandContext, type Plan, success } from './context.ts';

/** Says what a pool should be: a new one, or other than before. Applying what stands there already changes nothing. */
export async function apply(command: CommandOf<'apply'>, context: CommandContext): Promise<Plan> {
  const { pool: spec } = command;
  await refuseImpossiblePool(spec, context);
  const before = await context.pools.record(spec.name);
  const same = before?.desired === 'running' && JSON.stringify(before.spec) === JSON.stringify(spec);
  const change = !before ? 'created' : same ? 'unchanged' : 'configured';
  return changing(spec, context, success(command, { pool: spec.name, change }));
}

/** The plan that writes what is asked of a pool. */
export function changing(spec: PoolSpec, { now }: CommandContext, ok: string): Plan {
  const ms = now();
  return { operation: 'pool', pool: { name: spec.name, spec, at: instant(ms), ms }, answers: { ok } };
}
