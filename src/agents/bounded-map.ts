import { takeHead } from '../model/values/cut.ts';

/** Maximum characters of a stored name; IDs and tool names have a few dozen. */
const NAME = 1024;

/**
 * A bounded map for things that an agent announces and may never end. It evicts the oldest entries, so an
 * agent cannot make its wrapper grow without bound. Texts are cut to `characters`.
 */
export class BoundedMap<Value> extends Map<string, Value> {
  readonly #entries: number;
  readonly #characters: number;

  constructor({ entries, characters }: { entries: number; characters: number }) {
    super();
    this.#entries = entries;
    this.#characters = characters;
  }

  override set(name: string, value: Value): this {
    if (name.length > NAME) return this;
    if (!this.has(name) && this.size >= this.#entries) {
      const [oldest] = this.keys();
      if (oldest !== undefined) this.delete(oldest);
    }
    const text = typeof value === 'string' && value.length > this.#characters;
    return super.set(name, text ? (takeHead(value, this.#characters) as Value) : value);
  }
}

/** Names of the tools in use, by the ID of the use. */
export const createToolMap = (): BoundedMap<string> => new BoundedMap({ entries: 4096, characters: 256 });

/**
 * Maximum characters of a partial message: one more than an output entry holds, so that the cut is reported.
 */
export const MESSAGE_CHARACTERS = 65_537;

/** The text so far of messages that arrive in pieces. */
export const createMessageMap = (): BoundedMap<string> =>
  new BoundedMap({ entries: 64, characters: MESSAGE_CHARACTERS });
