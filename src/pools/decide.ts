/**
 * The decision about a pool: one look in, plain data out. It only says who is added and who has to leave; what
 * becomes of a worker then is the worker's own loop. Pure.
 *
 * Those that leave are told so, and finish what they run: they take nothing new, so that they count for nothing
 * here. What must always hold: beside those that leave there are never more than the wanted number and the surge;
 * a ready one is only taken for a new template while enough others are ready; nothing is taken for a template that
 * was stopped; no busy one leaves while an idle one could.
 */

import { sizeOf } from './autoscale.ts';
import { countFailures } from './failures.ts';
import { lastWords } from './last-error.ts';
import {
  isAvailable,
  isFailing,
  isFresh,
  isReady,
  type Leaving,
  type Member,
  newMemo,
  type PoolDecision,
  type PoolIntent,
  type PoolLook,
  stays,
} from './observation.ts';
import { type Group, groupsOf } from './placement.ts';
import { DEFAULT_UPDATE, progressOf } from './rollout.ts';
import { leavingOrder } from './scale-down-order.ts';
import { statusOf } from './status.ts';
import { refill } from './warm/refill.ts';

/** Busy and idle are told by heartbeats, which give no hint: one is written every 5 s. */
const LOOK_MS = 5000;
/** A queue gives no hint either: a scaled pool is looked at as often as a person would call it at once. */
const SCALED_LOOK_MS = 1000;

export function decidePool(look: PoolLook): PoolDecision {
  const { pool, members, now } = look;
  const memo = look.memo ?? newMemo();
  const size = sizeOf(look, memo);
  const failures = countFailures(look, memo);
  const words = lastWords(look, memo);
  const ended = members.filter((member) => member.desired !== 'deleted' && !stays(member));
  const own = members.filter((member) => stays(member) && !member.warm);
  if (pool.desired === 'deleted') return deleting(look, size.desired);

  const groups = groupsOf(pool.spec.execution_mode, size.desired, look.auto);
  const { updated, outdated } = sorted(own, groups, look.revision);
  const { rollout, due } = progressOf(look, memo, size.desired, { updated, outdated }, words);
  const stopped = rollout.stopped !== undefined && outdated.length > 0;

  const leaving = [
    ...ended.map((member): Gone => [member, member.desired === 'stopped' ? 'stopped' : 'ended']),
    ...surplusOf(updated, groups).map((member): Gone => [member, 'surplus']),
    ...(stopped ? [] : replaceable(look, size.desired, updated, outdated)),
  ];
  const gone = new Set(leaving.map(([member]) => member));
  const over = own.filter((member) => !gone.has(member));
  const surge = outdated.length > 0 ? (pool.spec.update ?? DEFAULT_UPDATE).max_surge : 0;
  const outOfRoom = over.length - (size.desired + surge);
  if (outOfRoom > 0) {
    const old = new Set(outdated);
    const first = leavingOrder(over.filter((member) => old.has(member)));
    for (const member of first.slice(0, outOfRoom)) leaving.push([member, 'surplus']);
  }
  const warm = warmOnes(look);
  leaving.push(...warm.leaving);

  // A pool whose workers all keep dying is not helped by more of them.
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
  const added = wanted.slice(0, look.room);
  const short = wanted.length - added.length;
  const places = freePlaces(members, added.length);
  const intents: PoolIntent[] = [
    ...leaving.map(([{ id, busy }, why]): PoolIntent => ({ type: 'retire', worker_id: id, why, busy })),
    ...added.map((one, at): PoolIntent => ({ type: 'add', ...one, index: places[at] ?? 0 })),
  ];
  const next = {
    ...{ ...memo, ...size.memo, ...failures, rollout },
    last_words: words.length > 0 ? words : undefined,
  };
  const scaled = pool.spec.min !== undefined;
  const dues = [due, size.due, takingUntil(look), waits ? failures.next_retry_at : undefined].filter(
    (at) => at !== undefined,
  );
  const wait = Math.min(scaled ? SCALED_LOOK_MS : LOOK_MS, ...dues.map((at) => Math.max(0, at - now) + 5));
  return {
    status: statusOf(look, { ...size, updated, outdated, rollout, failures, words, hopeless, short }),
    memo: next,
    intents,
    requeue_after_ms: wait,
  };
}

type Gone = [Member, Leaving];

function deleting(look: PoolLook, desired: number): PoolDecision {
  const left = look.members.filter((member) => member.desired !== 'deleted');
  const intents: PoolIntent[] = look.members.length === 0 ? [{ type: 'purge' }] : [];
  for (const { id, busy } of leavingOrder(left))
    intents.push({ type: 'retire', worker_id: id, why: 'deleted', busy });
  const none = {
    ...{ updated: [], outdated: [], rollout: undefined },
    ...{ failures: newMemo(), words: [], hopeless: false, short: 0 },
  };
  return {
    status: statusOf(look, { desired, why: '', ...none }),
    memo: newMemo(),
    intents,
    requeue_after_ms: LOOK_MS,
  };
}

