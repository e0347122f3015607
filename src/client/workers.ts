import type { ClientContext } from './client-context.ts';
import { newKey } from './new-key.ts';
import { PagedList } from './paged-list.ts';
import type { ChangeOptions, PageOptions, RequestOptions } from './request-options.ts';
import type { WorkerFilter, WorkerInput } from './types.ts';
import { WorkerHandle } from './worker.ts';
import type { WaitOptions } from './worker-options.ts';

/** `manager.workers`: the workers of the cell. */
export class WorkerCollection {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /**
   * Creates a worker. Returns as soon as it is recorded, or with `wait` when it has reached that state. A wait that
   * fails throws a `ManagerError` with the `workerId`; the worker exists then.
   */
  async create(input: WorkerInput, options: WaitOptions = {}): Promise<WorkerHandle> {
    const { wait, timeoutSeconds, ...change } = options;
    const idempotencyKey = change.idempotencyKey ?? newKey();
    const info = await this.#context.transport.createWorker(input, { ...change, idempotencyKey });
    const worker = new WorkerHandle(this.#context, info);
    return wait ? worker.wait(wait, { timeoutSeconds, signal: change.signal }) : worker;
  }

  /** A worker by its ID, or by the name that it has or had last. */
  async get(ref: string, options: RequestOptions = {}): Promise<WorkerHandle> {
    return new WorkerHandle(this.#context, await this.#context.transport.getWorker(ref, options));
  }

  /** Workers in the order of their creation: `for await` yields all, `await` returns the first page. */
  list(query: WorkerFilter = {}, options: PageOptions = {}): PagedList<WorkerHandle> {
    return new PagedList(async (cursor = options.cursor) => {
      const page = await this.#context.transport.listWorkers(query, { ...options, cursor });
      return { ...page, items: page.items.map((info) => new WorkerHandle(this.#context, info)) };
    });
  }

  /** Ends the body of a worker and deletes its record. */
  delete(id: string, options: ChangeOptions & { reason?: string | undefined } = {}): Promise<void> {
    return this.#context.transport.deleteWorker(id, options);
  }
}
