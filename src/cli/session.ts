import { whyContextIsIgnored } from '../config/context-file.ts';
import type { Settings } from '../config/settings.ts';
import { errorMessage, Fault, isRedisSilent, toRedisFault } from '../model/index.ts';
import { type Link, readStream, type Store, type StreamLine } from '../store/index.ts';
import { redactUrl } from '../telemetry/redact.ts';
import type { CliDeps, ManagerAddress, Reader } from './deps.ts';

/** Timeout of the first connection to Redis. */
const CONNECT_MS = 4000;
/** The user of REDIS_URL has not the right, itself or in a script. */
const MAY_NOT = /^NOPERM |executing the script can't run this command/;

/** The connection to Redis of one run of the command line. */
export class Session {
  readonly settings: Settings;
  readonly redis: Link;
  readonly store: Store;
  readonly #pattern: Reader;
  readonly #readers = new Set<Reader>();
  readonly #address: ManagerAddress;
  #why: string | undefined;

  private constructor(
    address: ManagerAddress,
    settings: Settings,
    { redis, blocking, store }: Awaited<ReturnType<CliDeps['connect']>>,
  ) {
    this.settings = settings;
    this.#address = address;
    this.redis = redis;
    this.store = store;
    this.#pattern = blocking;
    redis.on('error', (error) => {
      this.#why = errorMessage(error);
    });
  }

  static async open(deps: CliDeps, settings: Settings): Promise<Session> {
    const address = await deps.context();
    if (address.redisUnknown)
      throw new Fault(
        'invalid_command',
        `WM_URL names the manager at ${address.url}, and this verb also needs its Redis. Set REDIS_URL to what \`wm context --redis-url\` prints on its machine, or unset WM_URL.`,
      );
    return new Session(address, settings, await deps.connect(settings));
  }

  /** Checks that Redis answers; throws a Fault `unavailable` with its address otherwise. */
  async reach(): Promise<this> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${CONNECT_MS / 1000} s`)), CONNECT_MS);
    });
    try {
      await Promise.race([this.store.ping(), late]);
      return this;
    } catch (error) {
      throw this.#unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A separate connection for blocking reads; it is closed with the session. */
  reader(): Reader {
    const reader = this.#pattern.duplicate();
    reader.on('error', () => {});
    this.#readers.add(reader);
    return reader;
  }

  /** Entries of a stream after `from` ('0' for all), including new ones, until the signal fires. */
  async *follow(key: string, from: string, signal: AbortSignal): AsyncGenerator<StreamLine> {
    const reader = this.reader();
    const cut = () => reader.disconnect();
    signal.addEventListener('abort', cut, { once: true });
    try {
      yield* readStream(reader, key, { from, follow: true, signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener('abort', cut);
      reader.disconnect();
      this.#readers.delete(reader);
    }
  }

  /** Existing entries of a stream after `from` ('0' for all). */
  lines(key: string, from: string): AsyncGenerator<StreamLine> {
    return readStream(this.redis, key, { from, follow: false });
  }

  /** The ID of the last entry of a stream; '0' if it has none. */
  async lastId(key: string): Promise<string> {
    return (await this.redis.xrevrange(key, '+', '-', 'COUNT', 1))[0]?.[0] ?? '0';
  }

  /** The ID before the last `count` entries of a stream; '0' if there are fewer. */
  async before(key: string, count: number): Promise<string> {
    const last = await this.redis.xrevrange(key, '+', '-', 'COUNT', count + 1);
    return last.length > count ? (last.at(-1)?.[0] ?? '0') : '0';
  }

  /** The leader of this cell and its epoch; `undefined` if there is none. */
  async leader(): Promise<{ owner: string; epoch: number } | undefined> {
    const text = await this.redis.get(this.store.keys.leader);
    const match = /^(.*) (\d+)$/.exec(text ?? '');
    return match?.[1] && match[2] ? { owner: match[1], epoch: Number(match[2]) } : undefined;
  }

  close(): void {
    for (const link of [this.redis, this.#pattern, ...this.#readers]) link.disconnect();
  }

  /** Converts an error of the client to a Fault with the address of Redis; returns other errors unchanged. */
  explain(error: unknown): unknown {
    if (isRedisSilent(error)) return this.#unreachable(error);
    const why = errorMessage(error).replace(/\.?( script: .*)?$/s, '');
    if (error instanceof Fault || !(toRedisFault(error) || MAY_NOT.test(why))) return error;
    const message = `Redis at ${redactUrl(this.settings.redisUrl)} refuses this (${why}). \`wm doctor\` shows what to do.`;
    return new Fault('unavailable', message, { cause: error });
  }

  #whereElse(): string {
    const { redisFrom, path } = this.#address;
    return redisFrom === 'file'
      ? `The manager that wrote ${path} has probably ended: start it again with \`wm serve\`, or set REDIS_URL`
      : 'Start a manager with `wm serve`, or set REDIS_URL to the address of its Redis';
  }

  #unreachable(error: unknown): Fault {
    const { redisUrl, cell } = this.settings;
    const why = this.#why ?? errorMessage(error);
    if (this.#address.redisFrom === 'default' && /ECONNREFUSED/.test(why)) {
      const ignored = whyContextIsIgnored(this.#address.path);
      const known = ignored
        ? `${this.#address.path} is not used, because ${ignored}`
        : `No manager of the cell ${cell} has run on this machine yet`;
      return new Fault(
        'unavailable',
        `${known}, and no Redis answers at ${redisUrl}. Start a manager with \`wm serve\`, or set REDIS_URL.`,
        { cause: error },
      );
    }
    const advice = /database .* cannot be selected/.test(why)
      ? 'Set REDIS_URL to another one'
      : /NOAUTH|WRONGPASS|NOPERM/.test(why)
        ? 'Add the user and password to REDIS_URL'
        : this.#whereElse();
    const message = `Redis does not answer at ${redactUrl(redisUrl)} (${why}). ${advice}.`;
    return new Fault('unavailable', message, { cause: error });
  }
}
