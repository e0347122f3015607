/** Reads the record of one worker, and runs the scripts that change, delete and restore it. */
import {
  type DesiredRecord,
  type DesiredState,
  formatInstant,
  HEARTBEAT_BYTES,
  type Heartbeat,
  type LifecycleEvent,
  type Memo,
  type PendingWebhook,
  type StatusRecord,
  type WorkerRecord,
} from '../../model/index.ts';
import type { Link } from '../connect.ts';
import type { Keys } from '../keys.ts';
import { type Hash, toHeartbeat, toRecord, toStatus } from '../parse.ts';
import { toMembership } from '../pools/pool-parse.ts';
import { ALL_EVENTS_KEPT, EVENTS_KEPT, execAll, TOMBSTONE_MS, throwIfFenced, toFields } from '../reply.ts';

/** How long the streams of a deleted worker stay readable. */
export const STREAMS_KEPT_MS = 3_600_000;

/** A worker as read from the store. */
export interface Loaded {
  record: WorkerRecord;
  heartbeat: Heartbeat | undefined;
  /** A reconcile has written a status, but it is missing. */
  status_lost?: true;
}

/** A decision as it is stored. */
export interface NextRecord {
  status: StatusRecord;
  memo: Memo;
  event: LifecycleEvent | undefined;
  /** The messages that report it, by delivery. */
  webhooks?: Record<string, PendingWebhook> | undefined;
}

/** Reads a worker for the loop, in one round trip; `undefined` if there is no record, or only a tombstone. */
export async function loadWorker(redis: Link, keys: Keys, id: string): Promise<Loaded | undefined> {
  const reads = redis.pipeline();
  reads.hgetall(keys.desired(id)).hgetall(keys.status(id));
  reads.getrange(keys.heartbeat(id), 0, HEARTBEAT_BYTES);
  // The body writes its heartbeat, so the key may contain anything.
  reads.hget(keys.index, id);
  const replies = await execAll(reads, (at) => at === 2);
  const [desired, status, beat, indexed] = replies as [Hash, Hash, string | null, string | null];
  if (!desired?.spec) return undefined;
  const record = toRecord(id, desired, status ?? {});
  // The index shows that a reconcile has written one.
  const lost = !status?.status && !indexed?.endsWith('.0');
  return { record, heartbeat: toHeartbeat(beat), ...(lost && { status_lost: true }) };
}

/** The observed status, including that of a recently deleted worker; `undefined` if it never existed. */
export async function readStatus(
  redis: Link,
  keys: Keys,
  id: string,
): Promise<{ desired: DesiredState; status: StatusRecord | undefined } | undefined> {
  const { desired, status } = keys;
  const reads = redis.pipeline().hget(desired(id), 'desired').hgetall(status(id));
  const [wanted, found] = (await execAll(reads)) as [DesiredState | null, Hash];
  return wanted ? { desired: wanted, status: toStatus(found) } : undefined;
}

/**
 * Stores a decision. `conflict`: the record has changed since it was read. `gone`: there is no record any
 * more.
 */
export async function recordDecision(
  redis: Link,
  keys: Keys,
  epoch: number,
  read: WorkerRecord,
  next: NextRecord,
): Promise<'ok' | 'conflict' | 'gone'> {
  const webhooks = Object.entries(next.webhooks ?? {}).map(([id, pending]) => [id, JSON.stringify(pending)]);
  const reply = await redis.record(
    keys.leader,
    keys.desired(read.id),
    keys.status(read.id),
    keys.index,
    keys.revision,
    keys.events(read.id),
    keys.allEvents,
    keys.webhooks,
    epoch,
    read.desired.generation,
    read.revision,
    read.id,
    next.event ? JSON.stringify(next.event) : '',
    EVENTS_KEPT,
    ALL_EVENTS_KEPT,
    webhooks.length,
    ...webhooks.flat(),
    ...toFields(next.status),
    'memo',
    JSON.stringify(next.memo),
  );
  return throwIfFenced(reply);
}

/** Deletes a worker and leaves a tombstone. */
export async function purgeWorker(
  redis: Link,
  keys: Keys,
  epoch: number,
  read: WorkerRecord,
): Promise<'ok' | 'conflict' | 'gone'> {
  const { id } = read;
  const reply = await redis.purge(
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

/** Restores the record of a worker from its body. Returns false if there is a record. */
export async function restoreWorker(
  redis: Link,
  keys: Keys,
  epoch: number,
  id: string,
  spec: DesiredRecord['spec'],
  createdAt: number,
  /** ID of the workspace that its body uses. */
  workspace: string | undefined,
): Promise<boolean> {
  const reply = await redis.restore(
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
    workspace === undefined || workspace === id ? '' : workspace,
  );
  if (throwIfFenced<'ok' | 'exists'>(reply) !== 'ok') return false;
  // Its pool finds it again after the pool is applied again.
  const { pool } = spec;
  const member = toMembership(spec, createdAt);
  if (pool) await redis.hsetnx(keys.pools.members(pool), id, JSON.stringify(member));
  return true;
}

/** Records per round trip. */
const CHUNK = 1000;

/** Which of these workers use a workspace that was created for another worker, by the ID of the workspace. */
export async function readWorkspaceUsers(
  redis: Link,
  keys: Keys,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const users = new Map<string, string>();
  for (let from = 0; from < ids.length; from += CHUNK) {
    const chunk = ids.slice(from, from + CHUNK);
    const reads = redis.pipeline();
    for (const id of chunk) reads.hget(keys.desired(id), 'workspace');
    const replies = (await execAll(reads)) as (string | null)[];
    for (const [at, id] of chunk.entries()) if (replies[at]) users.set(replies[at], id);
  }
  return users;
}
