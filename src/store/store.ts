import {
  type DesiredRecord,
  type DesiredState,
  HEARTBEAT_BYTES,
  type LifecycleEvent,
  type NodeView,
  type StatusRecord,
  type StoreIdentity,
  type Summary,
  type UsageReading,
  type WorkerRecord,
} from '../model/index.ts';
import { type IndexState, readIndexState, StoreRepair } from './checks/repair.ts';
import type { Link } from './connect.ts';
import { adoptLabels, anyHeartbeat, anyKnown, readIdentity, writeIdentity } from './identity.ts';
import { getKeys, type Keys } from './keys.ts';
import { type Hash, parse } from './parse.ts';
import { ALL_EVENTS_KEPT, EVENTS_KEPT, execAll } from './reply.ts';
import { Budgets } from './workers/budgets.ts';
import { ownNodes, readNodeViews } from './workers/nodes.ts';
import { readPage, type SummaryPage } from './workers/summaries.ts';
import { readUsage, saveUsage } from './workers/usage.ts';
import {
  type Loaded,
  loadWorker,
  type NextRecord,
  purgeWorker,
  readStatus,
  readWorkspaceUsers,
  recordDecision,
  restoreWorker,
} from './workers/worker-records.ts';

/** Maximum heartbeats read in one round trip. */
const CHUNK = 1000;

/** The records of one cell. `epoch` is the leader's; reads do not need one. */
export class Store {
  readonly keys: Keys;
  /** Handles lost keys. */
  readonly repair: StoreRepair;
  readonly budgets: Budgets;
  readonly #redis: Link;

  constructor(redis: Link, cell: string) {
    this.#redis = redis;
    this.keys = getKeys(cell);
    this.repair = new StoreRepair(redis, this.keys);
    this.budgets = new Budgets(redis, this.keys);
  }

