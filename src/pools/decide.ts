/**
 * The decision about a pool, from one observation to plain data. It decides only which workers are added and
 * which have to leave; the worker loop carries that out. Pure.
 *
 * Leaving workers are notified and finish their tasks; they take no new ones, so they are not counted here.
 * Invariants: without the leaving workers there are never more than the wanted number and the surge; a ready
 * worker is replaced for a new template only while enough others are ready; no worker is replaced for a
 * template whose rollout was stopped; no busy worker leaves while an idle one could.
 */

import { type Member, newMemo } from '../model/pool-memo.ts';
import { decideSize } from './autoscale.ts';
import { countFailures } from './failures.ts';
import { findLastError } from './last-error.ts';
import {
  isActive,
  isAvailable,
  isCurrent,
  isFailing,
  isReady,
  type PoolDecision,
  type PoolIntent,
  type PoolObservation,
  type RemovalReason,
} from './observation.ts';
import { type PlacementGroup, toPlacementGroups } from './placement.ts';
import { DEFAULT_UPDATE, getRolloutProgress } from './rollout.ts';
import { scaleDownOrder } from './scale-down-order.ts';
import { createPoolStatus } from './status.ts';
import { refill } from './warm/refill.ts';

/** Heartbeats report busy and idle, and cause no event because they are written every 5 s. */
const RECONCILE_MS = 5000;
/** A queue causes no event either: a scaled pool is reconciled often enough to react at once. */
const SCALED_RECONCILE_MS = 1000;

export function decidePool(observation: PoolObservation): PoolDecision {
  const { pool, members, now } = observation;
  const memo = observation.memo ?? newMemo();
  const size = decideSize(observation, memo);
  const failures = countFailures(observation, memo);
  const lastError = findLastError(observation, memo);
  const ended = members.filter((member) => member.desired !== 'deleted' && !isActive(member));
  const own = members.filter((member) => isActive(member) && !member.warm);
  if (pool.desired === 'deleted') return deleting(observation, size.desired);

  const groups = toPlacementGroups(pool.spec.execution_mode, size.desired, observation.auto);
  const { updated, outdated } = sorted(own, groups, observation.revision);
  const { rollout, due } = getRolloutProgress(
    observation,
    memo,
    size.desired,
    { updated, outdated },
    lastError,
  );
  const stopped = rollout.stopped !== undefined && outdated.length > 0;

  const leaving = [
    ...ended.map((member): Departure => [member, member.desired === 'stopped' ? 'stopped' : 'ended']),
    ...findSurplus(updated, groups).map((member): Departure => [member, 'surplus']),
    ...(stopped ? [] : replaceable(observation, size.desired, updated, outdated)),
  ];
  const gone = new Set(leaving.map(([member]) => member));
  const over = own.filter((member) => !gone.has(member));
  const surge = outdated.length > 0 ? (pool.spec.update ?? DEFAULT_UPDATE).max_surge : 0;
  const outOfRoom = over.length - (size.desired + surge);
  if (outOfRoom > 0) {
    const old = new Set(outdated);
    const first = scaleDownOrder(over.filter((member) => old.has(member)));
    for (const member of first.slice(0, outOfRoom)) leaving.push([member, 'surplus']);
  }
  const warm = planWarm(observation);
  leaving.push(...warm.leaving);

  // More workers do not help a pool whose workers all keep failing.
  const hopeless = own.some(isFailing) && !own.some(isReady);
  const waits = failures.next_retry_at !== undefined && failures.next_retry_at > now;
  const held = waits || stopped || (hopeless && outdated.length === 0 && own.length > 0);
  const left = new Set(leaving.map(([member]) => member));
  const room = size.desired + surge - own.filter((member) => !left.has(member)).length;
  const wanted = [
    ...(held
      ? []
      : additions(
          updated.filter((member) => !gone.has(member)),
          groups,
          room,
        )),
    ...(waits ? [] : warm.added),
  ];
  const added = wanted.slice(0, observation.room);
  const short = wanted.length - added.length;
  const places = findFreeIndexes(members, added.length);
  const intents: PoolIntent[] = [
    ...leaving.map(([{ id, busy }, why]): PoolIntent => ({ type: 'retire', worker_id: id, why, busy })),
    ...added.map((addition, at): PoolIntent => ({ type: 'add', ...addition, index: places[at] ?? 0 })),
  ];
  const next = {
    ...memo,
    ...size.memo,
    ...failures,
    rollout,
    last_words: lastError.length > 0 ? lastError : undefined,
  };
  const scaled = pool.spec.min !== undefined;
  const dues = [due, size.due, claimingUntil(observation), waits ? failures.next_retry_at : undefined].filter(
    (at) => at !== undefined,
  );
  const wait = Math.min(
    scaled ? SCALED_RECONCILE_MS : RECONCILE_MS,
    ...dues.map((at) => Math.max(0, at - now) + 5),
  );
  return {
    status: createPoolStatus(observation, {
      ...size,
      updated,
      outdated,
      rollout,
      failures,
      lastError,
      hopeless,
      short,
    }),
    memo: next,
    intents,
    requeue_after_ms: wait,
  };
}

type Departure = [Member, RemovalReason];

