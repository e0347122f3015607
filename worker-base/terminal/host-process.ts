/** The process with a body's terminals, as the wrapper sees it: started with the first request, and again if it has ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { TerminalReport } from '../../src/model/doors/terminal-report.ts';
import { Fault } from '../../src/model/values/fault.ts';
import type { FromHost, TerminalAttach, TerminalStart, ToHost } from './messages.ts';

/** Beside the wrapper, in its bundle; for the sources, in the last one. */
const HOST = fileURLToPath(
  new URL(`${import.meta.url.endsWith('.ts') ? '../../dist' : '.'}/terminals.mjs`, import.meta.url),
);

export interface HostEvents {
  active(): void;
  /** A terminal without viewers is to be ended. */
  expired(id: string): void;
}

type Waiting = { resolve(terminals: TerminalReport[]): void; reject(error: Error): void };

export class TerminalHost {
  readonly #env: Record<string, string>;
  readonly #events: HostEvents;
  readonly #program: string;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | undefined;
  #calls = 0;

  /** `env` is all that the process gets of an environment. */
  constructor(env: Record<string, string>, events: HostEvents, program = HOST) {
    this.#env = env;
    this.#events = events;
    this.#program = program;
  }

  /** Throws a Fault: `capacity`, `unsupported` (no terminals on this system), `unavailable`. */
  async start(terminal: TerminalStart): Promise<TerminalReport> {
    const before = this.#child;
    const start = (call: number): ToHost => ({ type: 'start', call, terminal });
    const [started] = await this.#ask(start).catch((error: unknown) => {
      // A process that had ended before has started nothing.
      if (before && this.#child !== before) return this.#ask(start);
      throw error;
    });
    if (!started) throw lost();
    return started;
  }

  /** All terminals, oldest first. */
  async list(): Promise<TerminalReport[]> {
    return this.#child ? this.#ask((call) => ({ type: 'list', call })) : [];
  }

  /** Hands a client's connection over. */
  attach(viewer: TerminalAttach, socket: Duplex): void {
    const child = this.#child;
    if (!child) throw lost();
    child.send({ type: 'attach', viewer } satisfies ToHost, socket as never, (error) => {
      if (error) socket.destroy();
    });
  }

  close(): void {
    this.#child?.kill('SIGKILL');
  }

  #ask(toMessage: (call: number) => ToHost): Promise<TerminalReport[]> {
    const child = this.#open();
    this.#calls += 1;
    const call = this.#calls;
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve, reject });
      child.send(toMessage(call), (error) => error && this.#fail(child));
    });
  }

  #open(): ChildProcess {
    if (this.#child) return this.#child;
    const child = spawn(process.execPath, [this.#program], {
      env: this.#env,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    child.on('message', (message: FromHost) => this.#receive(message));
    child.once('error', () => this.#fail(child));
    child.once('exit', () => this.#fail(child));
    return child;
  }

  #receive(message: FromHost): void {
    if (message.type === 'active') this.#events.active();
    else if (message.type === 'expired') this.#events.expired(message.id);
    else {
      const waiting = this.#waiting.get(message.call);
      this.#waiting.delete(message.call);
      if (message.type === 'answer') waiting?.resolve(message.terminals);
      else waiting?.reject(new Fault(message.code, message.message));
    }
  }

  #fail(child: ChildProcess): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    for (const { reject } of this.#waiting.values()) reject(lost());
    this.#waiting.clear();
  }
}

const lost = () => new Fault('unavailable', 'The terminals of this worker have ended. Try again.');
