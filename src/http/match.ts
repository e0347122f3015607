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

/** Throws `conflict` (412) if the request has an If-Match that is not the worker's generation. */
export async function requireMatch(
  { headers }: Pick<FastifyRequest, 'headers'>,
  get: () => Promise<Pick<WorkerView, 'generation' | 'worker_id'> | undefined>,
): Promise<void> {
  const wanted = headers['if-match'];
  if (wanted === undefined) return;
  const found = await get();
  const tags = wanted.split(',').map((tag) => tag.trim());
  if (found && (tags.includes('*') || tags.includes(`"${found.generation}"`))) return;
  const now = found ? `its generation is ${found.generation}` : 'it does not exist';
  const what = `The worker is not the one of If-Match ${wanted.slice(0, 100)}: ${now}. Read it again.`;
  throw new ApiFault('conflict', what, { status: 412, fields: found ? { worker_id: found.worker_id } : {} });
}
