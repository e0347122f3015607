/** Commands in a worker: run one, or start it in the background and come back to it. */
import type { ClientContext } from './client-context.ts';
import { type CommandOptions, toCommandRequest } from './command-request.ts';
import { ManagerError } from './errors.ts';
import type { RequestOptions } from './request-options.ts';
import { isPassing, retryDelay, sleep } from './retry.ts';
import type { CommandEnd, CommandEvent, ProcessInfo } from './types.ts';

/** The end of a command. A command that fails does not throw: look at `exit_code`. */
export interface CommandResult extends CommandEnd {
  process_id: string;
  stdout: string;
  stderr: string;
  /** Bytes of output that were no longer kept when they were read, or not sent. */
  lost_bytes: number;
}

type Listeners = Pick<CommandOptions, 'onStdout' | 'onStderr' | 'signal'>;

export class CommandCollection {
  readonly #context: ClientContext;
  readonly #workerId: string;

  constructor(context: ClientContext, workerId: string) {
    this.#context = context;
    this.#workerId = workerId;
  }

  /**
   * Runs a command line of `/bin/sh`, or a list of program and arguments, and waits for its end. It ends with all its children
   * if `signal` fires. Throws a `ManagerError`: `conflict` if the worker has ended, `unavailable` if the connection is cut
   * before the end.
   */
  run(command: string | string[], options?: CommandOptions & { background?: false }): Promise<CommandResult>;
  /** Starts it, and returns as soon as it runs. It ends with its worker's body at the latest. */
  run(command: string | string[], options: CommandOptions & { background: true }): Promise<CommandHandle>;
  async run(
    command: string | string[],
    options: CommandOptions & { background?: boolean } = {},
  ): Promise<CommandResult | CommandHandle> {
    const { transport } = this.#context;
    const { background, signal, timeoutMs } = options;
    const { request, later } = toCommandRequest(command, options);
    if (background) {
      const info = await transport.startProcess(this.#workerId, request, { signal, timeoutMs });
      const handle = new CommandHandle(this.#context, this.#workerId, info.process_id, options);
      if (later) void handle.sendStdin(later, { close: true }).catch(() => {});
      return handle;
    }
    const stop = new AbortController();
    const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const output = new CommandOutput(options);
    let started = false;
    try {
      for await (const event of transport.runProcess(this.#workerId, request, both)) {
        started = true;
        const end = output.add(event);
        if (end) return end;
        if (event.type === 'started' && later) {
          // A command may end without reading its input.
          const sent = transport.writeToProcess(this.#workerId, event.process_id, later, true, {
            signal: both,
          });
          sent.catch(() => {});
        }
      }
    } catch (error) {
      signal?.throwIfAborted();
      throw started && isPassing(error) ? cut(FOREGROUND, error) : error;
    } finally {
      stop.abort();
    }
    throw cut(FOREGROUND);
  }

  /** The processes that clients have started: those that run, and the last ones in the background that have ended. */
  list(options: RequestOptions = {}): Promise<ProcessInfo[]> {
    return this.#context.transport.listProcesses(this.#workerId, options);
  }

  /** Kills a process with all its children; returns whether there was one. */
  async kill(processId: string, options: RequestOptions = {}): Promise<boolean> {
    try {
      await this.#context.transport.killProcess(this.#workerId, processId, options);
      return true;
    } catch (error) {
      if (error instanceof ManagerError && error.code === 'not_found') return false;
      throw error;
    }
  }

  /** A process that was started before, with its output from the beginning as far as it is kept. */
  connect(processId: string, listeners: Listeners = {}): CommandHandle {
    return new CommandHandle(this.#context, this.#workerId, processId, listeners);
  }

  /** Writes to the input of a process; with `close`, the input ends after it. */
  sendStdin(
    processId: string,
    data: string | Uint8Array,
    options: RequestOptions & { close?: boolean } = {},
  ): Promise<void> {
    return this.connect(processId).sendStdin(data, options);
  }
}

/** A command in the background. */
export class CommandHandle {
  readonly processId: string;
  readonly #context: ClientContext;
  readonly #workerId: string;
  readonly #listeners: Listeners;

  constructor(context: ClientContext, workerId: string, processId: string, listeners: Listeners) {
    this.#context = context;
    this.#workerId = workerId;
    this.processId = processId;
    this.#listeners = listeners;
  }

  /** Waits for its end. A broken connection is opened again, without losing or repeating output. */
  async wait(): Promise<CommandResult> {
    const { transport, policy } = this.#context;
    const { signal } = this.#listeners;
    const output = new CommandOutput(this.#listeners);
    let failingSince: number | undefined;
    for (let failed = 0; ; failed += 1) {
      const stop = new AbortController();
      const both = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
      try {
        const events = transport.readProcess(this.#workerId, this.processId, output.position, both);
        for await (const event of events) {
          failed = 0;
          failingSince = undefined;
          const end = output.add(event);
          if (end) return end;
        }
        throw cut();
      } catch (error) {
        signal?.throwIfAborted();
        failingSince ??= performance.now();
        const late = performance.now() - failingSince > policy.reconnectSeconds * 1000;
        if (!isPassing(error) || late) throw error;
        await sleep(retryDelay(failed, error), signal);
      } finally {
        stop.abort();
      }
    }
  }

  /** Kills it with all its children; returns whether there was something to kill. */
  kill(options: RequestOptions = {}): Promise<boolean> {
    return new CommandCollection(this.#context, this.#workerId).kill(this.processId, options);
  }

  /** Writes to its input; with `close`, the input ends after it. Resolves when the command has taken it. */
  sendStdin(
    data: string | Uint8Array,
    { close = false, ...options }: RequestOptions & { close?: boolean } = {},
  ): Promise<void> {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
    return this.#context.transport.writeToProcess(this.#workerId, this.processId, bytes, close, options);
  }
}

/** Collects the output of a command. */
class CommandOutput {
  readonly #listeners: Listeners;
  readonly #texts = { stdout: [] as string[], stderr: [] as string[] };
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  #lost = 0;
  /** The offset from which reading continues. */
  position = 0;

  constructor(listeners: Listeners) {
    this.#listeners = listeners;
  }

  /** Returns the result after the last event. */
  add(event: CommandEvent): CommandResult | undefined {
    if (event.type === 'stdout' || event.type === 'stderr') {
      this.position = event.offset + event.bytes.length;
      this.#emit(event.type, this.#decoders[event.type].decode(event.bytes, { stream: true }));
    } else if (event.type === 'lost') {
      this.position = event.offset + event.bytes;
      this.#lost += event.bytes;
    } else if (event.type === 'exit') {
      for (const stream of ['stdout', 'stderr'] as const) this.#emit(stream, this.#decoders[stream].decode());
      const { type: _, output_bytes: __, ...end } = event;
      const [stdout, stderr] = [this.#texts.stdout.join(''), this.#texts.stderr.join('')];
      return { ...end, stdout, stderr, lost_bytes: this.#lost };
    }
    return undefined;
  }

  #emit(stream: 'stdout' | 'stderr', text: string): void {
    if (text === '') return;
    this.#texts[stream].push(text);
    const { onStdout, onStderr } = this.#listeners;
    if (stream === 'stdout') onStdout?.(text);
    else onStderr?.(text);
  }
}

const FOREGROUND = ' A command ends with its connection, unless it runs in the background.';

const cut = (more = '', cause?: unknown) =>
  new ManagerError(
    'unavailable',
    `The connection was cut before the command ended: its body, or the manager, has probably ended.${more}`,
    { cause },
  );
