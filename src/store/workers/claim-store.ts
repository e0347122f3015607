import {
  ASSIGNED,
  CLAIMED_INCARNATION,
  type Claim,
  type ClaimCandidate,
  type ClaimedWorker,
  type ClaimRecord,
  type LifecycleEvent,
  type StatusRecord,
  type WorkerSpec,
} from '../../model/index.ts';
import type { Link } from '../connect.ts';
import { getKeys, type Keys } from '../keys.ts';
import { parse } from '../parse.ts';
import { execAll } from '../reply.ts';

/** Expiry of a notification that its wrapper has not read. */
const ASSIGNMENT_MS = 3_600_000;

export const createClaim = (worker_id: string, warm: ClaimCandidate, at: number, args: boolean): Claim => ({
  worker_id,
  made_for: warm.worker_id,
  body_id: warm.body_id,
  at,
  told: args,
});

/** The message to a warm worker's wrapper; the scripts add the spec. */
export const toAssignMessage = ({ worker_id, at }: Claim): string =>
  JSON.stringify({ type: 'assign', worker_id, at });

/** The initial status and history of a worker that gets a running body. */
export function createAssignment(
  { spec, at }: { spec: WorkerSpec; at: string },
  warm: ClaimCandidate,
): { status: StatusRecord; event: LifecycleEvent } {
  const args = {
    ...({
      status: 'RUNNING',
      phase: ASSIGNED,
      reason: 'TakenOver',
      incarnation: CLAIMED_INCARNATION,
    } as const),
    message: `It claimed the body of the warm worker ${warm.worker_id}, whose wrapper is being notified.`,
  };
  const { body_id, image, ip_address } = warm;
  return {
    status: {
      ...args,
      restarts: 0,
      runtime: spec.runtime,
      observed_generation: 1,
      running_at: at,
      body_id,
      image,
      ip_address,
    },
    event: { timestamp: at, type: 'status', ...args, actions: [] },
  };
}

/** The workers that use bodies created for others: the hash `worker:bodies` of one cell. */
export class RedisClaimStore {
  readonly #redis: Link;
  readonly #keys: Keys;

  constructor(redis: Link, cell: string) {
    this.#redis = redis;
    this.#keys = getKeys(cell);
  }

  /** The claim of this worker, if its body is not its own. */
  async get(id: string): Promise<ClaimedWorker | undefined> {
    const { bodies, heartbeat } = this.#keys;
    const reads = this.#redis.pipeline().hget(bodies, id).exists(heartbeat(id));
    const [text, beats] = (await execAll(reads)) as [string | null, number];
    const found = parseClaim(text);
    if (!found) return undefined;
    const begun = beats === 1 || serves(await this.#redis.get(this.#keys.claimRecord(found.made_for)), found);
    return { ...found, begun, known: true };
  }

  async all(): Promise<ClaimedWorker[]> {
    const found = Object.values(await this.#redis.hgetall(this.#keys.bodies)).flatMap(
      (text) => parseClaim(text) ?? [],
    );
    if (found.length === 0) return [];
    const { desired, heartbeat, claimRecord } = this.#keys;
    const reads = this.#redis.pipeline();
    for (const { worker_id: id, made_for } of found)
      reads.exists(heartbeat(id)).hexists(desired(id), 'spec').get(claimRecord(made_for));
    const args = (await execAll(reads)) as (number | string | null)[];
    return found.map((claim, at) => ({
      ...claim,
      begun: args[3 * at] === 1 || serves(args[3 * at + 2] as string | null, claim),
      known: args[3 * at + 1] === 1,
    }));
  }

  /** What is known of bodies, by the IDs they were created for: record, current worker, and heartbeat. */
  async lookUp(
    ids: string[],
  ): Promise<{ known: boolean; serving: ClaimRecord | undefined; beats: boolean }[]> {
    if (ids.length === 0) return [];
    const { desired, claimRecord, heartbeat } = this.#keys;
    const reads = this.#redis.pipeline();
    for (const id of ids) reads.hexists(desired(id), 'spec').get(claimRecord(id)).exists(heartbeat(id));
    const args = (await execAll(reads)) as (number | string | null)[];
    return ids.map((_, at) => ({
      known: args[3 * at] === 1,
      serving: parseClaimRecord(args[3 * at + 1] as string | null),
      beats: args[3 * at + 2] === 1,
    }));
  }

  /** Notifies the wrapper of its worker, unless it was already notified. */
  async announce(claim: Claim): Promise<void> {
    const { bodies, input, desired } = this.#keys;
    const [before, after] = [claim, { ...claim, told: true }].map((claim) => JSON.stringify(plain(claim)));
    await this.#redis.tell(
      bodies,
      input(claim.made_for),
      desired(claim.worker_id),
      claim.worker_id,
      before as string,
      after as string,
      toAssignMessage(claim),
      ASSIGNMENT_MS,
    );
  }

  /** Restores a claim that the store has lost, from the wrapper's own report. */
  async restore(claim: Claim): Promise<void> {
    const { bodies, desired } = this.#keys;
    const { worker_id: id } = claim;
    await this.#redis.hsetnx(bodies, id, JSON.stringify(plain(claim)));
    // The list is older than later reads: if the worker has been deleted meanwhile, nothing would drop this
    // claim again.
    const [exists, known] = await execAll(
      this.#redis.pipeline().exists(desired(id)).hexists(desired(id), 'spec'),
    );
    if (exists === 1 && known === 0) await this.drop(id);
  }

  /** The body is gone; the worker's next body is its own. */
  async drop(id: string): Promise<void> {
    await this.#redis.hdel(this.#keys.bodies, id);
  }
}

/** Serializes a claim for the hash. */
const plain = ({ worker_id, made_for, body_id, at, told: args }: Claim): Claim => ({
  worker_id,
  made_for,
  body_id,
  at,
  told: args,
});

function parseClaim(text: string | null): Claim | undefined {
  const parsed = parse(text) as Partial<Claim> | undefined;
  const { worker_id, made_for, body_id, at, told: args } = parsed ?? {};
  if (!worker_id || !made_for || !body_id) return undefined;
  return { worker_id, made_for, body_id, at: Number(at ?? 0), told: args === true };
}

/** The wrapper has reported this worker: the body has started, even if its heartbeat is lost. */
const serves = (text: string | null, { worker_id }: Claim) => parseClaimRecord(text)?.worker_id === worker_id;

function parseClaimRecord(text: string | null): ClaimRecord | undefined {
  const parsed = parse(text) as Partial<ClaimRecord> | undefined;
  if (!parsed?.worker_id) return undefined;
  return { worker_id: parsed.worker_id, at: Number(parsed.at ?? 0), spec: parsed.spec };
}
