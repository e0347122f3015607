import { getPoolKeys, type PoolKeys } from './pool-keys.ts';

/**
 * Names of the cell's keys in Redis. The default cell has no prefix, so its names are those of the contract.
 */
export interface Keys {
  commands: string;
  responses: string;
  dead: string;
  workers: string;
  /** Hash ID -> `<generation>.<revision>`: a resync reads it instead of 10,000 records. */
  index: string;
  /** Hash name -> ID of the worker that has it, or had it last: see lua/shared/names.lua. */
  names: string;
  /** Stream with an entry per remembered answer, and the sum of their bytes, which limits them. */
  answered: string;
  answeredBytes: string;
  /** Counter that increases with every write of a record or a status. */
  revision: string;
  /** Stream of the events of all workers, each with its `worker_id`: a copy for readers, which can be lost. */
  allEvents: string;
  /** Hash ID -> usage of its body at the last check, JSON; the manager rewrites it at each check. */
  usage: string;
  /** Hash that identifies this store: `id`, `created_at`. */
  identity: string;
  /** Hash subject -> keys that a manager has found missing here, JSON. */
  findings: string;
  /** Hash delivery -> message for one URL that is not delivered yet, JSON: see `PendingWebhook`. */
  webhooks: string;
  /** Stream of the deliveries that have ended, for people. */
  webhooksEnded: string;
  /** Time up to which the traces of ended tasks are exported. */
  traces: string;
  /**
   * The lease, which fences every write, as one value: `<owner> <epoch>`. Losing it ends the leader's term.
   */
  leader: string;
  /**
   * The last epoch, so that the next is higher even if the clock of Redis is set back. It has no other use.
   */
  epoch: string;
  /** Sorted set of the manually started nodes, by the time of their last registration. */
  nodes: string;
  pools: PoolKeys;
  /** The report of such a node, a hash that expires after the node is gone. */
  node(id: string): string;
  /** The live process that has the name of such a node; expires soon after the process has died. */
  nodeClaim(id: string): string;
  /** An answered command, by its request_id. */
  request(requestId: string): string;
  desired(id: string): string;
  status(id: string): string;
  input(id: string): string;
  output(id: string): string;
  events(id: string): string;
  heartbeat(id: string): string;
  /** Hash ID -> the body that the worker has claimed, JSON: see `Claim`. */
  bodies: string;
  /** The current worker of a claimed body, by the ID that the body was created for. */
  claimRecord(id: string): string;
  /**
   * The agent's conversation after the last turn, a compressed archive from which the next incarnation
   * continues.
   */
  conversation(id: string): string;
  /** The public key with which bodies check a manager's tokens for their doors; expires soon after the manager. */
  doorKey(id: string): string;
  /** Pub/sub channel on which a body announces a changed heartbeat; an event that may be lost. */
  signal(id: string): string;
}

/** Field of the hash of a conversation: the commit that the worker's workspace was filled with. */
export const START_COMMIT = 'start_commit';

/** Groups and consumers: one reader each, so that its pending entries are found under the same name. */
export const COMMAND_GROUP = 'worker-manager';
export const INPUT_GROUP = 'wrapper';

/** The keys of a cell. The caller validates `cell` and IDs, so they contain no separator or glob. */
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
    allEvents: `${prefix}workers:events`,
    usage: `${prefix}workers:figures`,
    identity: `${prefix}worker:identity`,
    findings: `${prefix}worker:findings`,
    webhooks: `${prefix}worker:webhooks`,
    webhooksEnded: `${prefix}worker:webhooks:ended`,
    traces: `${prefix}worker:traces`,
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
    doorKey: (id) => `${prefix}worker:door-key:${id}`,
    signal: (id) => `${worker(id)}:signal`,
  };
}
