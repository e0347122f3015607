/** How a pool keeps its number of warm workers. Pure; the pool's loop carries it out. */

/** One warm worker of a pool. */
export interface WarmMember {
  id: string;
  /** Made of the pool's template as it is now, in the image that a new one would run. */
  fresh: boolean;
  /** Booted, and waits to be taken over. */
  ready: boolean;
  /** Milliseconds since 1970. */
  created_at: number;
}

export interface Refill {
  /** How many to create. */
  make: number;
  /** These are to be deleted. */
  end: string[];
}

/**
 * What is to be done to have `wanted` fresh ones. `members` are those not asked to leave. A stale one goes
 * when a fresh one is ready in its place: until then it may still serve, for what is asked decides whether it matches.
 * `taking`: one was taken over a moment ago. Others will be, and booting bodies meanwhile slows them, so none is
 * made as long as one is left.
 */
export function refill(wanted: number, members: readonly WarmMember[], taking: boolean): Refill {
  const fresh = members.filter((one) => one.fresh).sort(bestFirst);
  const stale = members.filter((one) => !one.fresh).sort(bestFirst);
  const surplus = fresh.slice(wanted);
  const ready = Math.min(wanted, fresh.filter((one) => one.ready).length);
  const replaced = stale.slice(Math.max(0, wanted - ready));
  const left = taking && members.some((one) => one.ready);
  return {
    make: left ? 0 : Math.max(0, wanted - fresh.length),
    end: [...surplus, ...replaced].map(({ id }) => id),
  };
}

/** The ready before the others, the older before the newer. */
const bestFirst = (a: WarmMember, b: WarmMember) =>
  Number(b.ready) - Number(a.ready) || a.created_at - b.created_at || (a.id < b.id ? -1 : 1);
