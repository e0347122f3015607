import type { ClientContext } from './client-context.ts';
import type { ChangeOptions, RequestOptions } from './request-options.ts';
import type { PoolApplied, PoolDefinition, PoolInfo, PoolScaled, WorkerStatsInfo } from './types.ts';

/** `manager.pools`: the pools of the cell. */
export class PoolCollection {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** All pools, with their specs and status. */
  async list(options: RequestOptions = {}): Promise<PoolInfo[]> {
    return (await this.#context.transport.listPools(options)).pools;
  }

  get(name: string, options: RequestOptions = {}): Promise<PoolInfo> {
    return this.#context.transport.getPool(name, options);
  }

  /** How many workers of each type are busy and idle. */
  async workerStats(options: RequestOptions = {}): Promise<WorkerStatsInfo> {
    return (await this.#context.transport.listPools(options)).worker_stats;
  }

  /** Creates a pool, or changes it to this spec. */
  apply(pool: PoolDefinition, options: ChangeOptions = {}): Promise<PoolApplied> {
    return this.#context.transport.applyPool(pool, options);
  }

  /** Changes the number of workers of a pool without autoscaling. */
  scale(name: string, count: number, options: ChangeOptions = {}): Promise<PoolScaled> {
    return this.#context.transport.scalePool(name, count, options);
  }

  /** Its workers finish their tasks, and then the pool is deleted. */
  delete(name: string, options: ChangeOptions = {}): Promise<{ pool: string }> {
    return this.#context.transport.deletePool(name, options);
  }
}
