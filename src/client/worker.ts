import { type ClientContext, withWait } from './client-context.ts';
import { CommandCollection } from './commands.ts';
import { lastEntryId, type ReadOptions, readEntries } from './entries.ts';
import { ManagerError } from './errors.ts';
import { FileCollection } from './files.ts';
import { toForkFields } from './fork.ts';
import { newKey } from './new-key.ts';
import type { ChangeOptions, RequestOptions } from './request-options.ts';
import { TerminalCollection } from './terminals.ts';
import type { StreamItem, WorkerAction } from './transport.ts';
import { PendingTurn, TurnHandle } from './turn.ts';
import type {
  ChangesQuery,
  CheckpointInfo,
  DockerfileInfo,
  ExplanationInfo,
  PortLinkInfo,
  WaitCondition,
  WorkerEvent,
  WorkerInfo,
  WorkerInput,
  WorkerOutput,
  WorkerSpecInfo,
} from './types.ts';
import type { ForkOptions, SendOptions, WaitOptions } from './worker-options.ts';

/**
 * One worker. `info` is what the manager last reported; `refresh` and every act update it.
 *
 * With `await using`, the worker is deleted at the end of the block.
 */
export class WorkerHandle {
  readonly id: string;
  /** Commands in the worker, beside its agent. */
  readonly commands: CommandCollection;
  /** The files in its workspace. */
  readonly files: FileCollection;
  /** Terminals in the worker. */
  readonly pty: TerminalCollection;
  readonly #context: ClientContext;
  #info: WorkerInfo;

  constructor(context: ClientContext, info: WorkerInfo) {
    this.#context = context;
    this.id = info.worker_id;
    this.commands = new CommandCollection(context, this.id);
    this.files = new FileCollection(context, this.id);
    this.pty = new TerminalCollection(context, this.id);
    this.#info = info;
  }

  /** The worker as the manager last reported it to this object. */
  get info(): WorkerInfo {
    return this.#info;
  }

  get name(): string | undefined {
    return this.#info.name ?? undefined;
  }

  /** `STARTING`, `RUNNING`, `STOPPED` or `FAILED`, when it was last read. */
  get status(): string {
    return this.#info.status;
  }

  async refresh(options: RequestOptions = {}): Promise<this> {
    this.#info = await this.#context.transport.getWorker(this.id, options);
    return this;
  }