function deleting(observation: PoolObservation, desired: number): PoolDecision {
  const left = observation.members.filter((member) => member.desired !== 'deleted');
  const intents: PoolIntent[] = observation.members.length === 0 ? [{ type: 'purge' }] : [];
  for (const { id, busy } of scaleDownOrder(left))
    intents.push({ type: 'retire', worker_id: id, why: 'deleted', busy });
  const none = {
    updated: [],
    outdated: [],
    rollout: undefined,
    failures: newMemo(),
    lastError: [],
    hopeless: false,
    short: 0,
  };
  return {
    status: createPoolStatus(observation, { desired, why: '', ...none }),
    memo: newMemo(),
    intents,
    requeue_after_ms: RECONCILE_MS,
  };
}

/**
 * A worker is outdated because of its template or its runtime, or if its place is needed in another runtime.
 */
function sorted(own: readonly Member[], groups: readonly PlacementGroup[], revision: string) {
  const fits = (member: Member) =>
    member.revision === revision && groups.some(({ runtimes }) => runtimes.includes(member.runtime));
  const fitting = own.filter(fits);
  const moved = new Set<Member>();
  let short = groups.reduce((sum, group) => sum + Math.max(0, group.want - within(fitting, group).length), 0);
  if (short > 0)
    for (const group of groups) {
      const ordered = scaleDownOrder(within(fitting, group));
      for (const member of ordered.slice(0, Math.min(short, Math.max(0, ordered.length - group.want)))) {
        moved.add(member);
        short -= 1;
      }
    }
  const updated = fitting.filter((member) => !moved.has(member));
  const current = new Set(updated);
  return { updated, outdated: own.filter((member) => !current.has(member)) };
}

const within = (members: readonly Member[], { runtimes }: PlacementGroup) =>
  members.filter(({ runtime }) => runtimes.includes(runtime));

function findSurplus(updated: readonly Member[], groups: readonly PlacementGroup[]): Member[] {
  return groups.flatMap((group) => {
    const ordered = scaleDownOrder(within(updated, group));
    return ordered.slice(0, Math.max(0, ordered.length - group.want));
  });
}

/**
 * Outdated workers that may leave now. Workers that are not ready leave as far as replacements cover what is
 * missing, as in a Deployment: new workers first have to become ready. Ready workers leave while enough of
 * them remain.
 */
function replaceable(
  { pool: { spec }, now }: PoolObservation,
  size: number,
  updated: readonly Member[],
  outdated: readonly Member[],
): Departure[] {
  const { max_unavailable } = spec.update ?? DEFAULT_UPDATE;
  const least = Math.max(0, size - max_unavailable);
  const available = (member: Member) => isAvailable(member, spec, now);
  const unripe = updated.filter((member) => !available(member)).length;
  const all = updated.length + outdated.length;
  const order = scaleDownOrder(outdated);
  const idle = order.filter((member) => !available(member)).slice(0, Math.max(0, all - least - unripe));
  const spare = [...updated, ...outdated].filter(available).length - least;
  const ready = order.filter(available).slice(0, Math.max(0, spare));
  return [...idle, ...ready].map((member): Departure => [member, 'outdated']);
}

type Addition = Pick<Extract<PoolIntent, { type: 'add' }>, 'runtime' | 'warm'>;

function additions(updated: readonly Member[], groups: readonly PlacementGroup[], room: number): Addition[] {
  const added: Addition[] = [];
  for (const group of groups) {
    const { make, want } = group;
    if (make === undefined) continue;
    const missing = want - within(updated, group).length;
    for (let n = 0; n < missing && added.length < room; n += 1) added.push({ runtime: make, warm: false });
  }
  return added;
}

/** Warm workers are not part of the pool's own number. */
function planWarm(observation: PoolObservation): {
  leaving: Departure[];
  added: Addition[];
} {
  const { members, auto } = observation;
  const { spec } = observation.pool;
  const want = spec.warm ?? 0;
  const warm = members.filter((member) => isActive(member) && member.warm);
  const { make, end } = refill(
    want,
    warm.map((member) => ({
      id: member.id,
      fresh: isCurrent(member, observation),
      ready: isReady(member),
      created_at: member.created_at,
    })),
    claimingUntil(observation) !== undefined,
  );
  const leaving = warm
    .filter(({ id }) => end.includes(id))
    .map((member): Departure => [member, isCurrent(member, observation) ? 'surplus' : 'outdated']);
  const runtime = toPlacementGroups(spec.execution_mode, Math.max(1, want), auto).find(
    (group) => group.want > 0,
  )?.make;
  // More workers of a failing template do not help; another template may work.
  const hopeless = warm.some((member) => isFailing(member) && isCurrent(member, observation));
  if (runtime === undefined || hopeless) return { leaving, added: [] };
  return { leaving, added: Array.from({ length: make }, () => ({ runtime, warm: true })) };
}

const claimingUntil = ({ claiming_until: until, now }: PoolObservation) =>
  until !== undefined && now < until ? until : undefined;

/** The lowest places that no worker uses, including leaving ones. */
function findFreeIndexes(members: readonly Member[], count: number): number[] {
  const taken = new Set(members.map(({ index }) => index));
  const places: number[] = [];
  for (let index = 1; places.length < count; index += 1) if (!taken.has(index)) places.push(index);
  return places;
}
