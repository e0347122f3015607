import type { WorkerService } from '../../http/workers/worker-service.ts';
import { openWorkerService } from '../../manager/worker-service.ts';
import { type CommandResponse, parseCommand } from '../../model/index.ts';
import { type CommandClient, createCommandClient, type Link, Store, StreamHub } from '../../store/index.ts';
import type { ChangeOptions, RequestOptions } from '../request-options.ts';
import { runOnRedis } from './run.ts';

export interface RedisAddress {
  url: string;
  cell: string;
}

/** The records, streams and commands of a cell. */
export class RedisCell {
  readonly url: string;
  readonly name: string;
  readonly redis: Link;
  readonly store: Store;
  readonly workers: WorkerService;
  readonly #hub: StreamHub;
  readonly #commandClient: CommandClient;

  constructor({ url, cell }: RedisAddress, redis: Link) {
    this.url = url;
    this.name = cell;
    this.redis = redis;
    this.store = new Store(redis, cell);
    this.#hub = new StreamHub(redis, url);
    this.#commandClient = createCommandClient(redis, this.store.keys, this.#hub);
    this.workers = openWorkerService({
      redis,
      store: this.store,
      hub: this.#hub,
      commandClient: this.#commandClient,
      // Its runtimes are needed for it.
      explain: () => Promise.resolve(undefined),
      now: Date.now,
    });
  }

  run<T>(options: RequestOptions, operation: () => Promise<T>): Promise<T> {
    return runOnRedis(this.url, options, operation);
  }

  /** Sends a command and returns its answer; throws the Fault of a refusal. */
  async command<T = CommandResponse>(
    fields: { command: string; [field: string]: unknown },
    { idempotencyKey: request_id = crypto.randomUUID(), traceparent, timeoutMs }: ChangeOptions,
  ): Promise<T> {
    const command = { ...fields, request_id, ...(traceparent !== undefined && { traceparent }) };
    // Wrong fields are reported even while no manager leads.
    parseCommand(command);
    return (await this.#commandClient.send(command, timeoutMs)) as T;
  }

  close(): void {
    this.#commandClient.close();
    this.#hub.close();
    this.redis.disconnect();
  }
}
