import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { type Line, LineReader, LineSplitter, type Piece } from './lines.ts';
import type { Starter } from './starter.ts';

/** Between the end of the agent and SIGKILL to what it has left behind. */
const LEFTOVER_GRACE_MS = 500;
/** Silence of a pipe that something outside the group still holds, after which nobody waits for it any longer. */
const SILENCE_MS = 1000;
const POLL_MS = 25;
/** Bytes of prompts that the agent has not read yet; more is refused. */
const STDIN_LIMIT = 4 * 1024 ** 2;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** What to start, and who hears it. */
export interface AgentOrder {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  /** A process that waits to become the agent, where there is one. */
  starter?: Starter | undefined;
  onPiece: (stream: 'stdout' | 'stderr', piece: Piece) => void;
  /** Where stdout is a protocol of lines: gets each of them whole, instead of `onPiece`. */
  onLine?: (line: Line) => void;
  /** Pipes beside the three, from descriptor 3 on; see `channel`. */
  channels?: number;
  /** Ends by force what has left the agent's group, where that can be found. */
  killRest: (group: number) => Promise<void>;
}

/** The agent as processes: a session and group of its own, its three pipes, and its end. */
export class Agent {
  readonly #child: ChildProcess;
  readonly #group: number;
  readonly #killRest: AgentOrder['killRest'];
  #lastReadAt = 0;
  #paused = false;
  #hurry = false;
  #closed = false;
  readonly #flushes: (() => void)[] = [];
  /** Settles when the agent itself has ended; its group may live on. */
  readonly exited: Promise<Exit>;

  /** Starts the program; throws what the system says (`code` ENOENT, EACCES …) where it cannot. */
  static async start(order: AgentOrder): Promise<Agent> {
    const [program = '', ...args] = order.argv;
    const stdio = Array.from({ length: 3 + (order.channels ?? 0) }, () => 'pipe' as const);
    const { cwd, env, starter } = order;
    const waiting = order.channels ? undefined : starter?.become(order);
    const child = waiting ?? spawn(program, args, { cwd, env, detached: true, stdio });
    // Listening begins at once: a short-lived agent may end before anything is awaited.
    const agent = child.pid === undefined ? undefined : new Agent(child, child.pid, order);
    if (agent) return agent;
    throw await new Promise((resolve) => child.once('error', resolve));
  }

  private constructor(child: ChildProcess, group: number, order: AgentOrder) {
    this.#child = child;
    this.#killRest = order.killRest;
    this.#group = group;
    this.exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
    child.once('close', () => {
      this.#closed = true;
    });
    child.on('error', () => {});
    // An agent that does not read is no error of ours; the write's own callback tells.
    child.stdin?.on('error', () => {});
    const { onPiece, onLine } = order;
    if (onLine) this.#listen(child.stdout, new LineReader(), onLine);
    else this.#listen(child.stdout, new LineSplitter(), (piece) => onPiece('stdout', piece));
    this.#listen(child.stderr, new LineSplitter(), (piece) => onPiece('stderr', piece));
  }

  get pid(): number {
    return this.#group;
  }

  /** Whether nobody holds any of its pipes any longer. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Our end of one of the further pipes. */
  channel(descriptor: number): Duplex {
    return this.#child.stdio[descriptor] as Duplex;
  }

  /** Hands text to the agent; answers why it could not be, or undefined once the agent's pipe has it. */
  write(text: string): Promise<string | undefined> {
    const stdin = this.#child.stdin;
    if (!stdin?.writable) return Promise.resolve('stdin_closed');
    if (stdin.writableLength + text.length > STDIN_LIMIT) return Promise.resolve('stdin_full');
    return new Promise((resolve) =>
      stdin.write(text, (error) => resolve(error ? 'stdin_closed' : undefined)),
    );
  }

  closeInput(): void {
    this.#child.stdin?.end();
  }

  /** Stops reading, so that the agent has to wait once its pipe is full. */
  pause(): void {
    this.#paused = true;
    this.#child.stdout?.pause();
    this.#child.stderr?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#child.stdout?.resume();
    this.#child.stderr?.resume();
  }

  /** Tells the last lines although no newline has ended them yet. */
  flush(): void {
    for (const flush of this.#flushes) flush();
  }

  /** Sends a signal to every process of the group; answers whether there was one. */
  signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.#group, signal);
    } catch {
      return false;
    }
  }

  /** What is left of the group is killed without a grace from now on. */
  kill(): void {
    this.#hurry = true;
    this.signal('SIGKILL');
  }

  /** After the agent's end: ends what it has left behind and reads its pipes to their end, or to `hardAt`. */
  async gather(hardAt: () => number): Promise<void> {
    const since = performance.now();
    while (!this.#hurry && this.signal(0) && performance.now() - since < LEFTOVER_GRACE_MS) await pause();
    this.signal('SIGKILL');
    await this.#killRest(this.#group);
    this.#lastReadAt = performance.now();
    while (!this.#closed && performance.now() < hardAt()) {
      // Only what has left the group can still hold a pipe. Waiting for Redis is no silence.
      if (this.#paused) this.#lastReadAt = performance.now();
      if (performance.now() - this.#lastReadAt > SILENCE_MS) break;
      await pause();
    }
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  #listen<T>(pipe: Readable | null, cutter: Cutter<T>, hear: (text: T) => void): void {
    const flush = () => {
      for (const text of cutter.flush()) hear(text);
    };
    this.#flushes.push(flush);
    pipe?.on('data', (chunk: Buffer) => {
      this.#lastReadAt = performance.now();
      for (const text of cutter.push(chunk)) hear(text);
    });
    pipe?.once('end', flush);
    pipe?.once('close', flush);
    pipe?.on('error', flush);
  }
}

interface Cutter<T> {
  push(chunk: Buffer): T[];
  flush(): T[];
}

/** The exit code by which a shell would tell such an end. */
export function codeOf({ code, signal }: Exit): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** For people: how the agent's process ended. */
export function describe({ code, signal }: Exit): string {
  return signal ? `The agent was ended by ${signal}.` : `The agent exited with code ${code}.`;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
