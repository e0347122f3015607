import { errorMessage, type RuntimeName } from '../model/index.ts';
import { type Runtime, RuntimeDown, type RuntimeInfo } from './runtime.ts';

interface Entry {
  runtime: Runtime;
  info: RuntimeInfo | undefined;
  /** Why it is down; `undefined` while it is up. */
  error: string | undefined;
  /** When it came up, in milliseconds since 1970. */
  upSince: number;
  /** When it last went down, in milliseconds since 1970. */
  downSince: number;
}

const NOT_PROBED = 'not checked yet';
/**
 * Milliseconds during which a successful call does not reverse a failed one; a probe does. A change of state
 * reconciles all workers of a runtime, so a runtime that answers every observation and fails every action
 * would otherwise reconcile them all in an endless loop.
 */
const SETTLE_MS = 1000;

/** The runtimes of this manager in the order of preference, and whether each is up. */
export class Runtimes {
  readonly #entries: Map<RuntimeName, Entry>;
  readonly #now: () => number;
  #probing: Promise<void> | undefined;
  readonly #changed: (name: RuntimeName, error: string | undefined) => void;

  constructor(
    runtimes: Runtime[],
    now: () => number,
    /** Called when a runtime comes up (no error) or goes down. */
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

  /** The state of each runtime, for commands, health and doctor. */
  get states(): { name: RuntimeName; info: RuntimeInfo | undefined; error: string | undefined }[] {
    return [...this.#entries].map(([name, { info, error }]) => ({
      name,
      info: error ? undefined : info,
      error,
    }));
  }

  /** The runtime with that name; throws `RuntimeDown` if this manager does not use it. */
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

  /** Probes each runtime; one with a pending probe is not probed again. */
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
   * Calls a runtime, and records whether it answers. A caller that finds it down on one call and up on the
   * next is notified when it goes down again.
   */
  async call<T>(name: RuntimeName, what: (runtime: Runtime) => Promise<T>): Promise<T> {
    const runtime = this.get(name);
    const entry = this.#entries.get(name);
    try {
      const answer = await what(runtime);
      // Without a successful probe, its capabilities are not known yet.
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
