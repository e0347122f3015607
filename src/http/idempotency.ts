/** The meaning of an Idempotency-Key for a task, on the manager and on a node. Pure. */
import { createHash } from 'node:crypto';
import { readTraceparent } from '../model/messages/trace.ts';
import { Fault } from '../model/values/fault.ts';
import type { ApiRequest } from './route.ts';

/** The key of a request; an empty one is refused, because it would make different requests the same. */
export function getIdempotencyKey({ headers }: Pick<ApiRequest, 'headers'>): string | undefined {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string') return undefined;
  if (key.trim() !== '') return key;
  throw new Fault('invalid_command', 'Idempotency-Key is empty; set it to a unique value, or omit it.');
}

/**
 * A submission without a task ID uses its Idempotency-Key: a repeated key is the same task. Without a trace of its own, it
 * continues that of the request.
 */
export function withIdempotencyKey(input: unknown, request: Pick<ApiRequest, 'headers'>): unknown {
  const key = getIdempotencyKey(request);
  const traceparent = readTraceparent(request.headers.traceparent);
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  if (key === undefined && traceparent === undefined) return input;
  const task_id = key && `key-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return { ...(task_id && { task_id }), ...(traceparent && { traceparent }), ...input };
}
