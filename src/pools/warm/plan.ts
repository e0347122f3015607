/** Which warm workers a pool creates and which it ends. Pure. */

import type { Addition } from '../additions.ts';
import type { Departure } from '../departures.ts';
import { isActive, isCurrent, isFailing, isReady, type PoolObservation } from '../observation.ts';
import { toPlacementGroups } from '../placement.ts';
import { refill } from './refill.ts';

/** The warm workers to create and to end. They are not part of the pool's own number. */
export function planWarm(observation: PoolObservation): {
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

/** Until when further claims are expected; `undefined` if none was made a moment ago. */
export const claimingUntil = ({ claiming_until: until, now }: PoolObservation) =>
  until !== undefined && now < until ? until : undefined;
