/**
 * Keys that a manager has found missing in the store, and what was or has to be done about it. Findings
 * appear in the log and in the details of `/readyz`, and are stored in Redis for `wm doctor`, which does not
 * call a manager.
 */
import type { Logger } from 'pino';
import { errorMessage, formatInstant, parseInstant } from '../../model/index.ts';
import type { Link } from '../connect.ts';
import { parse } from '../parse.ts';

export interface Finding {
  /**
   * The subject, such as `commands` or `pool jobs`; a new finding replaces the previous one with the same
   * subject.
   */
  about: string;
  message: string;
  at: string;
}

/** Age after which a finding is not reported as new. */
const NEWS_MS = 86_400_000;
const KEPT_MS = 7 * NEWS_MS;
/** Maximum number of findings; an ongoing eviction must not fill the store. */
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

  /** Logged once, until its text changes. */
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

  /** Clears a finding when the problem is solved. */
  clear(about: string): void {
    if (this.#found.delete(about)) void this.#redis.hdel(this.#key, about).catch(() => {});
  }

  recent(): Finding[] {
    return recent([...this.#found.values()], this.#now());
  }
}

/** The findings of all managers within a day, oldest first. */
export async function readFindings(redis: Link, key: string, now: number): Promise<Finding[]> {
  const found = Object.values(await redis.hgetall(key)).flatMap((text) => {
    const read = parse(text) as Partial<Finding> | undefined;
    return read?.about && read.message && read.at ? [read as Finding] : [];
  });
  return recent(found, now).sort((a, b) => a.at.localeCompare(b.at));
}

const recent = (found: Finding[], now: number) =>
  found.filter(({ at }) => now - (parseInstant(at) ?? 0) < NEWS_MS);
