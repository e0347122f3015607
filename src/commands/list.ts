import type { CommandOf } from '../model/index.ts';
import { type CommandContext, type Plan, success } from './context.ts';

/** Tells of all workers, one short line each, in the order of their creation. */
export async function list(command: CommandOf<'list'>, { store }: CommandContext): Promise<Plan> {
  return { operation: 'answer', answers: { ok: success(command, { workers: await store.summaries() }) } };
}
