/**
 * Streams that the manager or its clients write are limited by bytes as well as by entries, because a
 * thousand entries may be a kilobyte or a gigabyte. A stream over its budget loses its oldest entries; unread
 * entries are never dropped.
 */
import type { Link } from '../connect.ts';
import { INPUT_GROUP, type Keys } from '../keys.ts';

const MIB = 1_048_576;
/** Approximate maximum bytes of one stream. */
const BUDGET = {
  responses: 32 * MIB,
  dead: 8 * MIB,
  allEvents: 16 * MIB,
  events: MIB,
  input: 4 * MIB,
} as const;
/** Number of workers whose streams are measured per check; the next check continues with the next ones. */
const AT_ONCE = 200;
/** Trims below the budget, so that the stream stays below it for a while. */
const KEPT_SHARE = 0.8;

export class Budgets {
  readonly #redis: Link;
  readonly #keys: Keys;
  #from = 0;

  constructor(redis: Link, keys: Keys) {
    this.#redis = redis;
    this.#keys = keys;
  }

  /**
   * Trims streams over budget; returns workers with too much unread input, which only their wrappers can
   * reduce.
   */
  async trim(): Promise<{ unread: string[] }> {
    const { responses, dead, allEvents, workers, events, input } = this.#keys;
    const ids = await this.#redis.zrange(workers, String(this.#from), String(this.#from + AT_ONCE - 1));
    this.#from = ids.length < AT_ONCE ? 0 : this.#from + AT_ONCE;
    const inputs = new Map(ids.map((id) => [input(id), id]));
    const wanted: [string, number][] = [
      [responses, BUDGET.responses],
      [dead, BUDGET.dead],
      [allEvents, BUDGET.allEvents],
      ...ids.flatMap((id): [string, number][] => [
        [events(id), BUDGET.events],
        [input(id), BUDGET.input],
      ]),
    ];
    const unread: string[] = [];
    for (const [key, bytes, budget] of await this.#tooLarge(wanted)) {
      const worker = inputs.get(key);
      if (worker === undefined) await this.#drop(key, bytes, budget);
      else if (!(await this.#dropRead(key, bytes, budget))) unread.push(worker);
    }
    return { unread };
  }

  /** Undefined if MEMORY is forbidden; then only entries are counted. */
  async #tooLarge(wanted: [string, number][]): Promise<[string, number, number][]> {
    const reads = this.#redis.pipeline();
    for (const [key] of wanted) reads.call('MEMORY', 'USAGE', key);
    const replies = (await reads.exec()) ?? [];
    return wanted.flatMap(([key, budget], at) => {
      const [error, bytes] = replies[at] ?? [];
      return !error && Number(bytes ?? 0) > budget ? [[key, Number(bytes), budget]] : [];
    });
  }

  async #drop(key: string, bytes: number, budget: number): Promise<void> {
    const length = await this.#redis.xlen(key);
    await this.#redis.xtrim(key, 'MAXLEN', Math.max(1, Math.floor((length * budget * KEPT_SHARE) / bytes)));
  }

  /** Drops the oldest acknowledged entries; false if that is not enough. */
  async #dropRead(key: string, bytes: number, budget: number): Promise<boolean> {
    const pending = (await this.#redis.xpending(key, INPUT_GROUP).catch(() => undefined)) as
      | [number, string | null]
      | undefined;
    if (!pending) return false;
    const groups = (await this.#redis.xinfo('GROUPS', key)) as unknown[][];
    const group = groups.find((info) => info.includes(INPUT_GROUP)) ?? [];
    const last = group[group.indexOf('last-delivered-id') + 1];
    const safe = pending[1] ?? (typeof last === 'string' ? last : undefined);
    if (safe === undefined) return false;
    await this.#redis.xtrim(key, 'MINID', safe);
    const left = Number(await this.#redis.call('MEMORY', 'USAGE', key).catch(() => bytes));
    return left <= budget;
  }
}
