/** Checkpoints: saved workspaces, from which workers can start. */
import type { ClientContext } from './client-context.ts';
import { PagedList } from './paged-list.ts';
import type { PageOptions, RequestOptions } from './request-options.ts';
import type { CheckpointDetailsInfo, CheckpointInfo } from './types.ts';

/** `manager.checkpoints`: the checkpoints of the cell, also those of deleted workers. */
export class CheckpointCollection {
  readonly #context: ClientContext;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** Newest first: `for await` yields all, `await` returns the first page. */
  list(
    { workerId }: { workerId?: string | undefined } = {},
    options: PageOptions = {},
  ): PagedList<CheckpointInfo> {
    const { transport } = this.#context;
    return new PagedList((cursor = options.cursor) =>
      transport.listCheckpoints(workerId, { ...options, cursor }),
    );
  }

  /** A checkpoint, with the spec of its worker. */
  get(id: string, options: RequestOptions = {}): Promise<CheckpointDetailsInfo> {
    return this.#context.transport.getCheckpoint(id, options);
  }

  /** The archive, a tar that is compressed as the checkpoint's `format` says. */
  download(id: string, options: { signal?: AbortSignal | undefined } = {}): Promise<ReadableStream> {
    return this.#context.transport.downloadCheckpoint(id, options.signal);
  }

  async delete(id: string, options: RequestOptions = {}): Promise<void> {
    await this.#context.transport.deleteCheckpoint(id, options);
  }
}
