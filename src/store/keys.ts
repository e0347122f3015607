import { getPoolKeys, type PoolKeys } from './pool-keys.ts';

/** The name of a key of the cell in Redis. The default cell has no prefix, so that its names are the contract's. */
export interface Keys {
  commands: string;
  responses: string;
  dead: string;
  workers: string;
  /** Hash id -> `<generation>.<revision>`: what a resync reads instead of 10,000 records. */
  index: string;
  /** Hash name -> id of the worker that has it, or had it last: see lua/shared/names.lua. */
  names: string;
  /** Stream with an entry for each remembered answer, and the sum of their bytes: what bounds them. */
  answered: string;
  answeredBytes: string;
  /** Counter that rises with every write of a record or a status. */
  revision: string;
  /** Hash id -> what its body used at the last check, JSON; the manager rewrites it at each check. */
  usage: string;
  /** Hash that distinguishes this store from an empty one: `id`, `created_at`. */
  identity: string;
  /** Hash about -> what a manager has found missing here, JSON. */
  findings: string;
  /** The lease and what fences every write, one value: `<owner> <epoch>`. Losing it ends the term that it is about. */
  leader: string;
  /** The last epoch, so that the next is higher even if the clock of Redis is set back. Nothing else depends on it. */
  epoch: string;
  /** Sorted set of the nodes that were started by hand, by when they last registered. */
  nodes: string;
  pools: PoolKeys;
  /** What such a node says of itself, a hash that expires when the node is gone. */
  node(id: string): string;
  /** Which living process has the name of such a node; expires soon after that process has died. */
  nodeClaim(id: string): string;
  /** An answered command, by its request_id. */
  request(requestId: string): string;
  desired(id: string): string;
  status(id: string): string;
  input(id: string): string;
  output(id: string): string;
  events(id: string): string;
  heartbeat(id: string): string;
  /** Hash id -> whose body it took over, JSON: see `Claim`. */
  bodies: string;
  /** Of a body that serves another worker than it was made for: whom, by the id that it was made for. */
  claimRecord(id: string): string;
  /** The agent's conversation after the last turn, a compressed archive: what the next incarnation continues. */
  conversation(id: string): string;
  /** Pub/sub channel on which a body says that its heartbeat has changed; a hint. */
  signal(id: string): string;
}

/** Groups and consumers: one reader each, so that its pending entries are found again under the same name. */
export const COMMAND_GROUP = 'worker-manager';
export const INPUT_GROUP = 'wrapper';

/** The keys of a cell. `cell` and ids are checked before they come here: they can hold no separator or glob. */
export function getKeys(cell: string): Keys {
  const prefix = cell === 'default' ? '' : `${cell}:`;
  const worker = (id: string) => `${prefix}worker:${id}`;
  return {
    commands: `${prefix}worker:commands`,
    responses: `${prefix}worker:responses`,
    dead: `${prefix}worker:commands:dead`,
    workers: `${prefix}workers`,
    index: `${prefix}workers:index`,
    names: `${prefix}workers:names`,
    answered: `${prefix}worker:requests`,
    answeredBytes: `${prefix}worker:requests:bytes`,
    revision: `${prefix}workers:revision`,
    usage: `${prefix}workers:figures`,
    identity: `${prefix}worker:identity`,
    findings: `${prefix}worker:findings`,
    leader: `${prefix}worker:leader`,
    epoch: `${prefix}worker:leader:epoch`,
    bodies: `${prefix}worker:bodies`,
    nodes: `${prefix}nodes`,
    pools: getPoolKeys(cell),
    node: (id) => `${prefix}node:${id}`,
    nodeClaim: (id) => `${prefix}node:${id}:claim`,
    request: (requestId) => `${prefix}worker:request:${requestId}`,
    desired: worker,
    status: (id) => `${worker(id)}:status`,
    input: (id) => `${worker(id)}:input`,
    output: (id) => `${worker(id)}:output`,
    events: (id) => `${worker(id)}:events`,
    heartbeat: (id) => `${worker(id)}:heartbeat`,
    claimRecord: (id) => `${worker(id)}:serving`,
    conversation: (id) => `${worker(id)}:conversation`,
    signal: (id) => `${worker(id)}:signal`,
  };
}
