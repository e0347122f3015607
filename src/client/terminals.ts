/** Terminals in a worker: open one, view one that is open, and close it. */
import type { ClientContext } from './client-context.ts';
import type { TerminalConnection } from './door-transports.ts';
import { ManagerError } from './errors.ts';
import type { RequestOptions } from './request-options.ts';
import { isPassing, retryDelay, sleep } from './retry.ts';
import type { TerminalEnd, TerminalInfo } from './types.ts';

/** The size of a window in characters. */
export interface WindowSize {
  cols: number;
  rows: number;
}

export interface ViewOptions {
  /** Called with the bytes of the terminal. After a broken connection, they draw the whole screen again. */
  onData?: ((bytes: Uint8Array) => void) | undefined;
  /** Called when the size of the terminal changes, before the bytes that are drawn for it. */
  onResize?: ((size: WindowSize) => void) | undefined;
  /** The size of this viewer's window; a terminal is as large as its smallest viewer. */
  cols?: number | undefined;
  rows?: number | undefined;
  /** Ends the view; `wait` rejects with its reason. */
  signal?: AbortSignal | undefined;
}

export interface TerminalOptions extends ViewOptions {
  /** Program and arguments; by default a shell. */
  command?: string[] | undefined;
  /** Directory; by default the workspace. */
  cwd?: string | undefined;
  env?: Record<string, string> | undefined;
  /** Seconds without viewers after which it is closed; 600 by default. */
  lingerSeconds?: number | undefined;
}

/** `worker.pty`: the terminals of a worker. */
export class TerminalCollection {
  readonly #context: ClientContext;
  readonly #workerId: string;

  constructor(context: ClientContext, workerId: string) {
    this.#context = context;
    this.#workerId = workerId;
  }

  /** Opens a terminal and views it; its program's output goes to `onData` from the beginning. */
  async create(options: TerminalOptions = {}): Promise<TerminalHandle> {
    const { command, cwd, env, cols, rows, lingerSeconds, signal } = options;
    const request = {
      ...(command && { command }),
      ...(cwd !== undefined && { cwd }),
      ...(env && { env }),
      ...(cols !== undefined && { cols }),
      ...(rows !== undefined && { rows }),
      ...(lingerSeconds !== undefined && { linger_seconds: lingerSeconds }),
    };
    const info = await this.#context.transport.openTerminal(this.#workerId, request, { signal });
    return this.connect(info.pty_id, options);
  }

  /** Views a terminal that is open. `onData` first gets bytes that draw its screen. */
  async connect(ptyId: string, options: ViewOptions = {}): Promise<TerminalHandle> {
    const { transport } = this.#context;
    const { cols, rows } = options;
    const size = cols !== undefined && rows !== undefined ? { cols, rows } : undefined;
    const connection = await transport.viewTerminal(this.#workerId, ptyId, size);
    return new TerminalHandle(this.#context, this.#workerId, ptyId, { ...options, size, connection });
  }

  /** Those whose program runs, and the last ones that have ended. */
  list(options: RequestOptions = {}): Promise<TerminalInfo[]> {
    return this.#context.transport.listTerminals(this.#workerId, options);
  }

  /** Kills the program with all its children; returns whether there was one. */
  async kill(ptyId: string, options: RequestOptions = {}): Promise<boolean> {
    try {
      await this.#context.transport.closeTerminal(this.#workerId, ptyId, options);
      return true;
    } catch (error) {
      if (error instanceof ManagerError && error.code === 'not_found') return false;
      throw error;
    }
  }
}

/** A terminal that this client views. */
export class TerminalHandle {
  readonly ptyId: string;
  readonly #context: ClientContext;
  readonly #workerId: string;
  readonly #onData: ViewOptions['onData'];
  readonly #onResize: ViewOptions['onResize'];
  readonly #signal: AbortSignal | undefined;
  readonly #ended: Promise<TerminalEnd>;
  #connection: TerminalConnection;
  #size: WindowSize | undefined;
  #isLeft = false;

  constructor(
    context: ClientContext,
    workerId: string,
    ptyId: string,
    options: ViewOptions & { size: WindowSize | undefined; connection: TerminalConnection },
  ) {
    this.#context = context;
    this.#workerId = workerId;
    this.ptyId = ptyId;
    this.#onData = options.onData;
    this.#onResize = options.onResize;
    this.#signal = options.signal;
    this.#size = options.size;
    this.#connection = options.connection;
    this.#signal?.addEventListener('abort', () => this.disconnect(), { once: true });
    this.#ended = this.#follow();
    this.#ended.catch(() => {});
  }

  /** Waits for the end of the program. A broken connection is opened again; the program notices nothing. */
  wait(): Promise<TerminalEnd> {
    return this.#ended;
  }

  /** Types this. Lost if the connection is just broken. */
  sendInput(data: string | Uint8Array): void {
    this.#connection.send(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  /** Changes the size of this viewer's window. */
  resize(size: WindowSize): void {
    this.#size = size;
    this.#connection.send(JSON.stringify({ resize: { cols: size.cols, rows: size.rows } }));
  }

  /** Kills the program with all its children; returns whether there was one. */
  kill(options: RequestOptions = {}): Promise<boolean> {
    return new TerminalCollection(this.#context, this.#workerId).kill(this.ptyId, options);
  }

  /** Leaves the terminal, whose program runs on; `wait` rejects. */
  disconnect(): void {
    this.#isLeft = true;
    this.#connection.close();
  }

  async #follow(): Promise<TerminalEnd> {
    const { transport, policy } = this.#context;
    for (;;) {
      const end = await this.#connection.read(
        (bytes) => this.#onData?.(bytes),
        (size) => this.#onResize?.(size),
      );
      if (end) return end;
      this.#signal?.throwIfAborted();
      if (this.#isLeft) throw new ManagerError('conflict', 'This client has left the terminal.');
      const until = performance.now() + policy.reconnectSeconds * 1000;
      for (let failed = 0; ; failed += 1) {
        try {
          this.#connection = await transport.viewTerminal(this.#workerId, this.ptyId, this.#size);
          break;
        } catch (error) {
          if (!isPassing(error) || performance.now() > until) throw error;
          await sleep(retryDelay(failed, error), this.#signal);
        }
      }
      if (this.#isLeft) this.#connection.close();
    }
  }
}
