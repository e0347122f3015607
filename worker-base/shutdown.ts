import { farewellMs } from '../src/model/worker/grace.ts';

/**
 * Share of the time after the grace period that is reserved for the runtime's SIGKILL, whose timer started
 * earlier.
 */
const MARGIN_SHARE = 4;
/** Time for the final writes even if there is no grace period: the runtime may send SIGKILL at any time. */
const GOODBYE_MS = 500;

/** Why the body ends before the agent exits on its own. */
export type ShutdownReason = 'signal' | 'shutdown' | 'deadline';

/** When the agent is killed and when the wrapper aborts, both by performance.now(). */
export class Shutdown {
  readonly #graceMs: number;
  readonly #onEnd: (reason: ShutdownReason) => void;
  readonly #onKill: () => void;
  #timer: NodeJS.Timeout | undefined;
  #killAt = Number.POSITIVE_INFINITY;
  /** The first reason; later ones only shorten the shutdown. */
  reason: ShutdownReason | undefined;
  /** After this, the runtime kills the whole body: output that is not sent by then is lost. */
  hardAt = Number.POSITIVE_INFINITY;

  constructor(graceSeconds: number, on: { end: (reason: ShutdownReason) => void; kill: () => void }) {
    this.#graceMs = graceSeconds * 1000;
    this.#onEnd = on.end;
    this.#onKill = on.kill;
  }

  /** Starts the shutdown. Repeated calls are harmless and never extend it. */
  begin(reason: ShutdownReason): void {
    const now = performance.now();
    if (reason === 'signal') {
      const farewell = farewellMs(this.#graceMs / 1000);
      const last = Math.max(this.#graceMs + farewell - farewell / MARGIN_SHARE, GOODBYE_MS);
      this.hardAt = Math.min(this.hardAt, now + last);
    }
    if (now + this.#graceMs < this.#killAt) {
      this.#killAt = now + this.#graceMs;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(this.#onKill, this.#graceMs);
    }
    if (this.reason) return;
    this.reason = reason;
    this.#onEnd(reason);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