  /**
   * Reads a worker for the loop, in one round trip; `undefined` if there is no record, or only a tombstone.
   */
  load(id: string): Promise<Loaded | undefined> {
    return loadWorker(this.#redis, this.keys, id);
  }

  /** The observed status, including that of a recently deleted worker; `undefined` if it never existed. */
  status(id: string): Promise<{ desired: DesiredState; status: StatusRecord | undefined } | undefined> {
    return readStatus(this.#redis, this.keys, id);
  }

  /** A summary of each worker and each manually started node. */
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

  /** At most `limit` of them, after `cursor`. */
  page(of: { limit: number; cursor: string | undefined }): Promise<SummaryPage> {
    return readPage(this.#redis, this.keys, (ids) => this.heartbeats(ids), of);
  }

  /** The manually started nodes. */
  nodes(): Promise<NodeView[]> {
    return readNodeViews(this.#redis, this.keys, Date.now());
  }

  /** All consumers of tasks: the running task workers and the manually started nodes. */
  async taskNodes(): Promise<NodeView[]> {
    const own = await ownNodes(await this.summaries(), (ids) => this.heartbeats(ids));
    return [...own, ...(await this.nodes())];
  }

  /** The worker that has this name, or had it last; `undefined` if it has no record. */
  async findId(name: string): Promise<string | undefined> {
    const id = await this.#redis.hget(this.keys.names, name);
    return id !== null && (await this.#redis.hexists(this.keys.desired(id), 'spec')) === 1 ? id : undefined;
  }

  /** IDs in the order of their creation. */
  ids(): Promise<string[]> {
    return this.#redis.zrange(this.keys.workers, '0', '-1');
  }

  /**
   * Shows in one round trip whether anything was written since, and whether the store is complete and
   * unchanged.
   */
  indexState(): Promise<IndexState> {
    return readIndexState(this.#redis, this.keys);
  }

  /** ID to `<generation>.<revision>` of every worker; a resync uses it to select the records to read. */
  index(): Promise<Hash> {
    return this.#redis.hgetall(this.keys.index);
  }

  /** The last heartbeats in the order of the IDs, unparsed, because most are only compared. */
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

  /**
   * Stores a decision. `conflict`: the record has changed since it was read. `gone`: there is no record any
   * more.
   */
  record(epoch: number, read: WorkerRecord, next: NextRecord): Promise<'ok' | 'conflict' | 'gone'> {
    return recordDecision(this.#redis, this.keys, epoch, read, next);
  }

  /** Deletes a worker and leaves a tombstone. */
  purge(epoch: number, read: WorkerRecord): Promise<'ok' | 'conflict' | 'gone'> {
    return purgeWorker(this.#redis, this.keys, epoch, read);
  }

  /** Whether the lease still has this epoch. */
  async leads(epoch: number): Promise<boolean> {
    return (await this.#redis.get(this.keys.leader))?.endsWith(` ${epoch}`) ?? false;
  }

  /** The leader of this cell and its epoch; `undefined` if there is none. */
  async leader(): Promise<{ owner: string; epoch: number } | undefined> {
    const match = /^(.*) (\d+)$/.exec((await this.#redis.get(this.keys.leader)) ?? '');
    return match?.[1] && match[2] ? { owner: match[1], epoch: Number(match[2]) } : undefined;
  }

  /** The time up to which the traces of ended tasks are exported, in milliseconds since 1970. */
  readonly tracesPosition = {
    read: async (): Promise<number | undefined> =>
      Number(await this.#redis.get(this.keys.traces)) || undefined,
    write: async (ms: number): Promise<void> => void (await this.#redis.set(this.keys.traces, ms)),
  };

  /** The last lines of a worker's history, oldest first. */
  async history(id: string, most: number): Promise<LifecycleEvent[]> {
    const entries = await this.#redis.xrevrange(this.keys.events(id), '+', '-', 'COUNT', most);
    return entries
      .reverse()
      .flatMap(([, fields]) => (parse(fields[1] ?? '') as LifecycleEvent | undefined) ?? []);
  }

  /** Adds a line to a worker's history without a change of status. */
  async emit(id: string, event: LifecycleEvent): Promise<void> {
    const { events, allEvents } = this.keys;
    const writes = this.#redis.pipeline();
    writes.xadd(events(id), 'MAXLEN', '~', EVENTS_KEPT, '*', 'data', JSON.stringify(event));
    const named = JSON.stringify({ worker_id: id, ...event });
    writes.xadd(allEvents, 'MAXLEN', '~', ALL_EVENTS_KEPT, '*', 'data', named);
    await execAll(writes, (at) => at === 1);
  }

  saveUsage(usage: Record<string, UsageReading>, ttlMs: number): Promise<void> {
    return saveUsage(this.#redis, this.keys.usage, usage, ttlMs);
  }

  usage(ids?: string[]): Promise<Record<string, UsageReading>> {
    return readUsage(this.#redis, this.keys.usage, ids);
  }

  /** Distinguishes this store from an empty one and from other stores. */
  identity(): Promise<StoreIdentity | undefined> {
    return readIdentity(this.#redis, this.keys.identity);
  }

  /** Creates an identity, unless there is one. */
  identify(epoch: number, identity: StoreIdentity): Promise<void> {
    return writeIdentity(this.#redis, this.keys, epoch, identity);
  }

  /** Stores which other labels also identify its bodies. */
  adopt(epoch: number, identity: StoreIdentity): Promise<void> {
    return adoptLabels(this.#redis, this.keys, epoch, identity);
  }

  /** Whether any of these workers has a record. */
  anyKnown(ids: string[]): Promise<boolean> {
    return anyKnown(this.#redis, this.keys, ids);
  }

  /** Whether the wrapper of any of these workers writes to this store. */
  anyHeartbeat(ids: string[]): Promise<boolean> {
    return anyHeartbeat(this.#redis, this.keys, ids);
  }

  /** Restores the record of a worker from its body. Returns false if there is a record. */
  restore(
    epoch: number,
    id: string,
    spec: DesiredRecord['spec'],
    createdAt: number,
    workspace?: string,
  ): Promise<boolean> {
    return restoreWorker(this.#redis, this.keys, epoch, id, spec, createdAt, workspace);
  }

  /** The workers that use a workspace of another worker, by the ID of the workspace. */
  workspaceUsers(ids: readonly string[]): Promise<Map<string, string>> {
    return readWorkspaceUsers(this.#redis, this.keys, ids);
  }

  /** The clock of Redis, in milliseconds since 1970. */
  async time(): Promise<number> {
    const [seconds, micros] = (await this.#redis.time()) as unknown as [string | number, string | number];
    return Number(seconds) * 1000 + Number(micros) / 1000;
  }

  async ping(): Promise<void> {
    await this.#redis.ping();
  }
}
