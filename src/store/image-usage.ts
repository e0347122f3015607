/**
 * Which images are used, and since when they are not. Images belong to the engine, not to a cell: all managers and
 * people with one Redis share this record, and none needs to lead for it.
 *
 * What must always hold: of a hold and a removal of the same image only one is granted. What is not on record was
 * never looked at, and counts as used now: a lost record costs room for a while, never an image that is needed.
 */
import { formatInstant, parseInstant } from '../model/index.ts';
import type { Link } from './connect.ts';
import { execAll } from './reply.ts';

const DAY_MS = 86_400_000;
/** A record not used or seen for this long is deleted, such as one of an image that was removed by hand. */
const FORGOTTEN_MS = 366 * DAY_MS;

/** What is on record of one image; times in milliseconds since 1970. */
export interface ImageEntry {
  created_at: number;
  last_used_at: number;
  /** Who holds it now. */
  holders: string[];
}

export class ImageUsage {
  readonly #redis: Link;
  readonly #now: () => number;

  /** `now` dates uses; holds and claims end by the clock of Redis, the same for all. */
  constructor(redis: Link, now: () => number = Date.now) {
    this.#redis = redis;
    this.#now = now;
  }

  /**
   * Holds an image, from resolving its name until a container has it, and counts as a use. `removing`: it is going;
   * look again. What is held may have gone before: look for the image after this, not before.
   */
  async hold(name: string, holder: string, ttlMs: number): Promise<'held' | 'removing'> {
    return (await this.#use(name, holder, ttlMs)) as 'held' | 'removing';
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#redis.zrem(getImageKeys(name).holds, holder);
  }

  /** Notes that the image is used now. */
  async touch(name: string): Promise<void> {
    await this.#use(name, '', 0);
  }

  /**
   * Claims an image for its removal. `seen` is the `last_used_at` that was decided on, `by` names who removes. The
   * claim has to outlive the removal: a call that was given up may still be carried out.
   */
  async claimRemoval(
    name: string,
    ttlMs: number,
    { by, seen }: { by: string; seen: number },
  ): Promise<'claimed' | 'held' | 'removing' | 'used'> {
    const { image, holds } = getImageKeys(name);
    const reply = await this.#redis.claim(image, holds, by, ttlMs, formatInstant(seen));
    return reply as 'claimed' | 'held' | 'removing' | 'used';
  }

  /** Ends the claim; `gone` where the image was removed, whose record then goes too. */
  async endRemoval(name: string, { by, gone }: { by: string; gone: boolean }): Promise<void> {
    await this.#redis.unclaim(getImageKeys(name).image, by, gone ? '1' : '0');
  }

  /** What is on record of these images; what is not, is not in the answer. */
  async entries(names: string[]): Promise<Map<string, ImageEntry>> {
    const [seconds, micros] = await this.#redis.time();
    const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
    const reads = this.#redis.pipeline();
    for (const name of names) {
      const { image, holds } = getImageKeys(name);
      reads.hmget(image, 'created_at', 'last_used_at').zrangebyscore(holds, `(${now}`, '+inf');
    }
    const replies = (await execAll(reads)) as (string | null)[][];
    const found = new Map<string, ImageEntry>();
    for (const [at, name] of names.entries()) {
      const [created = null, used = null] = replies[at * 2] ?? [];
      const last_used_at = parseInstant(used ?? undefined);
      if (last_used_at === undefined) continue;
      const created_at = parseInstant(created ?? undefined) ?? last_used_at;
      found.set(name, { created_at, last_used_at, holders: (replies[at * 2 + 1] ?? []) as string[] });
    }
    return found;
  }

  /** When images were collected last, so that a manager that was down then makes up for it. */
  async collectedAt(): Promise<number | undefined> {
    return parseInstant((await this.#redis.get(COLLECTED)) ?? undefined);
  }

  async setCollectedAt(at: number): Promise<void> {
    await this.#redis.set(COLLECTED, formatInstant(at));
  }

  #use(name: string, holder: string, ttlMs: number): Promise<unknown> {
    const { image, holds } = getImageKeys(name);
    return this.#redis.hold(image, holds, holder, ttlMs, formatInstant(this.#now()), FORGOTTEN_MS);
  }
}

const COLLECTED = 'worker:image:collected_at';

function getImageKeys(name: string): { image: string; holds: string } {
  const hash = /^worker:([0-9a-f]{12})$/.exec(name)?.[1];
  if (!hash) throw new TypeError(`${JSON.stringify(name)} is not the name of a worker image.`);
  const image = `worker:image:${hash}`;
  return { image, holds: `${image}:holds` };
}
