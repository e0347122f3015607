/** Shared helpers for writing records and reading Redis replies. */
import type { Link } from './connect.ts';

/** Approximate number of history lines that are kept. */
export const EVENTS_KEPT = 1000;
/** The same for the history of all workers of a cell. */
export const ALL_EVENTS_KEPT = 10_000;
/** How long the tombstone of a deleted worker or pool is kept. */
export const TOMBSTONE_MS = 7 * 86_400_000;

/** Another manager leads: nothing was written, and this manager must stop leading. */
export class Fenced extends Error {
  override name = 'Fenced';
  constructor() {
    super('Another manager now leads this cell; the write was refused.');
  }
}

/**
 * Returns the replies of a pipeline; throws if one of them failed, because a partial result is unusable.
 * `foreign`: other programs write the key, so Redis may reject the read (it has another type), which counts
 * as absent.
 */
export async function execAll(
  reads: ReturnType<Link['pipeline']>,
  foreign: (at: number) => boolean = () => false,
): Promise<unknown[]> {
  const replies = (await reads.exec()) ?? [];
  return replies.map(([error, reply], at) => {
    if (error?.message.startsWith('WRONGTYPE') && foreign(at)) return null;
    if (error) throw error;
    return reply;
  });
}

/** Returns the reply of a fenced script; throws `Fenced` if the epoch is no longer the newest. */
export function throwIfFenced<T extends string = 'ok' | 'conflict' | 'gone'>(reply: unknown): T {
  if (reply === 'fenced') throw new Fenced();
  return reply as T;
}

/** Converts a record to the fields and values of a hash; omits undefined values. */
export function toFields(record: object): string[] {
  const replies = Object.entries(record).filter(([, value]) => value !== undefined);
  return replies.flatMap(([name, value]) => [name, String(value)]);
}
