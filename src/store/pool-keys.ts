/** The names of the keys of pools in Redis. The default cell has no prefix, so that its names are the contract's. */
export interface PoolKeys {
  /** Sorted set: names by creation time. */
  pools: string;
  record(name: string): string;
  status(name: string): string;
  /** Hash id -> what the pool knows of a worker of its own, JSON: see `Membership`. */
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