  /** Sends a prompt. `await` waits until the manager has stored it; the turn has the agent's answer. */
  send(content: string, options: SendOptions = {}): PendingTurn {
    return new PendingTurn(this.#send(content, options));
  }

  /** The turn of a prompt that was sent before, as long as the manager keeps its output. */
  turn(requestId: string): TurnHandle {
    return this.#openTurn(requestId);
  }

  /**
   * What the agent wrote, from the oldest entry that is kept, and what it writes, until the worker has ended. A broken
   * connection is opened again without losing or repeating an entry.
   */
  async *output(options: ReadOptions = {}): AsyncGenerator<WorkerOutput> {
    yield* this.#entries<WorkerOutput>('output', options);
  }

  /**
   * The worker's history: what the manager observed, decided and did, until the worker is deleted. Options as for
   * `output`.
   */
  async *events(options: ReadOptions = {}): AsyncGenerator<WorkerEvent> {
    yield* this.#entries<WorkerEvent>('events', options);
  }

  /**
   * Waits until the worker is `running`, `ready` (accepts prompts) or `ended` (STOPPED or FAILED). Throws a
   * `ManagerError`: `conflict` with the reason if that can no longer happen, and status 504 after `timeoutSeconds`.
   */
  async wait(
    condition: WaitCondition,
    options: { timeoutSeconds?: number | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<this> {
    this.#info = await withWait(this.#context, this.id, condition, options);
    return this;
  }

  /** Ends the body and keeps the record. */
  stop(options: WaitOptions = {}): Promise<this> {
    return this.#act('stop', options);
  }

  /** Starts a stopped or failed worker again. */
  start(options: WaitOptions = {}): Promise<this> {
    return this.#act('start', options);
  }

  /** Ends the body and starts another. */
  restart(options: WaitOptions = {}): Promise<this> {
    return this.#act('restart', options);
  }

  /** Asks the agent to end its current turn. */
  interrupt(options: ChangeOptions = {}): Promise<void> {
    return this.#context.transport.interruptWorker(this.id, options);
  }

  /** Ends the body and deletes the record. A worker that is already deleted is a success. */
  delete(options: ChangeOptions & { reason?: string | undefined } = {}): Promise<void> {
    return this.#context.transport.deleteWorker(this.id, options);
  }

  /** Saves the workspace while the worker runs, with the conversation after the last turn. */
  checkpoint(options: RequestOptions = {}): Promise<CheckpointInfo> {
    return this.#context.transport.createCheckpoint(this.id, options);
  }

  /**
   * Creates a worker with this one's spec, files and conversation as they are now, or as they were in `checkpoint`. The name
   * and the prompt are not taken over; `input` changes other fields.
   */
  async fork(input: Partial<WorkerInput> = {}, options: ForkOptions = {}): Promise<WorkerHandle> {
    const { transport } = this.#context;
    const { checkpoint, wait, timeoutSeconds, ...change } = options;
    const { signal } = change;
    const id = checkpoint ?? (await this.checkpoint({ signal })).checkpoint_id;
    const { spec } = await transport.getCheckpoint(id, { signal });
    const fields = { ...toForkFields(id, spec), ...input } as WorkerInput;
    const idempotencyKey = change.idempotencyKey ?? newKey();
    const info = await transport.createWorker(fields, { ...change, idempotencyKey });
    const worker = new WorkerHandle(this.#context, info);
    return wait ? worker.wait(wait, { timeoutSeconds, signal }) : worker;
  }

  /** What has changed in the workspace since it was filled, or since HEAD, as git shows it. */
  changes({ since, format, ...options }: ChangesQuery & RequestOptions = {}): Promise<string> {
    return this.#context.transport.getChanges(this.id, { since, format }, options);
  }

  /** The URL of a port of the worker, for requests of programs with the token as `Authorization: Bearer`. */
  getHost(port: number, path = '/'): string {
    return this.#context.transport.getPortUrl(this.id, port, path);
  }

  /** A link to a port of the worker, with which a browser gets access to it; it works once, within a minute. */
  createPortLink(port: number, options: RequestOptions = {}): Promise<PortLinkInfo> {
    return this.#context.transport.createPortLink(this.id, port, options);
  }

  /** What the manager would do next, and why. */
  explain(options: RequestOptions = {}): Promise<ExplanationInfo> {
    return this.#context.transport.explainWorker(this.id, options);
  }

  /** The worker's fields as they were accepted. */
  spec(options: RequestOptions = {}): Promise<WorkerSpecInfo> {
    return this.#context.transport.getWorkerSpec(this.id, options);
  }

  /** The Dockerfile of its image, and the image's name; `unsupported` if the manager builds none for it. */
  dockerfile(options: RequestOptions = {}): Promise<DockerfileInfo> {
    return this.#context.transport.getWorkerDockerfile(this.id, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.delete().catch((error: unknown) => {
      if (!(error instanceof ManagerError && error.code === 'not_found')) throw error;
    });
  }

  async #send(content: string, options: SendOptions): Promise<TurnHandle> {
    const { transport, policy } = this.#context;
    const { deadlineSeconds, retry, signal, ...rest } = options;
    const source = { kind: 'output', workerId: this.id } as const;
    const since = await lastEntryId(transport, source, policy, signal);
    const idempotencyKey = rest.idempotencyKey ?? newKey();
    const limit = deadlineSeconds !== undefined && { deadline_seconds: deadlineSeconds };
    const prompt = { content, ...limit, ...(retry !== undefined && { retry }) };
    const change = { ...rest, idempotencyKey, signal };
    const { request_id: requestId } = await transport.sendPrompt(this.id, prompt, change);
    return this.#openTurn(requestId, since);
  }

  #openTurn(requestId: string, since?: string): TurnHandle {
    return new TurnHandle({
      workerId: this.id,
      requestId,
      read: (stop) => this.output({ since, signal: stop }),
      checkTurns: () => this.#checkTurns(),
      interrupt: () => this.interrupt(),
    });
  }

  async #act(action: WorkerAction, { wait, timeoutSeconds, ...change }: WaitOptions): Promise<this> {
    this.#info = await this.#context.transport.actOnWorker(this.id, action, change);
    if (wait) await this.wait(wait, { timeoutSeconds, signal: change.signal });
    return this;
  }

  async *#entries<T>(kind: 'output' | 'events', options: ReadOptions): AsyncGenerator<T> {
    const { transport, policy } = this.#context;
    const items = readEntries(transport, { kind, workerId: this.id }, options, policy);
    for await (const item of items) yield toEntry<T>(item);
  }

  /** Rejects for a program that receives and writes plain lines, in which the end of a turn cannot be seen. */
  async #checkTurns(): Promise<void> {
    if (this.#info.agent_type !== 'CUSTOM') return;
    const { protocol = 'lines', exit_after_prompt = false } = await this.spec();
    if (protocol !== 'lines' || exit_after_prompt) return;
    const what = `The worker ${this.id} uses the protocol lines, which has no turns: iterate the turn or worker.output(), or create it with the protocol json or acp.`;
    throw new ManagerError('unsupported', what, { workerId: this.id, status: 422 });
  }
}

/** An entry with its ID, from which reading can resume. */
export const toEntry = <T>({ id, data }: StreamItem): T => ({ ...data, id }) as T;
