import {
  type DesiredRecord,
  type DesiredState,
  formatInstant,
  HEARTBEAT_BYTES,
  type Heartbeat,
  type LifecycleEvent,
  type Memo,
  type NodeView,
  type StatusRecord,
  type StoreIdentity,
  type Summary,
  type UsageReading,
  type WorkerRecord,
} from '../model/index.ts';
import { Budgets } from './budgets.ts';
import type { Link } from './connect.ts';
import { adoptLabels, anyHeartbeat, anyKnown, readIdentity, writeIdentity } from './identity.ts';
import { getKeys, type Keys } from './keys.ts';
import { ownNodes, readNodeViews } from './nodes.ts';
import { type Hash, toHeartbeat, toRecord, toStatus } from './parse.ts';
import { toMembership } from './pool-parse.ts';
import { type IndexState, readIndexState, StoreRepair } from './repair.ts';
import { EVENTS_KEPT, execAll, TOMBSTONE_MS, throwIfFenced, toFields } from './reply.ts';
import { readPage, type SummaryPage } from './summaries.ts';
import { readUsage, saveUsage } from './usage.ts';

/** How long the streams of a deleted worker can still be read. */
export const STREAMS_KEPT_MS = 3_600_000;
/** Heartbeats read in one round trip. */
const CHUNK = 1000;

/** A worker as it was read. */
export interface Loaded {
  record: WorkerRecord;
  heartbeat: Heartbeat | undefined;
  /** A pass has written a status, and it is not there. */
  status_lost?: true;
}

/** The records of one cell. `epoch` is the leader's; reads need none. */
export class Store {
  readonly keys: Keys;
  /** What is done about keys that are lost. */
  readonly repair: StoreRepair;
  readonly budgets: Budgets;
  readonly #redis: Link;

  constructor(redis: Link, cell: string) {
    this.#redis = redis;
    this.keys = getKeys(cell);
    this.repair = new StoreRepair(redis, this.keys);
    this.budgets = new Budgets(redis, this.keys);
  }

  /** A worker as the loop needs it, in one round trip; `undefined` where there is no record, or a tombstone. */
  async load(id: string): Promise<Loaded | undefined> {
    const reads = this.#redis.pipeline();
    reads.hgetall(this.keys.desired(id)).hgetall(this.keys.status(id));
    reads.getrange(this.keys.heartbeat(id), 0, HEARTBEAT_BYTES);
    // A body writes its heartbeat, and what stands there may be anything.
    reads.hget(this.keys.index, id);
    const replies = await execAll(reads, (at) => at === 2);
    const [desired, status, beat, indexed] = replies as [Hash, Hash, string | null, string | null];
    if (!desired?.spec) return undefined;
    const record = toRecord(id, desired, status ?? {});
    // The index says that a pass has written one.
    const lost = !status?.status && !indexed?.endsWith('.0');
    return { record, heartbeat: toHeartbeat(beat), ...(lost && { status_lost: true }) };
  }

  /** The observed status, also of a worker that was deleted a while ago; `undefined` where it never was. */
  async status(id: string): Promise<{ desired: DesiredState; status: StatusRecord | undefined } | undefined> {
    const { desired, status } = this.keys;
    const reads = this.#redis.pipeline().hget(desired(id), 'desired').hgetall(status(id));
    const [wanted, found] = (await execAll(reads)) as [DesiredState | null, Hash];
    return wanted ? { desired: wanted, status: toStatus(found) } : undefined;
  }

