/**
 * Reconciles one pool: observe → decide → record → act, as for a worker. Its only actions are writes of the
 * desired state of its workers; the worker loop carries them out. The decision is recorded first, so that the
 * next reconcile, which observes the existing workers, repairs a crash in between.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import {
  type CrashPoint,
  formatInstant,
  type LifecycleEvent,
  type Limits,
  type PoolSpec,
  type PoolStatus,
  type RuntimeName,
} from '../model/index.ts';
import type { PoolEvent, PoolRead, PoolStore } from '../store/index.ts';
import { decidePool } from './decide.ts';
import {
  describePoolIntent,
  type PoolDecision,
  type PoolIntent,
  type PoolObservation,
  type QueueObservation,
  type RemovalReason,
} from './observation.ts';
import { computeRevision, createMemberSpec } from './template.ts';

/** The context that all reconciles of pools in one term share. */
export interface PoolContext {
  pools: Pick<
    PoolStore,
    'load' | 'record' | 'decided' | 'add' | 'retire' | 'purge' | 'names' | 'lost' | 'findMembers'
  >;
  log: Logger;
  epoch: number;
  limits: Limits;
  /** Milliseconds since 1970. */
  now: () => number;
  newId: () => string;
  leadingSince: number;
  /** The lease is recent enough to start an action. */
  mayAct: () => boolean;
  /** The state of a pool's queue. Never throws. */
  observeQueue: (pool: string) => Promise<QueueObservation>;
  /** Where `auto` puts a worker of this pool now; `undefined` if none can take it. Never throws. */
  chooseAuto: (spec: PoolSpec) => Promise<RuntimeName | undefined>;
  /**
   * The image that a new warm worker of this pool would run; `undefined` if that is not known. Never throws.
   */
  findWarmImage: (spec: PoolSpec) => Promise<string | undefined>;
  /** Until when claims of its warm workers are assumed to continue; see `PoolObservation`. */
  claimingUntil?: (pool: string) => number | undefined;
  /** How many more workers the cell may have; absent if they are not counted. */
  room?: (() => number) | undefined;
  /**
   * A worker is being created, or its create failed; counted immediately, so that two pools never use the
   * same place.
   */
  counted?: { add: (id: string) => void; forget: (id: string) => void } | undefined;
  /** A worker's desired record was written. */
  changed: (workerId: string) => void;
  /** Whether its list of workers was lost and has been restored, so that the observation is outdated. */
  membersFound: (read: PoolRead) => Promise<boolean>;
  /** Called with every observation and the decision about it. */
  onReconciled: (read: PoolRead, status: PoolStatus | undefined) => void;
  crashPoint?: CrashPoint | undefined;
}

/** The result of a reconcile: reconcile again after a delay, immediately, or not at all. */
export type PoolOutcome =
  | { kind: 'after'; ms: number }
  | { kind: 'again' }
  | { kind: 'gone' }
  | { kind: 'standby' };

export async function reconcilePool(name: string, context: PoolContext): Promise<PoolOutcome> {
  const read = await context.pools.load(name);
  if (!read) return { kind: 'gone' };
  if (await context.membersFound(read)) return { kind: 'again' };
  const observation = await observePool(read, context);
  const decision = decidePool(observation);
  context.onReconciled(read, decision.status);
  const recorded = await record(read, observation, decision, context);
  if (recorded !== 'ok') return recorded === 'gone' ? { kind: 'gone' } : { kind: 'again' };
  for (const intent of decision.intents) {
    if (!context.mayAct()) return { kind: 'standby' };
    context.crashPoint?.(`pool:${intent.type}:before`);
    const done = await execute(intent, read, observation, context);
    context.crashPoint?.(`pool:${intent.type}:after`);
    if (!done) return { kind: 'again' };
  }
  return { kind: 'after', ms: decision.requeue_after_ms };
}

/** What an observation needs; `explain` uses it as well, without a lease. */
export type PoolObserveContext = Pick<
  PoolContext,
  | 'observeQueue'
  | 'chooseAuto'
  | 'findWarmImage'
  | 'claimingUntil'
  | 'room'
  | 'limits'
  | 'now'
  | 'leadingSince'
>;

