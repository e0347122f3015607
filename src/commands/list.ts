import type { CommandOf } from '../model/index.ts';
import { type CommandContext, type Plan, successResponse } from './context.ts';

/** Lists workers in pages, one short line each, in order of creation; the last page ends with the nodes. */
export async function planList(command: CommandOf<'list'>, { store }: CommandContext): Promise<Plan> {
  const { limit, cursor } = command;
  const { summaries: workers, next_cursor } = await store.page({ limit, cursor });
  const answer = { workers, ...(next_cursor !== undefined && { next_cursor }) };
  return { operation: 'read', answers: { ok: successResponse(command, answer) } };
}
