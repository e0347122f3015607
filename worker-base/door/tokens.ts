/**
 * Checks the tokens of requests to the door. The keys are the managers' public ones, from Redis.
 *
 * Invariants: a key is believed only if it hashes to its name; the number of lookups and of remembered keys and
 * tokens is bounded, whatever is sent; nothing is remembered of a token that was refused.
 */
import type { KeyObject } from 'node:crypto';
import {
  type DoorRefusal,
  type DoorSubject,
  isDoorTokenCurrent,
  isSignedBy,
  parseDoorKey,
  parseDoorToken,
} from '../../src/model/doors/door-token.ts';

/** Managers of a cell at once, those that were just replaced included. */
const KEYS = 16;
/** How long a key is used before it is looked up again, in milliseconds. */
const KEY_MS = 600_000;
const TOKENS = 64;
/** Lookups of unknown keys in one window, in milliseconds. */
const LOOKUPS = 20;
const WINDOW_MS = 1000;

export class TokenVerifier {
  readonly #findKey: (id: string) => Promise<string | null>;
  readonly #now: () => number;
  readonly #keys = new Map<string, { key: KeyObject; until: number }>();
  /** Tokens whose signature was valid, with what they say: a pooled connection sends the same one again. */
  readonly #valid = new Map<string, NonNullable<ReturnType<typeof parseDoorToken>>>();
  #window = { until: 0, lookups: 0 };

  /** `findKey` reads the key with that ID from Redis, `null` if there is none; throws if Redis is away. */
  constructor(findKey: (id: string) => Promise<string | null>, now: () => number = Date.now) {
    this.#findKey = findKey;
    this.#now = now;
  }

  /** Why the token does not allow a request to the body of that subject; `undefined` if it does. */
  async refusal(text: string | undefined, subject: DoorSubject): Promise<DoorRefusal | undefined> {
    const known = this.#valid.get(text ?? '');
    const token = known ?? parseDoorToken(text ?? '');
    if (!token) return 'token';
    if (!isDoorTokenCurrent(token, this.#now())) {
      this.#valid.delete(text ?? '');
      return 'expired';
    }
    const { cell, worker_id, incarnation } = token.subject;
    const isOurs =
      cell === subject.cell && worker_id === subject.worker_id && incarnation === subject.incarnation;
    // A forged token learns as much from `subject` as from its own text.
    if (!isOurs) return 'subject';
    if (known) return undefined;
    let key: KeyObject | undefined;
    try {
      key = await this.#key(token.key_id);
    } catch {
      return 'unavailable';
    }
    if (!key) return 'key';
    if (!isSignedBy(token, key)) return 'token';
    remember(this.#valid, text ?? '', token, TOKENS);
    return undefined;
  }

  async #key(id: string): Promise<KeyObject | undefined> {
    const now = this.#now();
    const known = this.#keys.get(id);
    if (known && now < known.until) return known.key;
    if (now >= this.#window.until) this.#window = { until: now + WINDOW_MS, lookups: 0 };
    this.#window.lookups += 1;
    if (this.#window.lookups > LOOKUPS) throw new Error('too many lookups');
    const found = await this.#findKey(id);
    const key = found === null ? undefined : parseDoorKey(id, found);
    if (key) remember(this.#keys, id, { key, until: now + KEY_MS }, KEYS);
    else this.#keys.delete(id);
    return key;
  }
}

/** Adds an entry, and drops the oldest ones. */
function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}