export async function observePool(read: PoolRead, context: PoolObserveContext): Promise<PoolObservation> {
  const { pool, status, memo, name } = read;
  const { spec } = pool;
  const [queue, auto, image] = await Promise.all([
    context.observeQueue(name),
    spec.execution_mode === 'auto' ? context.chooseAuto(spec) : undefined,
    read.members.some(({ warm }) => warm) ? context.findWarmImage(spec) : undefined,
  ]);
  const members = read.members.map((member) => ({
    ...member,
    stale: member.warm && image !== undefined && member.image !== undefined && member.image !== image,
  }));
  // Typed before it is frozen: an argument of `Object.freeze` may have fields that the type does not know.
  const observation: PoolObservation = {
    pool,
    status,
    memo,
    members,
    queue,
    auto,
    revision: computeRevision(spec),
    claiming_until: context.claimingUntil?.(name),
    room: context.room?.(),
    now: context.now(),
    watching_since: context.leadingSince,
    limits: context.limits,
  };
  return Object.freeze(observation);
}

/** Stores the decision if it changes anything; an unchanged pool costs no write. */
async function record(
  read: PoolRead,
  observation: PoolObservation,
  { status, memo, intents }: PoolDecision,
  { pools, epoch, log, crashPoint }: PoolContext,
): Promise<'ok' | 'conflict' | 'gone'> {
  const news = !same(read.status, status) || !isDeepStrictEqual(plain(read.memo), plain(memo));
  if (!news && read.gone.length === 0) return 'ok';
  const event = toPoolEvent(read.status, status, intents, observation.now);
  if (event) log.info({ pool: read.name, ...event }, 'pool changed');
  crashPoint?.('pool:record:before');
  const stored = await pools.decided(epoch, read, { status, memo, event });
  crashPoint?.('pool:record:after');
  // The next intents depend on the pool as it was read: only this manager wrote its status since.
  return stored;
}

const plain = (value: unknown) => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)));

function same(before: PoolStatus | undefined, after: PoolStatus): boolean {
  if (!before) return false;
  return (Object.keys(after) as (keyof PoolStatus)[]).every((field) => before[field] === after[field]);
}

const REPORTED = ['phase', 'reason', 'desired', 'ready', 'updated', 'observed_generation'] as const;

/** The line for the pool's history, if the change is visible to users or has an action. */
function toPoolEvent(
  before: PoolStatus | undefined,
  after: PoolStatus,
  intents: readonly PoolIntent[],
  now: number,
): PoolEvent | undefined {
  if (intents.length === 0 && REPORTED.every((field) => before?.[field] === after[field])) return undefined;
  const { phase, reason, message, desired, ready } = after;
  return {
    timestamp: formatInstant(now),
    phase,
    reason,
    message,
    desired,
    ready,
    actions: intents.map(describePoolIntent),
  };
}

/** False if the pool has changed since it was read. */
async function execute(
  intent: PoolIntent,
  read: PoolRead,
  observation: PoolObservation,
  { pools, epoch, now, newId, changed, room, counted }: PoolContext,
): Promise<boolean> {
  if (intent.type === 'purge') {
    await pools.purge(epoch, read);
    return false;
  }
  if (intent.type === 'retire') {
    const event = leavingEvent(read, intent.worker_id, intent.why, now());
    const retired = await pools.retire(epoch, read.name, intent.worker_id, event);
    if (retired === 'ok') changed(intent.worker_id);
    return true;
  }
  if (room && room() <= 0) return false;
  const id = newId();
  counted?.add(id);
  const { index, runtime, warm } = intent;
  const spec = createMemberSpec(read.pool.spec, { id, index, runtime, warm });
  const member = { index, runtime, warm, revision: observation.revision, created_at: now() };
  const added = await pools.add(epoch, read, { id, spec, member });
  if (added === 'conflict') counted?.forget(id);
  else changed(id);
  return added !== 'conflict';
}

const WHY: Record<RemovalReason, string> = {
  surplus: 'its pool has too many workers',
  outdated: 'its pool has another template',
  ended: 'it has ended and will be replaced',
  stopped: 'it was stopped and will be replaced',
  deleted: 'its pool was deleted',
};

function leavingEvent(
  { name, members }: PoolRead,
  id: string,
  why: RemovalReason,
  now: number,
): LifecycleEvent {
  const { status = 'STARTING', phase = 'accepted' } = members.find((member) => member.id === id) ?? {};
  const message = `It was removed from the pool ${name}: ${WHY[why]}.`;
  return {
    timestamp: formatInstant(now),
    type: 'retired',
    status,
    phase,
    reason: 'Retired',
    message,
    incarnation: 0,
    actions: [],
  };
}
