/** The records of pools and of their workers. `epoch` is the leader's; reads do not need one. */
import {
  formatInstant,
  getWorkerType,
  HEARTBEAT_BYTES,
  type LifecycleEvent,
  type PoolRecord,
  type PoolStatus,
  type PoolView,
  type WorkerSpec,
} from '../../model/index.ts';
import type { Member, PoolMemo } from '../../model/pool/pool-memo.ts';
import type { Link } from '../connect.ts';
import { getKeys, type Keys } from '../keys.ts';
import type { Hash } from '../parse.ts';
import type { PoolKeys } from '../pool-keys.ts';
import { EVENTS_KEPT, execAll, TOMBSTONE_MS, throwIfFenced, toFields } from '../reply.ts';
import { findMembers } from './pool-members.ts';
import { MEMBER_FIELDS, type Membership, toMember, toPool, toPoolMemo, toPoolStatus } from './pool-parse.ts';

/** A pool with everything that a decision needs from the store. */
export interface PoolRead {
  name: string;
  pool: PoolRecord;
  status: PoolStatus | undefined;
  memo: PoolMemo | undefined;
  /** Increases with every write of the status; a write that is based on an older one is rejected. */
  write: number;
  members: (Member & { image: string | undefined })[];
  /** Members whose records are gone. */
  gone: string[];
}

/** One line of a pool's history. */
export interface PoolEvent {
  timestamp: string;
  phase: string;
  reason: string;
  message: string;
  desired: number;
  ready: number;
  /** The action taken, as text. */
  actions: string[];
}

export class PoolStore {
  readonly keys: PoolKeys;
  readonly #redis: Link;
  readonly #workers: Keys;

  constructor(redis: Link, cell: string) {
    this.#redis = redis;
    this.#workers = getKeys(cell);
    this.keys = this.#workers.pools;
  }

  /** Names in the order of their creation. */
  names(): Promise<string[]> {
    return this.#redis.zrange(this.keys.pools, '0', '-1');
  }

  /** Only the desired record; `undefined` if there is none, or only a tombstone. */
  async record(name: string): Promise<PoolRecord | undefined> {
    const hash = await this.#redis.hgetall(this.keys.record(name));
    return hash.spec ? toPool(name, hash) : undefined;
  }

  /** Those of these workers without any record, not even a tombstone. */
  async lost(names: string[]): Promise<string[]> {
    const reads = this.#redis.pipeline();
    for (const name of names) reads.exists(this.keys.record(name));
    const existing = names.length > 0 ? ((await execAll(reads)) as number[]) : [];
    return names.filter((_, at) => existing[at] === 0);
  }

  /** Restores the worker list of a pool that has none, from the workers' records; returns their number. */
  findMembers(name: string): Promise<number> {
    return findMembers(this.#redis, this.#workers, name);
  }

  /** Summaries of all pools. */
  async views(): Promise<PoolView[]> {
    const names = await this.names();
    const reads = this.#redis.pipeline();
    for (const name of names) reads.hgetall(this.keys.record(name)).hgetall(this.keys.status(name));
    const replies = (await execAll(reads)) as Hash[];
    return names.flatMap((name, at) => {
      const [hash, status] = [replies[at * 2], replies[at * 2 + 1]];
      if (!hash?.spec) return [];
      const { spec, desired, generation, created_at } = toPool(name, hash);
      const worker_type = getWorkerType(spec);
      const deleting = desired === 'deleted';
      return [
        { name, worker_type, generation, created_at, deleting, spec, status: toPoolStatus(status ?? {}) },
      ];
    });
  }

  /** A pool with its members, in two round trips; `undefined` if there is no record, or only a tombstone. */
  async load(name: string): Promise<PoolRead | undefined> {
    const { record, status, members } = this.keys;
    const reads = this.#redis.pipeline().hgetall(record(name)).hgetall(status(name)).hgetall(members(name));
    const [hash, seen, known] = (await execAll(reads)) as [Hash, Hash, Hash];
    if (!hash?.spec) return undefined;
    const found = await this.#members(known ?? {});
    const existing = new Set(found.map(({ id }) => id));
    return {
      name,
      pool: toPool(name, hash),
      status: toPoolStatus(seen ?? {}),
      memo: toPoolMemo(seen?.memo),
      write: Number(seen?.write ?? 0),
      members: found,
      gone: Object.keys(known ?? {}).filter((id) => !existing.has(id)),
    };
  }

  async #members(known: Hash): Promise<PoolRead['members']> {
    const ids = Object.keys(known);
    if (ids.length === 0) return [];
    const { desired, status, heartbeat } = this.#workers;
    const reads = this.#redis.pipeline();
    for (const id of ids)
      reads
        .hexists(desired(id), 'spec')
        .hget(desired(id), 'desired')
        .hmget(status(id), ...MEMBER_FIELDS)
        .getrange(heartbeat(id), 0, HEARTBEAT_BYTES);
    const replies = await execAll(reads, (at) => at % 4 === 3);
    return ids.flatMap((id, at) => {
      const [exists, wanted, fields, beat] = replies.slice(at * 4, at * 4 + 4);
      const record = [String(Number(exists)), wanted as string | null];
      const member = toMember(id, known[id], record, fields as (string | null)[], beat as string | null);
      return member ? [member] : [];
    });
  }

