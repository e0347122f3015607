/** The generation of a worker as its entity tag: a change can require that no other change came before it. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { WorkerView } from '../model/index.ts';
import { ApiFault } from './api-fault.ts';

export const setTag = <R extends FastifyReply>(
  reply: R,
  { generation }: Pick<WorkerView, 'generation'>,
): R => {
  void reply.header('etag', `"${generation}"`);
  return reply;
};

/** A single strong tag. */
const TAG = /^"(\d{1,15})"$/;

/**
 * The condition of a request's If-Match, for its command, which compares the generation in the step that writes: of two
 * changes that were made for one generation, one is refused. Throws `conflict` (412) if it cannot match.
 */
export async function requireMatch(
  { headers }: Pick<FastifyRequest, 'headers'>,
  get: () => Promise<Pick<WorkerView, 'generation' | 'worker_id'> | undefined>,
): Promise<{ if_generation?: number }> {
  const wanted = headers['if-match'];
  if (wanted === undefined) return {};
  const tags = wanted.split(',').map((tag) => tag.trim());
  const single = tags.length === 1 ? TAG.exec(wanted.trim())?.[1] : undefined;
  // Not compared here: a repeated request that was executed would be refused.
  if (single !== undefined) return { if_generation: Number(single) };
  const found = await get();
  if (found && tags.includes('*')) return {};
  if (found && tags.includes(`"${found.generation}"`)) return { if_generation: found.generation };
  const now = found ? `its generation is ${found.generation}` : 'it does not exist';
  const what = `The worker is not the one of If-Match ${wanted.slice(0, 100)}: ${now}. Read it again.`;
  throw new ApiFault('conflict', what, { status: 412, fields: found ? { worker_id: found.worker_id } : {} });
}
