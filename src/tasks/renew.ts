import type { TaskLink } from './connect.ts';
import { attemptOf, type Held } from './held.ts';
import { type Place, poolsKey } from './place.ts';

/** `cancelled`: still held, and asked to end. */
export type Renewed = 'held' | 'lost' | 'cancelled';
const TOLD: readonly Renewed[] = ['held', 'lost', 'cancelled'];

/** Renews the locks of tasks, in their order. One that ran out is taken again where no other attempt has begun. */
export async function renew(
  redis: TaskLink,
  place: Place,
  { cell, pool }: { cell: string; pool: string },
  lockMs: number,
  all: readonly Held[],
): Promise<Renewed[]> {
  const keys = [place.key('stalled'), poolsKey(cell), place.key('active')];
  const each = all.flatMap((held) => [held.jobId, held.token, attemptOf(held)]);
  const told = (await redis.taskRenew(...keys, place.base, lockMs, pool, ...each)) as number[];
  return told.map((number) => TOLD[number] ?? 'lost');
}
