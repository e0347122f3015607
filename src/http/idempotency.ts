/** What an Idempotency-Key means for a task, at the manager and at a node. Pure. */
import { createHash } from 'node:crypto';
import type { Asked } from './route.ts';

/** A submission that names no task is named by its Idempotency-Key: the same key twice is one task. */
export function keyed(given: unknown, { headers }: Pick<Asked, 'headers'>): unknown {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string' || typeof given !== 'object' || given === null || Array.isArray(given))
    return given;
  const task_id = `key-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return { task_id, ...given };
}
