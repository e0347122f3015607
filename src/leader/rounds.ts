/** The periodic work of a term: resync, and check all running bodies. One run of each at a time. */
import { setTimeout as delay } from 'node:timers/promises';
import { errorMessage } from '../model/index.ts';
import { steadyClock } from '../queue/clock.ts';
import { createWorkQueue } from '../queue/work-queue.ts';
import { Fenced } from '../store/index.ts';
import type { Logger } from '../telemetry/log.ts';
import { StoreLost } from './resync.ts';

/** Delay before a failed resync is retried; also before a resync for missed events. */
const SOON_MS = 1000;

export interface RoundsOptions {
  log: Logger;
  resync_ms: number;
  check_ms: number;
  resync: () => Promise<void>;
  check: () => Promise<void>;
  /** The term cannot continue: another manager leads, or the store is another one. */
  fatal: (error: Error) => void;
}

export class Rounds {
  readonly #options: RoundsOptions;
  /** One key, `resync`, so that concurrent requests cause one run. */
  readonly #resyncs = createWorkQueue({ clock: steadyClock });
  /** One key, `check`: a check that takes longer than its interval delays the next one. */
  readonly #checks = createWorkQueue({ clock: steadyClock });

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Asks for a resync soon. */
  request(): void {
    this.#resyncs.add('resync');
  }

  /** Runs both until the signal fires or `end` is called; the first resync starts immediately. */
  async run(signal: AbortSignal): Promise<void> {
    this.request();
    this.#checks.addAfter('check', this.#options.check_ms);
    await Promise.all([
      this.#resyncs.run(() => this.#resync(), 1, signal),
      this.#checks.run(() => this.#check(), 1, signal),
    ]);
  }

  end(): void {
    this.#resyncs.shutDown();
    this.#checks.shutDown();
  }

  async #resync(): Promise<void> {
    const { resync, resync_ms, log, fatal } = this.#options;
    try {
      await resync();
      this.#resyncs.addAfter('resync', resync_ms);
    } catch (error) {
      if (error instanceof StoreLost || error instanceof Fenced) return fatal(error);
      log.warn({ why: errorMessage(error) }, 'resync failed; retrying');
      this.#resyncs.addAfter('resync', SOON_MS);
    }
  }

  async #check(): Promise<void> {
    const { check, check_ms, log } = this.#options;
    try {
      await check();
    } catch (error) {
      log.warn({ why: errorMessage(error) }, 'health check of bodies failed; retrying at the next interval');
    }
    this.#checks.addAfter('check', check_ms);
  }
}

/** Waits before a term is tried again after its start has failed, so that a broken store causes no hot loop. */
export const pauseBetweenTerms = (signal: AbortSignal, ms = SOON_MS) =>
  delay(ms, undefined, { signal }).catch(() => {});
