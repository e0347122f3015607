import type { Heartbeat } from '../../src/model/heartbeat.ts';
import { IMAGE_RUNTIME } from '../../src/model/runtimes.ts';
import type { WorkerSpec } from '../../src/model/spec.ts';
import type { Keys } from '../../src/store/keys.ts';
import type { WrapperSettings } from '../settings.ts';
import type { ExtraCommand } from '../streams/output-sender.ts';
import { NodeClaim } from './node-claim.ts';

/** A node that is silent for so long is gone: six beats. */
const NODE_TTL_MS = 30_000;
/** How long its streams can be read after it has gone; nothing deletes them, because there is no record. */
const STREAMS_TTL_MS = 3_600_000;
/** As `docker stop`, which is how such a node is ended. */
const GRACE_SECONDS = 10;

/** What a node is that was started by hand: a task worker. */
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

/** What such a node says of itself in Redis. The manager has no record of it, makes none, and never touches it. */
export class Registration {
  readonly #keys: Keys;
  readonly #id: string;
  readonly #pool: string;
  readonly #startedAt = new Date().toISOString();
  /** What keeps a second node of the same name away. */
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

  /** Removes what it said; a node that has lost its name leaves that of its successor alone. */
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
