/** The identity of the store, and the data that ties bodies to it. */
import { parseInstant, type StoreIdentity } from '../model/index.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { parse } from './parse.ts';
import { execAll, throwIfFenced } from './reply.ts';

export async function readIdentity(redis: Link, key: string): Promise<StoreIdentity | undefined> {
  const { id, created_at, adopted } = await redis.hgetall(key);
  // Without the creation time, everything would look newer than the store and count as an orphan.
  if (!id || parseInstant(created_at) === undefined) return undefined;
  return { id, created_at: created_at as string, adopted: toAdopted(adopted) };
}

/** The format of the store's records; 1 if it has none. */
export async function readFormat(redis: Link, key: string): Promise<number> {
  const format = Number(await redis.hget(key, 'format'));
  return Number.isInteger(format) && format > 0 ? format : 1;
}

function toAdopted(text: string | undefined): StoreIdentity['adopted'] {
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null) return {};
  const entries = Object.entries(parsed).filter(([, until]) => until === null || typeof until === 'number');
  return Object.fromEntries(entries) as StoreIdentity['adopted'];
}

export async function writeIdentity(
  redis: Link,
  keys: Keys,
  epoch: number,
  identity: StoreIdentity,
): Promise<void> {
  const { id, created_at, adopted } = identity;
  throwIfFenced(
    await redis.identify(keys.leader, keys.identity, epoch, id, created_at, JSON.stringify(adopted)),
  );
}

export async function adoptLabels(
  redis: Link,
  keys: Keys,
  epoch: number,
  { id, adopted }: StoreIdentity,
): Promise<void> {
  throwIfFenced(await redis.adopt(keys.leader, keys.identity, epoch, id, JSON.stringify(adopted)));
}

/** Whether any of these workers has a record, or the remains of one. */
export async function anyKnown(redis: Link, keys: Keys, ids: string[]): Promise<boolean> {
  return ids.length > 0 && (await redis.exists(...ids.map((id) => keys.desired(id)))) > 0;
}

/**
 * Whether the wrapper of any of these bodies writes to this store; a claimed body reports its current worker.
 */
export async function anyHeartbeat(redis: Link, keys: Keys, ids: string[]): Promise<boolean> {
  const reads = redis.pipeline();
  for (const id of ids) reads.exists(keys.heartbeat(id), keys.claimRecord(id));
  return ids.length > 0 && ((await execAll(reads)) as number[]).some((found) => found > 0);
}
