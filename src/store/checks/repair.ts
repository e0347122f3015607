/**
 * Detects lost keys of a store (evicted or deleted manually), and restores them from others. Every operation
 * is safe to repeat and changes nothing in a complete store.
 */
import { formatInstant, type LifecycleEvent, parseInstant } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { type Hash, parse } from '../parse.ts';
import { EVENTS_KEPT, execAll, TOMBSTONE_MS, throwIfFenced } from '../reply.ts';

/** IDs or keys per round trip. */
const CHUNK = 500;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Maximum history lines that are searched for the last one with a status. */
const EVENTS_READ = 20;

/** Shows in one round trip whether anything was written since, and whether something is missing. */
export interface IndexState {
  revision: string | null;
  identity: string | null;
  /**
   * Number of workers in the list by creation and in the index; they are equal unless one of them is lost.
   */
  listed: number;
  indexed: number;
  /** The names of workers are unchanged. */
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

/** Scans all of Redis for records, and adds missing ones to the indexes; returns their number. */
async function reindex(redis: Link, keys: Keys, epoch: number): Promise<number> {
  const workers = await recordsBelow(redis, keys.desired(''), (id) => UUID.test(id));
  const pools = await recordsBelow(redis, keys.pools.record(''), (name) => !name.includes(':'));
  // Names that an index still has, but whose record is lost.
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

/** Hashes with a spec and this key prefix, with their creation times. */
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

/**
 * The indexed workers whose record is missing, and those whose status is missing although one was written.
 */
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
    // One count for all of them, because almost always nothing is missing.
    if ((await redis.exists(...chunk.map(({ key }) => key))) === chunk.length) continue;
    const reads = redis.pipeline();
    for (const { key } of chunk) reads.exists(key);
    const existing = (await execAll(reads)) as number[];
    for (const [place, { id, into }] of chunk.entries()) if (existing[place] === 0) into.push(id);
  }
  return { records, statuses };
}

/** Whether any of these workers has a record, even if no index has its ID. */
async function anyRecord(redis: Link, keys: Keys, ids: string[]): Promise<boolean> {
  const reads = redis.pipeline();
  for (const id of ids) reads.hexists(keys.desired(id), 'spec');
  return ids.length > 0 && ((await execAll(reads)) as number[]).some((there) => there === 1);
}

const LOST = 'Its record was lost, and it has no body to restore it from. Create it again.';

/** Deletes a worker that has neither a record nor a body; false if there is a record by now. */
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

/** The last line of a worker's history with its status; `undefined` if there is none. */
async function lastReported(redis: Link, key: string): Promise<LifecycleEvent | undefined> {
  const entries = await redis.xrevrange(key, '+', '-', 'COUNT', EVENTS_READ);
  for (const [, fields] of entries) {
    const event = parse(fields[fields.indexOf('data') + 1]) as Partial<LifecycleEvent> | undefined;
    const tells = event?.type === 'status' || event?.type === 'progress' || event?.type === 'adopted';
    if (tells && event.status && event.phase) return event as LifecycleEvent;
  }
  return undefined;
}

/** Repairs one cell. */
export class StoreRepair {
  readonly #redis: Link;
  readonly #keys: Keys;

  constructor(redis: Link, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /** Adds missing records to the indexes; returns the number of missing entries. */
  reindex(epoch: number): Promise<number> {
    return reindex(this.#redis, this.#keys, epoch);
  }

  /** Returns what is in the index but missing. */
  lacking(index: Hash): Promise<{ records: string[]; statuses: string[] }> {
    return lacking(this.#redis, this.#keys, index);
  }

  /** Whether any of these workers has a record. */
  recorded(ids: string[]): Promise<boolean> {
    return anyRecord(this.#redis, this.#keys, ids);
  }

  /** Deletes a worker that cannot be restored; false if there is a record by now. */
  forget(epoch: number, id: string, now: number): Promise<boolean> {
    return forgetLost(this.#redis, this.#keys, epoch, { id, now });
  }

  /** The last status in its history. */
  lastReported(id: string): Promise<LifecycleEvent | undefined> {
    return lastReported(this.#redis, this.#keys.events(id));
  }
}
