import {
  type DesiredRecord,
  type DesiredState,
  HEARTBEAT_BYTES,
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
import type { Hash } from './parse.ts';
import { type IndexState, readIndexState, StoreRepair } from './repair.ts';
import { EVENTS_KEPT } from './reply.ts';
import { readPage, type SummaryPage } from './summaries.ts';
import { readUsage, saveUsage } from './usage.ts';
import {
  type Loaded,
  loadWorker,
  purgeWorker,
  readStatus,
  recordDecision,
  restoreWorker,
} from './worker-records.ts';

/** Heartbeats read in one round trip. */
const CHUNK = 1000;

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
  load(id: string): Promise<Loaded | undefined> {
    return loadWorker(this.#redis, this.keys, id);
  }

  /** The observed status, also of a worker that was deleted a while ago; `undefined` where it never was. */
  status(id: string): Promise<{ desired: DesiredState; status: StatusRecord | undefined } | undefined> {
    return readStatus(this.#redis, this.keys, id);
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
  record(
    epoch: number,
    read: WorkerRecord,
    next: { status: StatusRecord; memo: Memo; event: LifecycleEvent | undefined },
  ): Promise<'ok' | 'conflict' | 'gone'> {
    return recordDecision(this.#redis, this.keys, epoch, read, next);
  }

  /** Deletes a worker, except for a tombstone. */
  purge(epoch: number, read: WorkerRecord): Promise<'ok' | 'conflict' | 'gone'> {
    return purgeWorker(this.#redis, this.keys, epoch, read);
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
  restore(epoch: number, id: string, spec: DesiredRecord['spec'], createdAt: number): Promise<boolean> {
    return restoreWorker(this.#redis, this.keys, epoch, id, spec, createdAt);
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
