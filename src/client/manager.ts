import { checkNumber } from './check-values.ts';
import { CheckpointCollection } from './checkpoints.ts';
import type { ClientContext } from './client-context.ts';
import { type ReadOptions, type ReconnectPolicy, readEntries } from './entries.ts';
import { PoolCollection } from './pools.ts';
import type { RequestOptions } from './request-options.ts';
import { TaskCollection } from './tasks.ts';
import type { Transport } from './transport.ts';
import type { ImageInfo, NodeInfo, StatsInfo, UsageInfo, WebhookDeliveryInfo, WorkerEvent } from './types.ts';
import { toEntry } from './worker.ts';
import { WorkerCollection } from './workers.ts';

/** Default number of retries of a request after a passing failure: about 8 s, in which a manager is restarted. */
export const DEFAULT_RETRIES = 7;
/** Default time during which a broken stream is opened again: longer than the restart of a manager. */
export const DEFAULT_RECONNECT_SECONDS = 300;

/** A manager, or rather its cell: any manager of the cell responds. */
export class ManagerConnection {
  readonly workers: WorkerCollection;
  readonly checkpoints: CheckpointCollection;
  readonly tasks: TaskCollection;
  readonly pools: PoolCollection;
  readonly #context: ClientContext;

  constructor(transport: Transport, policy: Partial<ReconnectPolicy> = {}) {
    const { retries = DEFAULT_RETRIES, reconnectSeconds = DEFAULT_RECONNECT_SECONDS } = policy;
    for (const [name, value] of Object.entries({ retries, reconnectSeconds })) checkNumber(name, value);
    this.#context = { transport, policy: { retries, reconnectSeconds } };
    this.workers = new WorkerCollection(this.#context);
    this.checkpoints = new CheckpointCollection(this.#context);
    this.tasks = new TaskCollection(this.#context);
    this.pools = new PoolCollection(this.#context);
  }

  /** The history of all workers; options as for `worker.events`. */
  async *events(options: ReadOptions = {}): AsyncGenerator<WorkerEvent> {
    const { transport, policy } = this.#context;
    for await (const item of readEntries(transport, { kind: 'events' }, options, policy))
      yield toEntry<WorkerEvent>(item);
  }

  /** The workers that run tasks, including those that were started manually. */
  nodes(options: RequestOptions = {}): Promise<NodeInfo[]> {
    return this.#context.transport.listNodes(options);
  }

  /** Numbers of workers, tasks and more. */
  stats(options: RequestOptions = {}): Promise<StatsInfo> {
    return this.#context.transport.getStats(options);
  }

  /** CPU and memory of the running workers. */
  usage(options: RequestOptions = {}): Promise<UsageInfo[]> {
    return this.#context.transport.listUsage(options);
  }

  /** The worker images of the engine, newest first. Over Redis alone, they cannot be read. */
  images(options: RequestOptions = {}): Promise<ImageInfo[]> {
    return this.#context.transport.listImages(options);
  }

  /** The last deliveries to webhooks and those that wait, newest first; 50 by default. */
  webhooks({
    limit,
    ...options
  }: RequestOptions & { limit?: number | undefined } = {}): Promise<WebhookDeliveryInfo[]> {
    return this.#context.transport.listWebhooks(limit, options);
  }

  /** Closes its connections. Workers continue. */
  close(): Promise<void> {
    return this.#context.transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
