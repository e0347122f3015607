/**
 * Leads the cell while this manager has the lease: term after term, because one that fails is replaced by the next.
 *
 * Invariant: at most one term runs at a time, also if the lease is lost and acquired again at once.
 */
import type { startSchedule } from '../images/schedule.ts';
import { pauseBetweenTerms } from '../leader/rounds.ts';
import { Term } from '../leader/term.ts';
import type { TermOptions } from '../leader/term-options.ts';
import { errorMessage } from '../model/index.ts';
import type { Lease } from '../queue/lease.ts';
import { CommandStream, connectBlocking, Fenced, type Link, type Store } from '../store/index.ts';
import type { Logger } from '../telemetry/log.ts';

interface LeadershipOptions {
  redis: Link;
  redisUrl: string;
  keys: Store['keys'];
  leaseSeconds: number;
  lease: () => Lease;
  /** The options of the next term. */
  termOptions: () => Omit<TermOptions, 'stream'>;
  /** Called before the first term after the lease was acquired. */
  prepare: () => Promise<void>;
  /** Starts the garbage collection of images. */
  startSchedule: () => ReturnType<typeof startSchedule> | undefined;
  /** Called when a term begins. */
  began: () => void;
  log: Logger;
}

export class Leadership {
  readonly #options: LeadershipOptions;
  #term: Term | undefined;
  #ended = Promise.resolve();
  #termEnd = new AbortController();
  readonly #leave = new AbortController();

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  /** The current term; `undefined` if this manager does not lead. */
  get term(): Term | undefined {
    return this.#term;
  }

  /** Resolves when the current term has ended; immediately if there is none. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** The lease was acquired. */
  begin(epoch: number): void {
    this.#ended = this.#lead(epoch, this.#ended);
  }

  /** The lease was lost. */
  end(): void {
    this.#termEnd.abort();
  }

  /** Ends leading for good; see `ended`. */
  leave(): void {
    this.#leave.abort();
  }

  async #lead(epoch: number, before: Promise<void>): Promise<void> {
    const { redis, redisUrl, keys, lease, log, leaseSeconds, prepare, began } = this.#options;
    await before;
    await prepare();
    this.#termEnd = new AbortController();
    const schedule = this.#options.startSchedule();
    while (lease().epoch() === epoch && !this.#leave.signal.aborted) {
      // A blocking read cannot be cancelled, only disconnected, so each term has its own connection.
      const blocking = connectBlocking(redisUrl);
      blocking.on('error', () => {});
      const stop = AbortSignal.any([this.#termEnd.signal, this.#leave.signal]);
      stop.addEventListener('abort', () => blocking.disconnect());
      try {
        this.#term = new Term(epoch, () => lease().held(), {
          ...this.#options.termOptions(),
          stream: new CommandStream(redis, blocking, keys),
        });
        began();
        await this.#term.run(stop);
      } catch (error) {
        log.warn({ why: errorMessage(error) }, 'leader term failed; restarting');
        this.#term = undefined;
        // The lease is lost: its next renewal ends this, and until then every write would be refused.
        await pauseBetweenTerms(stop, error instanceof Fenced ? leaseSeconds * 1000 : undefined);
      } finally {
        this.#term = undefined;
        blocking.disconnect();
      }
    }
    schedule?.stop();
  }
}
