/** What an Idempotency-Key means for a task, at the manager and at a node. Pure. */
import { createHash } from 'node:crypto';
import { Fault } from '../model/fault.ts';
import type { Asked } from './route.ts';

/** The key of a request; an empty one is refused, since it would make different requests one. */
export function keyOf({ headers }: Pick<Asked, 'headers'>): string | undefined {
  const key = headers['idempotency-key'];
  if (typeof key !== 'string') return undefined;
  if (key.trim() !== '') return key;
  throw new Fault('invalid_command', 'Idempotency-Key is empty; set it to a unique value, or omit it.');
}

/** A submission that names no task is named by its Idempotency-Key: the same key twice is one task. */
export function keyed(given: unknown, asked: Pick<Asked, 'headers'>): unknown {
  const key = keyOf(asked);
  if (key === undefined || typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  const task_id = `key-${createHash('sha256').update(key).digest('hex').slice(0, 32)}`;
  return { task_id, ...given };
}
