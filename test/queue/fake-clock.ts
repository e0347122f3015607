/** A clock that a test advances; timers fire in order, and pending promises settle in between. */
export class FakeClock {
  #now = 0;
  #timers: { at: number; fire: () => void }[] = [];

  now = (): number => this.#now;
  monotonic = (): number => this.#now;

  setTimer = (ms: number, fire: () => void): (() => void) => {
    const timer = { at: this.#now + ms, fire };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** Number of pending timers. */
  get pending(): number {
    return this.#timers.length;
  }

  /** When the next timer fires. */
  get next(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ at }) => at));
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let at = this.next; at !== undefined && at <= end; at = this.next) {
      this.#now = Math.max(this.#now, at);
      this.#fireFirst(at);
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /**
   * Advances time without firing timers, as if the process was stopped; overdue ones fire in the next
   * `advance`.
   */
  jump(ms: number): void {
    this.#now += ms;
  }

  #fireFirst(at: number): void {
    const timer = this.#timers.find((other) => other.at === at);
    this.#timers = this.#timers.filter((other) => other !== timer);
    timer?.fire();
  }
}

/** Lets every promise that can settle without time passing do so. */
export const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
