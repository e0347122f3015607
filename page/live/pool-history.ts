/** The pools, read regularly while the page is open, and their numbers since then. */
import { sleep } from '../../src/client/retry.ts';
import type { PoolInfo } from '../../src/client/types.ts';
import { describeError } from '../parts/text.ts';
import { api } from './session.ts';
import { Observable } from './store.ts';
import { untilShown } from './visibility.ts';

const EVERY_MS = 3000;
/** An hour. */
const KEPT = 1200;

/** Times in seconds, and a value for each time. */
export interface PoolSeries {
  at: number[];
  desired: number[];
  ready: number[];
  busy: number[];
  queued: number[];
}

export interface PoolsNow {
  pools: readonly PoolInfo[];
  series: ReadonlyMap<string, PoolSeries>;
  loaded: boolean;
}

export class PoolHistory {
  readonly now = new Observable<PoolsNow>({ pools: [], series: new Map(), loaded: false });
  readonly error = new Observable<string | undefined>(undefined);
  readonly #series = new Map<string, PoolSeries>();
  readonly #ended = new AbortController();

  start(): void {
    this.#loop(this.#ended.signal).catch(() => {});
  }

  stop(): void {
    this.#ended.abort();
  }

  async refresh(): Promise<void> {
    const { pools } = await api.listPools({ signal: this.#ended.signal });
    for (const pool of pools) this.#add(pool);
    for (const name of this.#series.keys())
      if (!pools.some((pool) => pool.name === name)) this.#series.delete(name);
    this.now.set({ pools, series: new Map(this.#series), loaded: true });
    this.error.set(undefined);
  }

  async #loop(signal: AbortSignal): Promise<void> {
    for (;;) {
      await untilShown(signal);
      await this.refresh().catch((error) => {
        signal.throwIfAborted();
        this.error.set(describeError(error));
      });
      await sleep(EVERY_MS, signal);
    }
  }

  #add({ name, status }: PoolInfo): void {
    const { at, ...values }: PoolSeries = this.#series.get(name) ?? {
      at: [],
      desired: [],
      ready: [],
      busy: [],
      queued: [],
    };
    const { desired = 0, ready = 0, busy = 0, queued = 0 } = status ?? {};
    const from = Math.max(0, at.length + 1 - KEPT);
    const add = (list: number[], value: number) => [...list.slice(from), value];
    this.#series.set(name, {
      at: add(at, Date.now() / 1000),
      desired: add(values.desired, desired),
      ready: add(values.ready, ready),
      busy: add(values.busy, busy),
      queued: add(values.queued, queued),
    });
  }
}