/** A worker is outdated by its template, by where it lives, or where its place is needed in another runtime. */
function sorted(own: readonly Member[], groups: readonly Group[], revision: string) {
  const fits = (member: Member) =>
    member.revision === revision && groups.some(({ runtimes }) => runtimes.includes(member.runtime));
  const fitting = own.filter(fits);
  const moved = new Set<Member>();
  let short = groups.reduce((sum, group) => sum + Math.max(0, group.want - within(fitting, group).length), 0);
  if (short > 0)
    for (const group of groups) {
      const there = leavingOrder(within(fitting, group));
      for (const member of there.slice(0, Math.min(short, Math.max(0, there.length - group.want)))) {
        moved.add(member);
        short -= 1;
      }
    }
  const updated = fitting.filter((member) => !moved.has(member));
  const current = new Set(updated);
  return { updated, outdated: own.filter((member) => !current.has(member)) };
}

const within = (members: readonly Member[], { runtimes }: Group) =>
  members.filter(({ runtime }) => runtimes.includes(runtime));

function surplusOf(updated: readonly Member[], groups: readonly Group[]): Member[] {
  return groups.flatMap((group) => {
    const there = leavingOrder(within(updated, group));
    return there.slice(0, Math.max(0, there.length - group.want));
  });
}

/**
 * Outdated ones that may go now. Those that give no service go as far as all that is missing is made up for, as a
 * Deployment does it: the new ones have to show first that they can do better. Ready ones go while enough are left.
 */
function replaceable(
  { pool: { spec }, now }: PoolLook,
  size: number,
  updated: readonly Member[],
  outdated: readonly Member[],
): Gone[] {
  const { max_unavailable } = spec.update ?? DEFAULT_UPDATE;
  const least = Math.max(0, size - max_unavailable);
  const available = (member: Member) => isAvailable(member, spec, now);
  const unripe = updated.filter((member) => !available(member)).length;
  const all = updated.length + outdated.length;
  const order = leavingOrder(outdated);
  const idle = order.filter((member) => !available(member)).slice(0, Math.max(0, all - least - unripe));
  const spare = [...updated, ...outdated].filter(available).length - least;
  const ready = order.filter(available).slice(0, Math.max(0, spare));
  return [...idle, ...ready].map((member): Gone => [member, 'outdated']);
}

type Addition = Pick<Extract<PoolIntent, { type: 'add' }>, 'runtime' | 'warm'>;

function additions(updated: readonly Member[], groups: readonly Group[], room: number): Addition[] {
  const added: Addition[] = [];
  for (const group of groups) {
    const { make, want } = group;
    if (make === undefined) continue;
    const missing = want - within(updated, group).length;
    for (let n = 0; n < missing && added.length < room; n += 1) added.push({ runtime: make, warm: false });
  }
  return added;
}

/** Warm ones are kept apart from the pool's own number. */
function warmOnes(look: PoolLook): {
  leaving: Gone[];
  added: Addition[];
} {
  const { members, auto } = look;
  const { spec } = look.pool;
  const want = spec.warm ?? 0;
  const warm = members.filter((member) => stays(member) && member.warm);
  const { make, end } = refill(
    want,
    warm.map((member) => ({
      id: member.id,
      fresh: isFresh(member, look),
      ready: isReady(member),
      created_at: member.created_at,
    })),
    takingUntil(look) !== undefined,
  );
  const leaving = warm
    .filter(({ id }) => end.includes(id))
    .map((member): Gone => [member, isFresh(member, look) ? 'surplus' : 'outdated']);
  const runtime = groupsOf(spec.execution_mode, Math.max(1, want), auto).find(
    (group) => group.want > 0,
  )?.make;
  // Those that keep dying are not helped by more of the same; another template may do better.
  const hopeless = warm.some((member) => isFailing(member) && isFresh(member, look));
  if (runtime === undefined || hopeless) return { leaving, added: [] };
  return { leaving, added: Array.from({ length: make }, () => ({ runtime, warm: true })) };
}

const takingUntil = ({ taking_until: until, now }: PoolLook) =>
  until !== undefined && now < until ? until : undefined;

/** The lowest places that nobody has, also none that leaves. */
function freePlaces(members: readonly Member[], count: number): number[] {
  const taken = new Set(members.map(({ index }) => index));
  const places: number[] = [];
  for (let index = 1; places.length < count; index += 1) if (!taken.has(index)) places.push(index);
  return places;
}
