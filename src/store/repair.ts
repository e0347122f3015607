/**
 * What is found out about a store that has lost some of its keys, by eviction or by hand, and what is written again
 * from the others. Everything here is safe to do twice, and changes nothing in a store that is whole.
 */
import { formatInstant, type LifecycleEvent, parseInstant } from '../model/index.ts';
import type { Link } from './connect.ts';
import type { Keys } from './keys.ts';
import { type Hash, parse } from './parse.ts';
import { EVENTS_KEPT, execAll, TOMBSTONE_MS, throwIfFenced } from './reply.ts';

/** Ids, or keys, handled in one round trip. */
const CHUNK = 500;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Lines of a history that are read to find the last one with a status. */
const EVENTS_READ = 20;

/** Shows in one round trip whether anything was written since, and whether something is missing. */
export interface IndexState {
  revision: string | null;
  identity: string | null;
  /** Workers in the list by creation, and in the index: the same number, unless one of the two is lost. */
  listed: number;
  indexed: number;
  /** The names of workers are as they were written. */
  names: boolean;
  pools: boolean;
}

export async function readIndexState(redis: Link, keys: Keys): Promise<IndexState> {
  const reads = redis.pipeline().get(keys.revision).hget(keys.identity, 'id');
  reads.zcard(keys.workers).hlen(keys.index).hexists(keys.names, '').exists(keys.pools.pools);
  const [revision, identity, listed, indexed, names, pools] = (await execAll(reads)) as [
    ...[string | null, string | null],
    ...number[],
  ];
  return {
    revision: revision ?? null,
    identity: identity ?? null,
    listed: listed ?? 0,
    indexed: indexed ?? 0,
    names: names === 1,
    pools: pools === 1,
  };
}

/** Looks for all records in the whole of Redis, and puts those into the indexes that are missing there; how many. */
async function reindex(redis: Link, keys: Keys, epoch: number): Promise<number> {
  const workers = await recordsBelow(redis, keys.desired(''), (id) => UUID.test(id));
  const pools = await recordsBelow(redis, keys.pools.record(''), (name) => !name.includes(':'));
  // Those that an index still names, and whose record is lost.
  const listed = [...(await redis.zrange(keys.workers, '0', '-1')), ...(await redis.hkeys(keys.index))];
  for (const id of listed) if (!workers.has(id)) workers.set(id, Date.now());
  let written = 0;
  const write = async (ids: [string, number][], names: [string, number][]) => {
    const reply = await redis.reindex(
      keys.leader,
      keys.index,
      keys.workers,
      keys.revision,
      keys.names,
      keys.pools.pools,
      epoch,
      keys.desired(''),
      keys.pools.record(''),
      ids.length,
      ...ids.flat(),
      ...names.flat(),
    );
    written += Number(throwIfFenced<string>(reply));
  };
  const found = [...workers];
  for (let at = 0; at < found.length; at += CHUNK) await write(found.slice(at, at + CHUNK), []);
  await write([], [...pools]);
  return written;
}

/** Hashes with a spec whose key begins so, with the instant of their creation. */
async function recordsBelow(
  redis: Link,
  beginning: string,
  isName: (name: string) => boolean,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const match = `${beginning.replaceAll(/[[\]?*\\]/g, '\\$&')}*`;
  for await (const some of redis.scanStream({ match, count: 1000, type: 'hash' })) {
    const names = (some as string[]).map((key) => key.slice(beginning.length)).filter(isName);
    const reads = redis.pipeline();
    for (const name of names) reads.hmget(beginning + name, 'spec', 'created_at');
    const replies = names.length > 0 ? ((await execAll(reads)) as (string | null)[][]) : [];
    for (const [at, name] of names.entries()) {
      const [spec, created] = replies[at] ?? [];
      if (spec) found.set(name, parseInstant(created ?? undefined) ?? 0);
    }
  }
  return found;
}

