/** Sends the commands of requests: an Idempotency-Key is the ID of the command. */
import type { FastifyRequest } from 'fastify';
import { commonFields, toIssues } from '../model/index.ts';
import { getIdempotencyKey } from './idempotency.ts';
import { toRequestFault } from './validation.ts';

/** Executes a command; throws the Fault of an error response. */
export type SendCommand = (command: {
  command: string;
  request_id?: string;
}) => Promise<Record<string, unknown>>;

/** The Idempotency-Key of a request; throws a Fault `invalid_command` if it cannot be the ID of a command. */
export function getCommandId(request: Pick<FastifyRequest, 'headers'>): string | undefined {
  const key = getIdempotencyKey(request);
  const read = commonFields.request_id.safeParse(key ?? 'none');
  if (read.success) return key;
  throw toRequestFault(toIssues(read.error).map(({ message }) => ({ path: 'Idempotency-Key', message })));
}

/** Sends a command for a request. Its answer has the type that the command documents. */
export async function commandFor<T>(
  request: Pick<FastifyRequest, 'headers'>,
  send: SendCommand,
  fields: { command: string; [field: string]: unknown },
): Promise<T> {
  const key = getCommandId(request);
  return (await send(key === undefined ? fields : { request_id: key, ...fields })) as T;
}
