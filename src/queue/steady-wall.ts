/**
 * The time for decisions: milliseconds since 1970, which do not jump when the clock of this machine is set.
 *
 * Deadlines and backoffs are instants in Redis, so that they outlive the manager. If a clock were set, they
 * would all expire or start again. The time is therefore read once from Redis, which all managers of the cell
 * share, and advances by elapsed time. The time that the machine is suspended counts as well.
 */
import { uptime as osUptime } from 'node:os';

/** The smallest difference between two clocks that is reported, in milliseconds. */
const NOTED_MS = 5000;
/** Uptime is reported in hundredths or whole seconds: less than this is not a suspension. */
const SUSPENDED_MS = 2000;

export interface Clocks {
  /** The clock of this machine, milliseconds since 1970. */
  wall: () => number;
  /** Milliseconds of a clock that stops while the machine is suspended. */
  monotonic: () => number;
  /** Seconds of a clock that continues while it is suspended. */
  uptime: () => number;
}

export class SteadyWall {
  readonly #clocks: Clocks;
  /** What is added to the monotonic clock. */
  #base: number;
  #anchored = false;
  /** Uptime beyond the monotonic clock, and the wall clock beyond `now`, when they were last compared. */
  #slept: number;
  #ahead = 0;

  constructor(clocks: Clocks = { wall: Date.now, monotonic: () => performance.now(), uptime: osUptime }) {
    this.#clocks = clocks;
    this.#base = clocks.wall() - clocks.monotonic();
    this.#slept = this.#beyond();
  }

  readonly now = (): number => Math.round(this.#base + this.#clocks.monotonic());

  /**
   * Reads the time of Redis once, when it first responds; returns how far this machine's clock is ahead of
   * it.
   */
  async anchor(redisTime: () => Promise<number>): Promise<number | undefined> {
    if (this.#anchored) return undefined;
    const before = this.#clocks.monotonic();
    const redisNow = await redisTime();
    if (this.#anchored) return undefined;
    this.#anchored = true;
    // Redis read its clock between the two, on average in the middle.
    this.#base = redisNow - (before + this.#clocks.monotonic()) / 2;
    this.#ahead = this.#clocks.wall() - this.now();
    return Math.abs(this.#ahead) < NOTED_MS ? undefined : this.#ahead;
  }

  /** Compares the clocks; returns by how much this machine's clock has been set since the last time, if it has. */
  check(): number | undefined {
    const slept = this.#beyond() - this.#slept;
    if (slept >= SUSPENDED_MS) {
      this.#base += slept;
      this.#slept += slept;
    }
    const ahead = this.#clocks.wall() - this.now();
    const jump = ahead - this.#ahead;
    if (Math.abs(jump) < NOTED_MS) return undefined;
    this.#ahead = ahead;
    return jump;
  }

  #beyond(): number {
    return this.#clocks.uptime() * 1000 - this.#clocks.monotonic();
  }
}
