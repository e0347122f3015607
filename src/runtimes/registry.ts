import { errorMessage, type RuntimeName } from '../model/index.ts';
import { type Runtime, RuntimeDown, type RuntimeInfo } from './runtime.ts';

interface Entry {
  runtime: Runtime;
  info: RuntimeInfo | undefined;
  /** Why it does not answer; `undefined` while it does. */
  error: string | undefined;
  /** Since when it answers without a break, milliseconds since 1970. */
  upSince: number;
  /** When it last ceased to answer, milliseconds since 1970. */
  downSince: number;
}

const NOT_PROBED = 'not checked yet';
/**
 * Milliseconds for which a call that succeeds does not make up for one that failed; a probe does. All workers of a runtime
 * are looked at when it turns, so one that answers every look and fails every act would have them observed forever.
 */
const SETTLE_MS = 1000;

/** The runtimes that this manager uses, in the order of preference, and whether each answers. */
export class Runtimes {
  readonly #entries: Map<RuntimeName, Entry>;
  readonly #now: () => number;
  #probing: Promise<void> | undefined;
  readonly #changed: (name: RuntimeName, error: string | undefined) => void;

  constructor(
    runtimes: Runtime[],
    now: () => number,
    /** A runtime has begun to answer (no error) or has ceased to. */
    changed: (name: RuntimeName, error: string | undefined) => void,
  ) {
    const unknown = { info: undefined, error: NOT_PROBED, upSince: 0, downSince: 0 };
    this.#entries = new Map(runtimes.map((runtime) => [runtime.name, { runtime, ...unknown }]));
    this.#now = now;
    this.#changed = changed;
  }

  get all(): Runtime[] {
    return [...this.#entries.values()].map(({ runtime }) => runtime);
  }

  /** The state of each, for commands, health and doctor. */
  get states(): { name: RuntimeName; info: RuntimeInfo | undefined; error: string | undefined }[] {
    return [...this.#entries].map(([name, { info, error }]) => ({
      name,
      info: error ? undefined : info,
      error,
    }));
  }

  /** The runtime of that name; throws `RuntimeDown` where this manager does not use it. */
  get(name: RuntimeName): Runtime {
    const entry = this.#entries.get(name);
    if (entry) return entry.runtime;
    const used = [...this.#entries.keys()].join(', ');
    throw new RuntimeDown(
      `This manager does not use the runtime ${name}, only ${used}; set RUNTIME to change that.`,
    );
  }

  upSince(name: RuntimeName): number {
    return this.#entries.get(name)?.upSince ?? 0;
  }

  /** Asks each whether it answers; one that hangs is not asked a second time meanwhile. */
  probe(): Promise<void> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = undefined;
    });
    return this.#probing;
  }

  async #probe(): Promise<void> {
    await Promise.all(
      [...this.#entries.values()].map(async (entry) => {
        try {
          entry.info = await entry.runtime.probe();
          this.#turn(entry, undefined);
        } catch (error) {
          this.#turn(entry, errorMessage(error));
        }
      }),
    );
  }

  /**
   * Calls a runtime, and takes note whether it answers: a caller that learns from one call that it does not, and from
   * the next that it does, is notified again when it stops.
   */
  async call<T>(name: RuntimeName, what: (runtime: Runtime) => Promise<T>): Promise<T> {
    const runtime = this.get(name);
    const entry = this.#entries.get(name);
    try {
      const answer = await what(runtime);
      // One that no probe has reached has not reported its capabilities yet.
      if (entry?.info && this.#now() - entry.downSince >= SETTLE_MS) this.#turn(entry, undefined);
      return answer;
    } catch (error) {
      if (entry && error instanceof RuntimeDown) this.#turn(entry, error.message);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((runtime) => runtime.close()));
  }

  #turn(entry: Entry, error: string | undefined): void {
    const before = entry.error;
    entry.error = error;
    if (before !== NOT_PROBED && (before === undefined) === (error === undefined)) return;
    if (error === undefined) entry.upSince = this.#now();
    else entry.downSince = this.#now();
    this.#changed(entry.runtime.name, error);
  }
}
