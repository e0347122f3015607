import { IMAGE_RUNTIME } from '../../src/model/runtimes.ts';
import type { Heartbeat } from '../../src/model/worker/heartbeat.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { WrapperSettings } from '../settings.ts';
import type { ExtraCommand } from '../streams/output-sender.ts';
import { NodeClaim } from './node-claim.ts';

/** A node that is silent for this long is gone: six heartbeats. */
const NODE_TTL_MS = 30_000;
/**
 * How long its streams can be read after its end; they expire because there is no record to delete them with.
 */
const STREAMS_TTL_MS = 3_600_000;
/** The same as for `docker stop`, which usually ends such a node. */
const GRACE_SECONDS = 10;

/** The spec of a node that was started manually: a task worker. */
export function externalSpec(): WorkerSpec {
  return {
    agent_type: 'TASK',
    runtime: IMAGE_RUNTIME,
    restart_policy: 'never',
    stop_grace_seconds: GRACE_SECONDS,
    start_deadline_seconds: 0,
    keep_finished_seconds: 0,
  };
}

/**
 * The registration of such a node in Redis. The manager has no record of it, creates none, and never changes
 * it.
 */
export class Registration {
  readonly #keys: Keys;
  readonly #id: string;
  readonly #pool: string;
  readonly #startedAt = new Date().toISOString();
  /** Prevents a second node with the same name. */
  readonly claim: NodeClaim;

  constructor(keys: Keys, { workerId, taskVariables }: Pick<WrapperSettings, 'workerId' | 'taskVariables'>) {
    this.#keys = keys;
    this.#id = workerId;
    this.#pool = taskVariables.WORKER_POOL || 'default';
    this.claim = new NodeClaim(keys.nodeClaim(workerId), workerId);
  }

  /** Instead of a heartbeat. */
  beat(heartbeat: Heartbeat): ExtraCommand[] {
    if (this.claim.lost) return [];
    const node = this.#keys.node(this.#id);
    const fields = [
      'pool',
      this.#pool,
      'started_at',
      this.#startedAt,
      'heartbeat',
      JSON.stringify(heartbeat),
    ];
    return [
      ['HSET', node, ...fields],
      ['PEXPIRE', node, String(NODE_TTL_MS)],
      ['ZADD', this.#keys.nodes, String(Date.parse(heartbeat.at)), this.#id],
      ...this.#streams(),
    ];
  }

  /** Removes its registration; a node that has lost its name does not remove that of its successor. */
  leave(): ExtraCommand[] {
    if (this.claim.lost) return [];
    const { nodes } = this.#keys;
    return [
      ['DEL', this.#keys.node(this.#id)],
      ['ZREM', nodes, this.#id],
      ...this.#streams(),
      ...this.claim.release(),
    ];
  }

  #streams(): ExtraCommand[] {
    const { input, output } = this.#keys;
    return [input(this.#id), output(this.#id)].map((key) => ['PEXPIRE', key, String(STREAMS_TTL_MS)]);
  }
}
