/**
 * All workers of the cell and their history, kept up to date by one stream of events.
 *
 * An event changes a worker's state immediately; what events do not contain is read again afterwards: one worker at a
 * time, or the whole list if many have changed. The list is also read again at each new connection, and regularly, so
 * that what no event reports (such as labels) is never old for long.
 */
import { ManagerError } from '../../src/client/errors.ts';
import { sleep } from '../../src/client/retry.ts';
import type { WorkerEvent, WorkerInfo } from '../../src/client/types.ts';
import { describeError } from '../parts/text.ts';
import { followStream } from './follow.ts';
import { api } from './session.ts';
import { Observable } from './store.ts';
import { shown } from './visibility.ts';

/** Workers of one request. */
const PAGE = 1000;
/** Of the cell's history: what is read first, and what is kept. */
const FIRST_EVENTS = 300;
const EVENTS = 2000;
/** The list is published at most this often, in milliseconds. */
const PUBLISH_MS = 200;
/** Changed workers are collected for this time before they are read. */
const COLLECT_MS = 150;
/** If more have changed, the whole list is read. */
const SINGLE_READS = 20;
/** Milliseconds between two reads of the whole list, and between reads without a reason. */
const BETWEEN_MS = 2000;
const REFRESH_MS = 30_000;

export type CellEvent = WorkerEvent & { worker_id: string };
export type Connection = 'connecting' | 'live' | 'lost';

export interface WorkerList {
  /** By ID, in the order of their creation. */
  workers: ReadonlyMap<string, WorkerInfo>;
  /** All workers have been read at least once. */
  complete: boolean;
}

export class LiveCell {
  readonly connection = new Observable<Connection>('connecting');
  readonly list = new Observable<WorkerList>({ workers: new Map(), complete: false });
  /** Oldest first. */
  readonly events = new Observable<readonly CellEvent[]>([]);
  readonly error = new Observable<string | undefined>(undefined);

  #workers = new Map<string, WorkerInfo>();
  #complete = false;
  #events: CellEvent[] = [];
  readonly #changed = new Set<string>();
  #reload = true;
  #publishing: ReturnType<typeof setTimeout> | undefined;
  readonly #ended = new AbortController();

  start(): void {
    const { signal } = this.#ended;
    const onItem = ({ id, data }: { id: string; data: Record<string, unknown> }) =>
      this.#receive({ ...data, id } as CellEvent);
    const onConnected = (connected: boolean) => {
      this.connection.set(connected ? 'live' : 'lost');
      if (connected) this.#reload = true;
    };
    const report = (error: unknown) => {
      if (!signal.aborted) this.error.set(describeError(error));
    };
    followStream({ kind: 'events' }, { tail: FIRST_EVENTS, signal, onItem, onConnected }).catch(report);
    this.#keepUp(signal).catch(report);
  }

  stop(): void {
    this.#ended.abort();
    clearTimeout(this.#publishing);
  }

  /** Shows a worker as the manager has just returned it. */
  put(worker: WorkerInfo): void {
    this.#workers.set(worker.worker_id, worker);
    this.#publish();
  }

  /** Reads a worker again soon. */
  touch(id: string): void {
    this.#changed.add(id);
  }

  #receive(event: CellEvent): void {
    this.#events.push(event);
    if (this.#events.length > EVENTS + 200) this.#events = this.#events.slice(-EVENTS);
    const worker = this.#workers.get(event.worker_id);
    if (worker) {
      const { status, phase, reason, message, incarnation } = event;
      this.#workers.set(worker.worker_id, { ...worker, status, phase, reason, message, incarnation });
    }
    if (this.#complete) this.#changed.add(event.worker_id);
    this.#publish();
  }

  #publish(): void {
    this.#publishing ??= setTimeout(() => {
      this.#publishing = undefined;
      this.events.set([...this.#events]);
      this.list.set({ workers: new Map(this.#workers), complete: this.#complete });
    }, PUBLISH_MS);
  }

  async #keepUp(signal: AbortSignal): Promise<void> {
    for (let readAt = 0; ; ) {
      await sleep(COLLECT_MS, signal);
      if (!shown.value) continue;
      const age = performance.now() - readAt;
      const due = this.#reload || this.#changed.size > SINGLE_READS || age > REFRESH_MS;
      try {
        if (due && (readAt === 0 || age > BETWEEN_MS)) {
          await this.#readAll(signal);
          readAt = performance.now();
        } else if (!due && this.#changed.size > 0) await this.#readChanged(signal);
        this.error.set(undefined);
      } catch (error) {
        signal.throwIfAborted();
        this.error.set(describeError(error));
        await sleep(BETWEEN_MS, signal);
      }
    }
  }

  async #readAll(signal: AbortSignal): Promise<void> {
    this.#reload = false;
    this.#changed.clear();
    const found = new Map<string, WorkerInfo>();
    for (let cursor: string | undefined; ; ) {
      const page = await api.listWorkers({}, { limit: PAGE, cursor, signal });
      for (const worker of page.items) found.set(worker.worker_id, worker);
      if (!this.#complete) {
        // The first pages are shown as they come.
        this.#workers = new Map(found);
        this.#publish();
      }
      if (page.next_cursor === null) break;
      cursor = page.next_cursor;
    }
    this.#workers = found;
    this.#complete = true;
    this.#publish();
  }

  async #readChanged(signal: AbortSignal): Promise<void> {
    const ids = [...this.#changed];
    this.#changed.clear();
    await Promise.all(
      ids.map(async (id) => {
        try {
          this.#workers.set(id, await api.getWorker(id, { signal }));
        } catch (error) {
          if (!(error instanceof ManagerError) || error.status !== 404) throw error;
          this.#workers.delete(id);
        }
      }),
    );
    this.#publish();
  }
}
