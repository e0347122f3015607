/** What an Idempotency-Key means for a task, at the manager and at a node. Pure. */
import { createHash } from 'node:crypto';
import { Fault } from '../model/fault.ts';
import type { ApiRequest } from './route.ts';

/** The key of a request; an empty one is refused, since it would make different requests one. */
export function getIdempotencyKey({ headers }: Pick<ApiRequest, 'headers'>): string | undefined {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string') return undefined;
  if (key.trim() !== '') return key;
  throw new Fault('invalid_command', 'Idempotency-Key is empty; set it to a unique value, or omit it.');
}

/** A submission that names no task is named by its Idempotency-Key: the same key twice is one task. */
export function withIdempotencyKey(input: unknown, request: Pick<ApiRequest, 'headers'>): unknown {
  const key = getIdempotencyKey(request);
  if (key === undefined || typeof input !== 'object' || input === null || Array.isArray(input)) return input;
  const task_id = `key-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return { task_id, ...input };
}
