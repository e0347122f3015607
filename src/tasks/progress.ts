import { readBoundedJson } from '../model/json-depth.ts';
import type { TaskLink } from './connect.ts';
import type { Held } from './held.ts';
import type { Place } from './place.ts';

/** What a handler says more often than this is told by its last word. */
const INTERVAL_MS = 250;
/** JSON of a progress, in characters, above which it is left out. */
const LIMIT = 65_536;

interface Said {
  text: string | undefined;
  clock: NodeJS.Timeout | undefined;
  sent: Promise<unknown>;
}

/** Tells Redis how attempts get on: at once, then in intervals; the last word always, and before the result. */
export class Progress {
  readonly #redis: TaskLink;
  readonly #place: Place;
  readonly #said = new Map<Held, Said>();

  constructor(redis: TaskLink, place: Place) {
    this.#redis = redis;
    this.#place = place;
  }

  of(held: Held): (value: unknown) => void {
    return (value) => {
      const text = toText(value);
      if (text === undefined) return;
      const said = this.#said.get(held) ?? { text, clock: undefined, sent: Promise.resolve() };
      said.text = text;
      this.#said.set(held, said);
      if (!said.clock) this.#send(held, said);
    };
  }

  /** Resolves when the last word is told; at once where nothing was said. */
  async last(held: Held): Promise<void> {
    const said = this.#said.get(held);
    if (!said) return;
    this.#said.delete(held);
    clearTimeout(said.clock);
    if (said.text !== undefined) this.#send(held, said);
    clearTimeout(said.clock);
    await said.sent;
  }

  #send(held: Held, said: Said): void {
    const { text } = said;
    if (text === undefined) return;
    said.text = undefined;
    said.sent = this.#redis.taskProgress(this.#place.base + held.jobId, held.token, text).catch(() => {});
    said.clock = setTimeout(() => {
      said.clock = undefined;
      this.#send(held, said);
    }, INTERVAL_MS);
  }
}

function toText(value: unknown): string | undefined {
  try {
    const text = JSON.stringify(value ?? null);
    return text !== undefined && text.length <= LIMIT && readBoundedJson(text) ? text : undefined;
  } catch {
    return undefined;
  }
}