  /** A short line for each worker and each node that was started by hand. */
  async summaries(): Promise<Summary[]> {
    const all: Summary[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.page({ limit: CHUNK, cursor });
      all.push(...page.summaries);
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    return all;
  }

  /** As many of them as `limit` says, after `cursor`. */
  page(of: { limit: number; cursor: string | undefined }): Promise<SummaryPage> {
    return readPage(this.#redis, this.keys, (ids) => this.heartbeats(ids), of);
  }

  /** The nodes that were started by hand. */
  nodes(): Promise<NodeView[]> {
    return readNodeViews(this.#redis, this.keys, Date.now());
  }

  /** All that take tasks: the task workers that run, and the nodes that were started by hand. */
  async taskNodes(): Promise<NodeView[]> {
    const own = await ownNodes(await this.summaries(), (ids) => this.heartbeats(ids));
    return [...own, ...(await this.nodes())];
  }

  /** Ids in the order of their creation. */
  ids(): Promise<string[]> {
    return this.#redis.zrange(this.keys.workers, '0', '-1');
  }

  /** Shows in one round trip whether anything was written since, and whether the store is whole and the same. */
  indexState(): Promise<IndexState> {
    return readIndexState(this.#redis, this.keys);
  }

  /** Id to `<generation>.<revision>` for every worker: lets a resync choose the records to read. */
  index(): Promise<Hash> {
    return this.#redis.hgetall(this.keys.index);
  }

  /** The last heartbeats as they stand, in the order of the ids, unparsed: most are only compared. */
  async heartbeats(ids: string[]): Promise<(string | null)[]> {
    const found: (string | null)[] = [];
    for (let at = 0; at < ids.length; at += CHUNK) {
      const keys = ids.slice(at, at + CHUNK).map((id) => this.keys.heartbeat(id));
      if (keys.length === 0) continue;
      const texts = await this.#redis.heartbeats(keys.length, ...keys, HEARTBEAT_BYTES);
      found.push(...(texts as (string | null)[]));
    }
    return found;
  }

  /** Stores a decision. `conflict`: the record has changed since it was read. `gone`: there is none any more. */
  async record(
    epoch: number,
    read: WorkerRecord,
    next: { status: StatusRecord; memo: Memo; event: LifecycleEvent | undefined },
  ): Promise<'ok' | 'conflict' | 'gone'> {
    const { keys } = this;
    const reply = await this.#redis.record(
      keys.leader,
      keys.desired(read.id),
      keys.status(read.id),
      keys.index,
      keys.revision,
      keys.events(read.id),
      epoch,
      read.desired.generation,
      read.revision,
      read.id,
      next.event ? JSON.stringify(next.event) : '',
      EVENTS_KEPT,
      ...toFields(next.status),
      'memo',
      JSON.stringify(next.memo),
    );
    return throwIfFenced(reply);
  }

  /** Deletes a worker, except for a tombstone. */
  async purge(epoch: number, read: WorkerRecord): Promise<'ok' | 'conflict' | 'gone'> {
    const { keys } = this;
    const { id } = read;
    const reply = await this.#redis.purge(
      keys.leader,
      keys.desired(id),
      keys.status(id),
      keys.index,
      keys.revision,
      keys.workers,
      keys.input(id),
      keys.heartbeat(id),
      keys.output(id),
      keys.events(id),
      keys.conversation(id),
      keys.bodies,
      keys.names,
      epoch,
      read.desired.generation,
      id,
      TOMBSTONE_MS,
      STREAMS_KEPT_MS,
    );
    return throwIfFenced(reply);
  }

  /** Whether the lease is still that of the epoch. */
  async leads(epoch: number): Promise<boolean> {
    return (await this.#redis.get(this.keys.leader))?.endsWith(` ${epoch}`) ?? false;
  }

  /** Adds a line to a worker's history that comes with no change of its status. */
  async emit(id: string, event: LifecycleEvent): Promise<void> {
    await this.#redis.xadd(
      this.keys.events(id),
      'MAXLEN',
      '~',
      EVENTS_KEPT,
      '*',
      'data',
      JSON.stringify(event),
    );
  }

  saveUsage(usage: Record<string, UsageReading>, ttlMs: number): Promise<void> {
    return saveUsage(this.#redis, this.keys.usage, usage, ttlMs);
  }

  usage(ids?: string[]): Promise<Record<string, UsageReading>> {
    return readUsage(this.#redis, this.keys.usage, ids);
  }

  /** Distinguishes this store from an empty one, and from another. */
  identity(): Promise<StoreIdentity | undefined> {
    return readIdentity(this.#redis, this.keys.identity);
  }

  /** Gives it one, unless it has one. */
  identify(epoch: number, identity: StoreIdentity): Promise<void> {
    return writeIdentity(this.#redis, this.keys, epoch, identity);
  }

  /** Writes which labels beside its own are those of its bodies. */
  adopt(epoch: number, identity: StoreIdentity): Promise<void> {
    return adoptLabels(this.#redis, this.keys, epoch, identity);
  }

  /** Whether it knows any of these workers. */
  anyKnown(ids: string[]): Promise<boolean> {
    return anyKnown(this.#redis, this.keys, ids);
  }

  /** Whether the wrapper of any of these workers writes into it. */
  anyHeartbeat(ids: string[]): Promise<boolean> {
    return anyHeartbeat(this.#redis, this.keys, ids);
  }

  /** Writes the record of a worker of which only its body is left. False where there is a record. */
  async restore(epoch: number, id: string, spec: DesiredRecord['spec'], createdAt: number): Promise<boolean> {
    const { keys } = this;
    const reply = await this.#redis.restore(
      keys.leader,
      keys.desired(id),
      keys.index,
      keys.workers,
      keys.revision,
      keys.names,
      keys.status(id),
      epoch,
      id,
      JSON.stringify(spec),
      formatInstant(createdAt),
      createdAt,
      `restored-${id}`,
    );
    if (throwIfFenced<'ok' | 'exists'>(reply) !== 'ok') return false;
    // Its pool finds it again, once that is applied again.
    const { pool } = spec;
    const member = toMembership(spec, createdAt);
    if (pool) await this.#redis.hsetnx(keys.pools.members(pool), id, JSON.stringify(member));
    return true;
  }

  /** The clock of Redis, milliseconds since 1970. */
  async time(): Promise<number> {
    const [seconds, micros] = (await this.#redis.time()) as unknown as [string | number, string | number];
    return Number(seconds) * 1000 + Number(micros) / 1000;
  }

  async ping(): Promise<void> {
    await this.#redis.ping();
  }
}
