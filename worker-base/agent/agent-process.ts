/**
 * `agent/` is the agent as this body sees it: its process and pipes, the lines it prints, its session and the
 * archive of that session.
 *
 * Invariants: no process of the agent outlives its end, and buffered output is bounded. Must not import the
 * code that decides about prompts (`turns/`), and of the Redis streams only limits and types.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfineReport, withReport } from '../sandbox/confine-report.ts';
import type { Piece } from '../streams/entry.ts';
import { type Exit, endingSignal, isRealTime, realTimeName } from './exit.ts';
import { type Line, LineReader, LineSplitter } from './line-reader.ts';
import { Unfinished } from './unfinished-line.ts';
import { bufferUnread } from './unread-output.ts';

/** Time between the end of the agent and SIGKILL to its remaining processes. */
const LEFTOVER_GRACE_MS = 500;
/** A pipe that a process outside the group still holds is abandoned after this time without output. */
const SILENCE_MS = 1000;
/** The rest of a pipe is read long before this after its program has ended. */
const READING_MS = 2000;
const POLL_MS = 25;
/** Bytes of prompts that the agent has not read yet; more are rejected. */
const STDIN_LIMIT = 4 * 1024 ** 2;

/** The program to start, and its listeners. */
export interface AgentProcessOptions {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  onPiece: (stream: 'stdout' | 'stderr', piece: Piece) => void;
  /** Bytes of an unfinished line were read: a sign of life, but not a line. */
  onBytes?: () => void;
  /** For a line protocol on stdout: receives each whole line, instead of `onPiece`. */
  onLine?: (line: Line) => void;
  /** Number of further pipes, from descriptor 3 on; see `channel`. */
  channels?: number;
  /** Kills processes that have left the agent's group, if they can be found. */
  killRest: (group: number) => Promise<void>;
}

/** The agent's processes: a session and group of their own, three pipes, and their end. */
export class AgentProcess {
  readonly #child: ChildProcess;
  readonly #group: number;
  readonly #killRest: AgentProcessOptions['killRest'];
  readonly #report: ConfineReport | undefined;
  /** The signal that is ending it, as the kernel reports it. */
  #signal: number | undefined;
  #lastReadAt = 0;
  #paused = false;
  #hurry = false;
  #closed = false;
  readonly #flushes: (() => void)[] = [];
  /** Settles when the agent itself has ended; its group may live on. */
  readonly exited: Promise<Exit>;

