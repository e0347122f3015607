/** How records are written and answers of Redis are read, alike for all. */
import type { Link } from './connect.ts';

/** Lines of a history that are kept, about. */
export const EVENTS_KEPT = 1000;
/** How long a deleted worker or pool is still known as deleted. */
export const TOMBSTONE_MS = 7 * 86_400_000;

/** Another manager leads by now: nothing was written, and this one has to stand back. */
export class Fenced extends Error {
  override name = 'Fenced';
  constructor() {
    super('Another manager now leads this cell; the write was refused.');
  }
}

/**
 * The replies of a pipeline; throws where one of them failed, since half an answer is none. `foreign`: the key is written by
 * others, so that Redis may refuse to read it (it holds another type), which is as if there were none.
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

/** What a fenced script answers; throws `Fenced` where the epoch is no longer the newest. */
export function throwIfFenced<T extends string = 'ok' | 'conflict' | 'gone'>(reply: unknown): T {
  if (reply === 'fenced') throw new Fenced();
  return reply as T;
}

/** A record as the fields and values of a hash; what is not there is left out. */
export function toFields(record: object): string[] {
  const replies = Object.entries(record).filter(([, value]) => value !== undefined);
  return replies.flatMap(([name, value]) => [name, String(value)]);
}
