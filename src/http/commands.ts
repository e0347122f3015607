/** Sends the commands of requests: an Idempotency-Key is the ID of the command. */
import type { FastifyRequest } from 'fastify';
import { commonFields, Fault, toIssues } from '../model/index.ts';
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

/** Sends a command for a request. Its answer has the type that the command documents. */
export async function commandFor<T>(
  request: Pick<FastifyRequest, 'headers' | 'id'>,
  send: SendCommand,
  fields: { command: string; [field: string]: unknown },
): Promise<T> {
  const key = getCommandId(request);
  const request_id = key ?? getOwnId(request);
  const answer = await send(request_id === undefined ? fields : { request_id, ...fields });
  if (key !== undefined && !isAnswerOf(answer, fields)) {
    const what = `The Idempotency-Key ${key} belongs to another request (${answer.command}): use a new key.`;
    throw new Fault('conflict', what);
  }
  return answer as T;
}

/** Whether an answer is that of the command, and not of an earlier one with the same ID. */
function isAnswerOf(
  answer: Record<string, unknown>,
  fields: { command: string; [field: string]: unknown },
): boolean {
  const { pool, worker_id } = fields;
  const name = typeof pool === 'object' && pool !== null ? (pool as { name?: unknown }).name : pool;
  const agrees = (asked: unknown, answered: unknown) =>
    asked === undefined || answered === undefined || asked === answered;
  return (
    agrees(fields.command, answer.command) && agrees(name, answer.pool) && agrees(worker_id, answer.worker_id)
  );
}
