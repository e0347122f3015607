/** What a body answers over Redis alone: a message on the input stream, and entries with its ID on the output stream. */
import { readUntilGone } from '../../http/workers/read-until-gone.ts';
import { endedWorker, Fault, fullInput, hasEnded, missingWorker, toIssues } from '../../model/index.ts';
import { ManagerError } from '../errors.ts';
import { parseEntryData } from '../stream-data.ts';
import type { RedisCell } from './redis-cell.ts';

/** A schema of one kind of messages. */
interface MessageSchema<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: Parameters<typeof toIssues>[0] };
}

/**
 * Sends a message, and yields the entries that answer it until the caller has read the last one, or the body has ended. Throws a
 * Fault if the message is not valid or the worker cannot get it.
 */
export async function* askBody<Answer extends { request_id?: string }>(
  { workers }: RedisCell,
  worker_id: string,
  { schema, fields }: { schema: MessageSchema<SentMessage>; fields: object },
  signal: AbortSignal,
): AsyncGenerator<Answer> {
  const request_id = crypto.randomUUID();
  const read = schema.safeParse({ ...fields, request_id });
  if (!read.success)
    throw new Fault('invalid_command', 'The request was refused.', { issues: toIssues(read.error) });
  const view = await workers.get(worker_id);
  if (!view) throw missingWorker(worker_id);
  if (hasEnded(view.status) && view.observed_generation >= view.generation)
    throw endedWorker(worker_id, view);
  const stream = { worker_id, of: 'output' } as const;
  const from = await workers.before(stream, 0);
  const { outcome } = await workers.sendInput(worker_id, { message: read.data, key: request_id });
  if (outcome === 'gone') throw missingWorker(worker_id);
  if (outcome === 'full') throw fullInput(worker_id);
  for await (const entries of readUntilGone(workers, stream, from, signal))
    for (const { data } of entries) {
      const entry = parseEntryData(data) as unknown as Answer;
      if (entry.request_id === request_id) yield entry;
    }
  signal.throwIfAborted();
}

type SentMessage = Parameters<RedisCell['workers']['sendInput']>[1]['message'];

/** An operation that Redis alone does not have. */
export const needsHttp = (what: string) => async (): Promise<never> => {
  throw new ManagerError('unsupported', what, { status: 422 });
};