  /** Starts the program, and settles when it is executed; throws the system's error (`code` ENOENT …). */
  static async start(order: AgentProcessOptions): Promise<AgentProcess> {
    const last = 3 + (order.channels ?? 0);
    const confined = withReport(order.argv, last);
    const argv = confined ?? order.argv;
    const [program = '', ...args] = argv;
    const stdio = Array.from({ length: confined ? last + 1 : last }, () => 'pipe' as const);
    const { cwd, env } = order;
    const child = spawn(program, args, { cwd, env, detached: true, stdio });
    if (child.pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
    const reporter = confined && new ConfineReport(child.stdio[last] as Duplex);
    // The listener is added immediately, because a short-lived agent may end before anything is awaited.
    const agent = new AgentProcess(child, child.pid, order, reporter);
    const unread = bufferUnread(child);
    await reporter?.begun;
    if (reporter?.failure) throw reporter.failure;
    // Output waits in the pipes until then, so that the caller can report the start before anything the agent prints.
    agent.#read(order);
    unread.release();
    return agent;
  }

  private constructor(
    child: ChildProcess,
    group: number,
    { killRest }: AgentProcessOptions,
    reporter: ConfineReport | undefined,
  ) {
    this.#child = child;
    this.#killRest = killRest;
    this.#group = group;
    this.#report = reporter;
    this.exited = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        const number = reporter?.signal ?? this.#signal;
        const unnamed = number !== undefined && isRealTime(number);
        resolve(unnamed ? { code: null, signal: realTimeName(number) } : { code, signal });
      }),
    );
    child.once('close', () => {
      this.#closed = true;
    });
    child.on('error', () => {});
    // An agent that does not read is not our error; the callback of the write reports it.
    child.stdin?.on('error', () => {});
  }

  /** The program's own process. */
  get pid(): number {
    return this.#report?.pid ?? this.#group;
  }

  /** The process group of the program and its children, unless they leave it. */
  get group(): number {
    return this.#group;
  }

  /** Whether no process holds any of its pipes any longer. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Our end of one of the further pipes. */
  channel(descriptor: number): Duplex {
    return this.#child.stdio[descriptor] as Duplex;
  }

  /** Writes text to the agent; returns an error message, or undefined once the agent's pipe has the text. */
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

  /** Reports the last lines even without a newline at their end. */
  flush(): void {
    for (const flush of this.#flushes) flush();
  }

  /** Sends a signal to every process of the group; returns whether there was one. */
  signal(signal: NodeJS.Signals | 0): boolean {
    try {
      return process.kill(-this.#group, signal);
    } catch {
      return false;
    }
  }

  /** From now on, the rest of the group is killed without a grace period. */
  kill(): void {
    this.#hurry = true;
    this.signal('SIGKILL');
  }

  /**
   * After the agent's end: kills its remaining processes and reads its pipes to their end, or until `hardAt`.
   */
  async gather(hardAt: () => number): Promise<void> {
    const since = performance.now();
    while (!this.#hurry && this.signal(0) && performance.now() - since < LEFTOVER_GRACE_MS)
      await delay(POLL_MS);
    this.signal('SIGKILL');
    await this.#endRest();
    let before = performance.now();
    let reading = 0;
    this.#lastReadAt = before;
    while (!this.#closed && performance.now() < hardAt()) {
      // Only a process that left the group and was not found can still hold a pipe; it may write as long as
      // it runs.
      // Waiting for Redis is neither silence nor reading.
      const now = performance.now();
      if (this.#paused) this.#lastReadAt = now;
      else reading += now - before;
      before = now;
      if (now - this.#lastReadAt > SILENCE_MS || reading > READING_MS) break;
      await delay(POLL_MS);
    }
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
    // Finds processes that were forked while their parent was being killed.
    if (!this.#closed) await this.#endRest();
  }

  /** A process that cannot be killed does not change how the agent ended; the search for it logs it. */
  #endRest(): Promise<void> {
    return this.#killRest(this.#group).catch(() => {});
  }

  #read({ onPiece, onLine, onBytes = () => {} }: AgentProcessOptions): void {
    const { stdout, stderr } = this.#child;
    if (onLine) this.#listen(stdout, new LineReader(), onLine, onBytes);
    else this.#listen(stdout, new LineSplitter(), (piece) => onPiece('stdout', piece), onBytes);
    this.#listen(stderr, new LineSplitter(), (piece) => onPiece('stderr', piece), onBytes);
  }

  #listen<T>(pipe: Readable | null, cutter: Cutter<T>, onText: (text: T) => void, onBytes: () => void): void {
    const unfinished = new Unfinished(() => {
      for (const text of cutter.release()) onText(text);
    });
    const flush = () => {
      unfinished.end();
      for (const text of cutter.flush()) onText(text);
    };
    this.#flushes.push(flush);
    pipe?.on('data', (chunk: Buffer) => {
      this.#lastReadAt = performance.now();
      const texts = cutter.push(chunk);
      for (const text of texts) onText(text);
      if (cutter.held > 0) onBytes();
      unfinished.note(cutter.held > 0, texts.length > 0);
    });
    pipe?.once('end', () => {
      // Read before Node reaps the process, because Node reports a real-time signal as exit code 0.
      this.#signal ??= endingSignal(this.#group);
      flush();
    });
    pipe?.once('close', flush);
    pipe?.on('error', flush);
  }
}

interface Cutter<T> {
  push(chunk: Buffer): T[];
  /** Bytes of a line that is not finished. */
  held: number;
  release(): T[];
  flush(): T[];
}
