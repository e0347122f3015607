import {
  ASSIGNED,
  type Candidate,
  type LifecycleEvent,
  type Serving,
  type StatusRecord,
  TAKEN_INCARNATION,
  type Taken,
  type Takeover,
  type WorkerSpec,
} from '../model/index.ts';
import type { Link } from './connect.ts';
import { type Keys, keysOf } from './keys.ts';
import { parse } from './parse.ts';
import { all } from './reply.ts';

/** How long what was told to a wrapper that never read it stays. */
const TELLING_MS = 3_600_000;

export const takeoverOf = (worker_id: string, warm: Candidate, at: number, told: boolean): Takeover => ({
  ...{ worker_id, made_for: warm.worker_id, body_id: warm.body_id, at, told },
});

/** What a warm worker's wrapper reads from its input; the scripts add the spec. */
export const tellingOf = ({ worker_id, at }: Takeover): string =>
  JSON.stringify({ type: 'assign', worker_id, at });

/** How the status and the history begin of a worker that is given a body which runs already. */
export function assignmentOf(
  { spec, at }: { spec: WorkerSpec; at: string },
  warm: Candidate,
): { status: StatusRecord; event: LifecycleEvent } {
  const told = {
    ...({ status: 'RUNNING', phase: ASSIGNED, reason: 'TakenOver', incarnation: TAKEN_INCARNATION } as const),
    message: `It claimed the body of the warm worker ${warm.worker_id}, whose wrapper is being notified.`,
  };
  const { body_id, image, ip_address } = warm;
  return {
    status: {
      ...{ ...told, restarts: 0, runtime: spec.runtime, observed_generation: 1, running_at: at },
      ...{ body_id, image, ip_address },
    },
    event: { timestamp: at, type: 'status', ...told, actions: [] },
  };
}

/** Which workers live in bodies that were made for others: the hash `worker:bodies` of one cell. */
export class Takeovers {
  readonly #redis: Link;
  readonly #keys: Keys;

  constructor(redis: Link, cell: string) {
    this.#redis = redis;
    this.#keys = keysOf(cell);
  }

  /** Whose body this worker has, where it is not its own. */
  async of(id: string): Promise<Taken | undefined> {
    const { bodies, heartbeat } = this.#keys;
    const reads = this.#redis.pipeline().hget(bodies, id).exists(heartbeat(id));
    const [text, beats] = (await all(reads)) as [string | null, number];
    const found = toTakeover(text);
    if (!found) return undefined;
    const begun = beats === 1 || serves(await this.#redis.get(this.#keys.serving(found.made_for)), found);
    return { ...found, begun, known: true };
  }

  async all(): Promise<Taken[]> {
    const found = Object.values(await this.#redis.hgetall(this.#keys.bodies)).flatMap(
      (text) => toTakeover(text) ?? [],
    );
    if (found.length === 0) return [];
    const { desired, heartbeat, serving } = this.#keys;
    const reads = this.#redis.pipeline();
    for (const { worker_id: id, made_for } of found)
      reads.exists(heartbeat(id)).hexists(desired(id), 'spec').get(serving(made_for));
    const told = (await all(reads)) as (number | string | null)[];
    return found.map((one, at) => ({
      ...one,
      begun: told[3 * at] === 1 || serves(told[3 * at + 2] as string | null, one),
      known: told[3 * at + 1] === 1,
    }));
  }

  /** What is known of bodies by the ids that they were made for: their own record, whom they serve, that they beat. */
  async whom(ids: string[]): Promise<{ known: boolean; serving: Serving | undefined; beats: boolean }[]> {
    if (ids.length === 0) return [];
    const { desired, serving, heartbeat } = this.#keys;
    const reads = this.#redis.pipeline();
    for (const id of ids) reads.hexists(desired(id), 'spec').get(serving(id)).exists(heartbeat(id));
    const told = (await all(reads)) as (number | string | null)[];
    return ids.map((_, at) => ({
      known: told[3 * at] === 1,
      serving: toServing(told[3 * at + 1] as string | null),
      beats: told[3 * at + 2] === 1,
    }));
  }

  /** Tells the wrapper whom it serves, unless it was told. */
  async tell(takeover: Takeover): Promise<void> {
    const { bodies, input, desired } = this.#keys;
    const [before, after] = [takeover, { ...takeover, told: true }].map((one) => JSON.stringify(plain(one)));
    await this.#redis.tell(
      ...[bodies, input(takeover.made_for), desired(takeover.worker_id)],
      ...[takeover.worker_id, before as string, after as string, tellingOf(takeover), TELLING_MS],
    );
  }

  /** Writes it down again, from what a wrapper says of itself, where the store has lost it. */
  async restore(takeover: Takeover): Promise<void> {
    const { bodies, desired } = this.#keys;
    const { worker_id: id } = takeover;
    await this.#redis.hsetnx(bodies, id, JSON.stringify(plain(takeover)));
    // A list is older than what is read after it: the worker may be forgotten by now, and nobody would drop this again.
    const [exists, known] = await all(
      this.#redis.pipeline().exists(desired(id)).hexists(desired(id), 'spec'),
    );
    if (exists === 1 && known === 0) await this.drop(id);
  }

  /** The body is gone; the worker's next one is its own. */
  async drop(id: string): Promise<void> {
    await this.#redis.hdel(this.#keys.bodies, id);
  }
}

/** As it stands in the hash. */
const plain = ({ worker_id, made_for, body_id, at, told }: Takeover): Takeover => ({
  ...{ worker_id, made_for, body_id, at, told },
});

function toTakeover(text: string | null): Takeover | undefined {
  const given = parse(text) as Partial<Takeover> | undefined;
  const { worker_id, made_for, body_id, at, told } = given ?? {};
  if (!worker_id || !made_for || !body_id) return undefined;
  return { worker_id, made_for, body_id, at: Number(at ?? 0), told: told === true };
}

/** A wrapper has reported that the body serves this worker: even if its heartbeat is lost, it has started. */
const serves = (text: string | null, { worker_id }: Takeover) => toServing(text)?.worker_id === worker_id;

function toServing(text: string | null): Serving | undefined {
  const given = parse(text) as Partial<Serving> | undefined;
  if (!given?.worker_id) return undefined;
  return { worker_id: given.worker_id, at: Number(given.at ?? 0), spec: given.spec };
}