/** Of the workers in the index those whose record is missing, and those whose status is, though one was written. */
async function lacking(
  redis: Link,
  keys: Keys,
  index: Hash,
): Promise<{ records: string[]; statuses: string[] }> {
  const records: string[] = [];
  const statuses: string[] = [];
  const wanted = Object.entries(index).flatMap(([id, revision]) => [
    { id, key: keys.desired(id), into: records },
    ...(revision.endsWith('.0') ? [] : [{ id, key: keys.status(id), into: statuses }]),
  ]);
  for (let at = 0; at < wanted.length; at += 2 * CHUNK) {
    const chunk = wanted.slice(at, at + 2 * CHUNK);
    // One number for all of them: next to always nothing is missing.
    if ((await redis.exists(...chunk.map(({ key }) => key))) === chunk.length) continue;
    const reads = redis.pipeline();
    for (const { key } of chunk) reads.exists(key);
    const there = (await execAll(reads)) as number[];
    for (const [place, { id, into }] of chunk.entries()) if (there[place] === 0) into.push(id);
  }
  return { records, statuses };
}

/** Whether any of these workers has a record, though no index names it any more. */
async function anyRecord(redis: Link, keys: Keys, ids: string[]): Promise<boolean> {
  const reads = redis.pipeline();
  for (const id of ids) reads.hexists(keys.desired(id), 'spec');
  return ids.length > 0 && ((await execAll(reads)) as number[]).some((there) => there === 1);
}

const LOST = 'Its record was lost, and it has no body to restore it from. Create it again.';

/** Deletes a worker of which neither a record nor a body is left; false if there is a record by now. */
async function forgetLost(
  redis: Link,
  keys: Keys,
  epoch: number,
  { id, now }: { id: string; now: number },
): Promise<boolean> {
  const event: LifecycleEvent = {
    timestamp: formatInstant(now),
    type: 'status',
    status: 'FAILED',
    phase: 'deleted',
    reason: 'RecordLost',
    message: LOST,
    incarnation: 0,
    actions: [],
  };
  const reply = await redis.forget(
    keys.leader,
    keys.desired(id),
    keys.status(id),
    keys.index,
    keys.revision,
    keys.workers,
    keys.bodies,
    keys.events(id),
    epoch,
    id,
    TOMBSTONE_MS,
    LOST,
    JSON.stringify(event),
    EVENTS_KEPT,
  );
  return throwIfFenced<'ok' | 'exists'>(reply) === 'ok';
}

/** The last line of a worker's history with its status; `undefined` if none does. */
async function lastReported(redis: Link, key: string): Promise<LifecycleEvent | undefined> {
  const entries = await redis.xrevrange(key, '+', '-', 'COUNT', EVENTS_READ);
  for (const [, fields] of entries) {
    const event = parse(fields[fields.indexOf('data') + 1]) as Partial<LifecycleEvent> | undefined;
    const tells = event?.type === 'status' || event?.type === 'progress' || event?.type === 'adopted';
    if (tells && event.status && event.phase) return event as LifecycleEvent;
  }
  return undefined;
}

/** The repairs of one cell. */
export class StoreRepair {
  readonly #redis: Link;
  readonly #keys: Keys;

  constructor(redis: Link, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Puts records into the indexes that lack them; how many entries were missing. */
  reindex(epoch: number): Promise<number> {
    return reindex(this.#redis, this.#keys, epoch);
  }

  /** What the index names and is not there. */
  lacking(index: Hash): Promise<{ records: string[]; statuses: string[] }> {
    return lacking(this.#redis, this.#keys, index);
  }

  /** Whether any of these workers has a record. */
  recorded(ids: string[]): Promise<boolean> {
    return anyRecord(this.#redis, this.#keys, ids);
  }

  /** Deletes a worker of which nothing is left to restore it from; false if there is a record by now. */
  forget(epoch: number, id: string, now: number): Promise<boolean> {
    return forgetLost(this.#redis, this.#keys, epoch, { id, now });
  }

  /** What its history says last about its status. */
  lastReported(id: string): Promise<LifecycleEvent | undefined> {
    return lastReported(this.#redis, this.#keys.events(id));
  }
}
