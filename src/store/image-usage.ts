/**
 * Records which images are used, and when they were last used. Images belong to the engine, not to a cell:
 * all managers and people with the same Redis share this record, and none needs to lead for it.
 *
 * Invariants: a hold and a removal of the same image are never both granted. An image without a record counts
 * as used now, so a lost record costs disk space for a while, but never a needed image.
 */
import { formatInstant, parseInstant } from '../model/index.ts';
import type { Link } from './connect.ts';
import { execAll } from './reply.ts';

const DAY_MS = 86_400_000;
/** A record that was not used or seen for this long is deleted, such as that of a manually removed image. */
const FORGOTTEN_MS = 366 * DAY_MS;

/** The usage record of one image; times in milliseconds since 1970. */
export interface ImageEntry {
  created_at: number;
  last_used_at: number;
  /** The current holders. */
  holders: string[];
}

export class ImageUsage {
  readonly #redis: Link;
  readonly #now: () => number;

  /** `now` is the clock for uses; holds and claims expire by the clock of Redis, which all managers share. */
  constructor(redis: Link, now: () => number = Date.now) {
    this.#redis = redis;
    this.#now = now;
  }

  /**
   * Holds an image from resolving its name until a container uses it, and counts as a use. `removing`: it is
   * being removed; try again. A held image may have been removed before, so check that it exists after this
   * call, not before.
   */
  async hold(name: string, holder: string, ttlMs: number): Promise<'held' | 'removing'> {
    return (await this.#use(name, holder, ttlMs)) as 'held' | 'removing';
  }

  async release(name: string, holder: string): Promise<void> {
    await this.#redis.zrem(getImageKeys(name).holds, holder);
  }

  /** Records that the image is used now. */
  async touch(name: string): Promise<void> {
    await this.#use(name, '', 0);
  }

  /**
   * Claims an image for removal. `seen` is the `last_used_at` on which the decision is based, `by` is the
   * remover. The claim must outlive the removal, because a call that has timed out may still be carried out.
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

  /** Ends the claim; `gone` if the image was removed, in which case its record is deleted. */
  async endRemoval(name: string, { by, gone }: { by: string; gone: boolean }): Promise<void> {
    await this.#redis.unclaim(getImageKeys(name).image, by, gone ? '1' : '0');
  }

  /** The records of these images; images without a record are omitted. */
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

  /** The time of the last collection, so that a manager that was down then catches up. */
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
