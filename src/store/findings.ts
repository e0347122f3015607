/**
 * What a manager has found missing in the store, and what was or has to be done about it: for the log, for the details
 * of `/readyz`, and in Redis for `wm doctor`, which asks no manager.
 */
import type { Logger } from 'pino';
import { errorMessage, formatInstant, parseInstant } from '../model/index.ts';
import type { Link } from './connect.ts';
import { parse } from './parse.ts';

export interface Finding {
  /** What it is about, such as `commands` or `pool jobs`: found again, it replaces the one before. */
  about: string;
  message: string;
  at: string;
}

/** A finding this old is not reported as new. */
const NEWS_MS = 86_400_000;
const KEPT_MS = 7 * NEWS_MS;
/** How many are kept; an eviction that continues must not fill what it empties. */
const MOST = 50;

export class Findings {
  readonly #found = new Map<string, Finding>();
  readonly #redis: Link;
  readonly #key: string;
  readonly #log: Logger;
  readonly #now: () => number;

  constructor(redis: Link, key: string, { log, now }: { log: Logger; now: () => number }) {
    this.#redis = redis;
    this.#key = key;
    this.#log = log;
    this.#now = now;
  }

  /** Logged once, until it says something else. */
  note(about: string, message: string): void {
    const before = this.#found.get(about);
    const finding = { about, message, at: formatInstant(this.#now()) };
    this.#found.delete(about);
    this.#found.set(about, finding);
    const [oldest] = this.#found.keys();
    if (this.#found.size > MOST && oldest !== undefined) this.#found.delete(oldest);
    if (before?.message !== message) this.#log.error({ about, what: message }, 'store is incomplete');
    const write = this.#redis.pipeline().hset(this.#key, about, JSON.stringify(finding));
    write
      .pexpire(this.#key, KEPT_MS)
      .exec()
      .catch((error) => {
        this.#log.debug({ why: errorMessage(error) }, 'failed to write history');
      });
  }

  /** It is as it should be again. */
  clear(about: string): void {
    if (this.#found.delete(about)) void this.#redis.hdel(this.#key, about).catch(() => {});
  }

  recent(): Finding[] {
    return recent([...this.#found.values()], this.#now());
  }
}

/** What managers have found within a day, oldest first. */
export async function readFindings(redis: Link, key: string, now: number): Promise<Finding[]> {
  const found = Object.values(await redis.hgetall(key)).flatMap((text) => {
    const read = parse(text) as Partial<Finding> | undefined;
    return read?.about && read.message && read.at ? [read as Finding] : [];
  });
  return recent(found, now).sort((a, b) => a.at.localeCompare(b.at));
}

const recent = (found: Finding[], now: number) =>
  found.filter(({ at }) => now - (parseInstant(at) ?? 0) < NEWS_MS);
