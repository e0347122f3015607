/** How a pool keeps its number of warm workers. Pure; the pool's loop carries it out. */

/** One warm worker of a pool. */
export interface WarmMember {
  id: string;
  /** Created from the pool's current template, with the image that a new worker would run. */
  fresh: boolean;
  /** Booted, and waiting to be claimed. */
  ready: boolean;
  /** Milliseconds since 1970. */
  created_at: number;
}

export interface Refill {
  /** How many to create. */
  make: number;
  /** Workers to delete. */
  end: string[];
}

/**
 * The changes that lead to `wanted` fresh warm workers. `members` does not contain leaving ones. A stale
 * worker is deleted when a fresh one is ready in its place; until then it may still be claimed, because only
 * the claiming spec determines whether it matches. `taking`: one was claimed a moment ago. More claims are
 * likely, and booting bodies would slow them down, so none is created while one is left.
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

/** Ready ones before the others, older ones before newer ones. */
const bestFirst = (a: WarmMember, b: WarmMember) =>
  Number(b.ready) - Number(a.ready) || a.created_at - b.created_at || (a.id < b.id ? -1 : 1);
