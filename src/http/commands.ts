/** Sends the commands of requests: an Idempotency-Key is the ID of the command. */
import type { FastifyRequest } from 'fastify';
import { commonFields, Fault, readTraceparent, toIssues } from '../model/index.ts';
import { ApiFault } from './api-fault.ts';
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

/** The client's ID of a request, if it is short and plain. */
export const toClientId = (given: string | string[] | undefined): string | undefined =>
  typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : undefined;

/** The ID of a request if it was generated here and can be that of its command; undefined if the client chose either. */
export const getOwnId = ({ id, headers }: Pick<FastifyRequest, 'headers' | 'id'>): string | undefined =>
  toClientId(headers['x-request-id']) === undefined && headers['idempotency-key'] === undefined
    ? id
    : undefined;

/**
 * Sends a command for a request. Its answer has the type that the command documents. If the worker has another generation
 * than the command needs, the response is `conflict` with status 412, as for any other If-Match.
 */
export async function commandFor<T>(
  request: Pick<FastifyRequest, 'headers' | 'id'>,
  send: SendCommand,
  fields: { command: string; [field: string]: unknown },
): Promise<T> {
  const request_id = getCommandId(request) ?? getOwnId(request);
  const traceparent = readTraceparent(request.headers.traceparent);
  const command = {
    ...(request_id !== undefined && { request_id }),
    ...(traceparent !== undefined && { traceparent }),
    ...fields,
  };
  try {
    return (await send(command)) as T;
  } catch (error) {
    const isStale =
      error instanceof Fault && error.code === 'conflict' && error.issues?.[0]?.path === 'if_generation';
    if (!isStale) throw error;
    throw new ApiFault('conflict', error.message, { status: 412, fields: { worker_id: fields.worker_id } });
  }
}
