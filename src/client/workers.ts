import type { ClientContext } from './client-context.ts';
import { ManagerError } from './errors.ts';
import { PagedList } from './paged-list.ts';
import type { ChangeOptions, PageOptions, RequestOptions } from './transport.ts';
import type { WorkerFilter, WorkerInput } from './types.ts';
import { type WaitOptions, WorkerHandle } from './worker.ts';

const WORKER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

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
    const idempotencyKey = change.idempotencyKey ?? crypto.randomUUID();
    const info = await this.#context.transport.createWorker(input, { ...change, idempotencyKey });
    const worker = new WorkerHandle(this.#context, info);
    return wait ? worker.wait(wait, { timeoutSeconds, signal: change.signal }) : worker;
  }

  /** A worker by its ID or its name. */
  async get(ref: string, options: RequestOptions = {}): Promise<WorkerHandle> {
    const { transport } = this.#context;
    const id = WORKER_ID.test(ref) ? ref : await this.#findNamed(ref, options);
    return new WorkerHandle(this.#context, await transport.getWorker(id, options));
  }

  /** Workers in the order of their creation: `for await` yields all, `await` returns the first page. */
  list(query: WorkerFilter = {}, options: PageOptions = {}): PagedList<WorkerHandle> {
    return new PagedList(async (cursor = options.cursor) => {
      const page = await this.#context.transport.listWorkers(query, { ...options, cursor });
      return { ...page, items: page.items.map((info) => new WorkerHandle(this.#context, info)) };
    });
  }

  /** The worker that has the name and has not ended; otherwise the last one that had it. */
  async #findNamed(name: string, options: RequestOptions): Promise<string> {
    let last: string | undefined;
    for await (const { id, info } of this.list({ name }, options)) {
      if (info.desired === 'running' && info.status !== 'STOPPED' && info.status !== 'FAILED') return id;
      last = id;
    }
    if (last !== undefined) return last;
    throw new ManagerError('not_found', `There is no worker with the name ${name}.`, { status: 404 });
  }

  /** Ends the body of a worker and deletes its record. */
  delete(id: string, options: ChangeOptions & { reason?: string | undefined } = {}): Promise<void> {
    return this.#context.transport.deleteWorker(id, options);
  }
}
