/** Restores a lost list of a pool's workers from the workers' records. */
import { parseInstant, workerSpec } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { parse } from '../parse.ts';
import { execAll } from '../reply.ts';
import { toMembership } from './pool-parse.ts';

const CHUNK = 500;

/** Does nothing for a pool that has a list. */
export async function findMembers(redis: Link, keys: Keys, name: string): Promise<number> {
  const members = keys.pools.members(name);
  if ((await redis.exists(members)) === 1) return 0;
  // Either of the two may be lost, too.
  const listed = [...(await redis.zrange(keys.workers, '0', '-1')), ...(await redis.hkeys(keys.index))];
  const ids = [...new Set(listed)];
  let found = 0;
  for (let at = 0; at < ids.length; at += CHUNK) {
    const chunk = ids.slice(at, at + CHUNK);
    const reads = redis.pipeline();
    for (const id of chunk) reads.hmget(keys.desired(id), 'spec', 'created_at');
    const replies = (await execAll(reads)) as (string | null)[][];
    for (const [place, id] of chunk.entries()) {
      const [text, created] = replies[place] ?? [];
      // Most workers have no pool, and this check is cheaper than parsing.
      if (!text?.includes(`"pool":${JSON.stringify(name)}`)) continue;
      const spec = workerSpec.safeParse(parse(text)).data;
      const member = spec?.pool === name && toMembership(spec, parseInstant(created ?? undefined) ?? 0);
      if (member) found += await redis.hsetnx(members, id, JSON.stringify(member));
    }
  }
  return found;
}
