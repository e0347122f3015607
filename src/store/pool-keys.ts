/**
 * Names of the keys of pools in Redis. The default cell has no prefix, so its names are those of the
 * contract.
 */
export interface PoolKeys {
  /** Sorted set: names by creation time. */
  pools: string;
  record(name: string): string;
  status(name: string): string;
  /** Hash ID -> the pool's facts about one of its workers, JSON: see `Membership`. */
  members(name: string): string;
  /** Its history, capped. */
  events(name: string): string;
}

export function getPoolKeys(cell: string): PoolKeys {
  const prefix = cell === 'default' ? '' : `${cell}:`;
  const pool = (name: string) => `${prefix}pool:${name}`;
  return {
    pools: `${prefix}pools`,
    record: pool,
    status: (name) => `${pool(name)}:status`,
    members: (name) => `${pool(name)}:members`,
    events: (name) => `${pool(name)}:events`,
  };
}