  /**
   * Stores a decision. `conflict`: the pool has changed since it was read. `gone`: there is no pool any more.
   */
  async decided(
    epoch: number,
    read: PoolRead,
    next: { status: PoolStatus; memo: PoolMemo; event: PoolEvent | undefined },
  ): Promise<'ok' | 'conflict' | 'gone'> {
    const { record, status, events, members } = this.keys;
    const reply = await this.#redis.poolRecord(
      this.#workers.leader,
      record(read.name),
      status(read.name),
      events(read.name),
      members(read.name),
      epoch,
      read.pool.generation,
      read.write,
      next.event ? JSON.stringify(next.event) : '',
      EVENTS_KEPT,
      read.gone.length,
      ...read.gone,
      ...toFields(next.status),
      'memo',
      JSON.stringify(next.memo),
    );
    return throwIfFenced(reply);
  }

  /** Writes the record of a new worker. `conflict`: the pool has changed since it was read. */
  async add(
    epoch: number,
    { name, pool, members }: PoolRead,
    worker: { id: string; spec: WorkerSpec; member: Membership },
  ): Promise<'ok' | 'exists' | 'conflict'> {
    const { leader: key, desired, index, workers, revision, names } = this.#workers;
    const { id, spec, member } = worker;
    const reply = await this.#redis.poolAdd(
      key,
      this.keys.record(name),
      this.keys.members(name),
      desired(id),
      index,
      workers,
      revision,
      names,
      epoch,
      pool.generation,
      id,
      JSON.stringify(spec),
      formatInstant(member.created_at),
      member.created_at,
      `pool-${name}-${id}`,
      JSON.stringify(member),
      members.length > 0 ? '1' : '0',
    );
    return throwIfFenced(reply);
  }

  /** Requests the end of one of its workers; `gone` if it has left the pool, or was claimed. */
  async retire(
    epoch: number,
    name: string,
    id: string,
    event: LifecycleEvent,
  ): Promise<'ok' | 'same' | 'gone'> {
    const { leader: key, desired, index, revision, events } = this.#workers;
    const reply = await this.#redis.poolRetire(
      key,
      this.keys.members(name),
      desired(id),
      index,
      revision,
      events(id),
      epoch,
      id,
      JSON.stringify(event),
      EVENTS_KEPT,
    );
    return throwIfFenced(reply);
  }

  /** Deletes a pool without workers and leaves a tombstone. */
  async purge(epoch: number, { name, pool }: PoolRead): Promise<'ok' | 'conflict' | 'gone'> {
    const { record, status, members, events, pools } = this.keys;
    const reply = await this.#redis.poolPurge(
      this.#workers.leader,
      record(name),
      status(name),
      members(name),
      events(name),
      pools,
      epoch,
      pool.generation,
      name,
      TOMBSTONE_MS,
      TOMBSTONE_MS,
    );
    return throwIfFenced(reply);
  }
}
