import { takeHead } from '../model/cut.ts';

/** Characters of a name that is remembered; ids and names of tools have a few dozen. */
const NAME = 1024;

/**
 * A bounded memory by name of what an agent announces and may never end: the oldest go first, so that no agent makes its
 * wrapper grow without bound. Texts are cut to `characters`.
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

/** Of tools in use: the name of each, by the id of its use. */
export const createToolMap = (): BoundedMap<string> => new BoundedMap({ entries: 4096, characters: 256 });

/** Characters of a message that comes in pieces: one more than an entry of the output holds, so that the cut is reported. */
export const MESSAGE_CHARACTERS = 65_537;

/** Of messages that come in pieces: the text of each so far. */
export const createMessageMap = (): BoundedMap<string> =>
  new BoundedMap({ entries: 64, characters: MESSAGE_CHARACTERS });
