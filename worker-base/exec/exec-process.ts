/**
 * One process that was started in the body for a client: its input, its output and its end with all children.
 *
 * Invariants: it ends exactly once, and only after its output was read or abandoned; whatever it writes, memory is bounded;
 * while readers keep up nothing is lost, and a reader that is too slow makes the process wait.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { type LongTimer, setLongTimer } from '../../src/queue/long-timer.ts';
import { type Exit, endingSignal, getExitCode, isRealTime, realTimeName } from '../agent/exit.ts';
import { bufferUnread } from '../agent/unread-output.ts';
import { ConfineReport, withReport } from '../sandbox/confine-report.ts';
import type { ExecOptions } from './exec-options.ts';
import type { ProcessEnd } from './format.ts';
import { type OutputStream, ProcessOutput } from './process-output.ts';
import { writeInput } from './write-input.ts';

/** Time in milliseconds between SIGTERM and SIGKILL after a timeout. */
const GRACE_MS = 1000;
/** Children that still hold its output after its end may finish within this time. */
const LEFTOVER_MS = 500;
/** A pipe that stays open after everything was killed is abandoned after this time. */
const ABANDON_MS = 1000;
const REPORT = 3;

/** A reader of the output: where it is, and how it is woken. */
export interface OutputReader {
  position: number;
  wake: () => void;
}

export class ExecProcess {
  readonly log: ProcessOutput;
  /** Resolves when it has ended and all of its output is in the log; never rejects. */
  readonly ended: Promise<ProcessEnd>;
  readonly #options: ExecOptions;
  readonly #child: ChildProcess;
  readonly #group: number;
  readonly #report: ConfineReport | undefined;
  readonly #readers = new Set<OutputReader>();
  readonly #pipes: Readable[];
  #writing: Promise<unknown> = Promise.resolve();
  readonly #close: Promise<void>;
  #closed = false;
  #paused = false;
  #timer: LongTimer | undefined;
  #timedOut = false;
  #killed: string | undefined;
  #killing: Promise<void> | undefined;
  #signal: number | undefined;
  end: ProcessEnd | undefined;

  /** Starts it; throws the system's error (`code` ENOENT …) if that is impossible. */
  static async start(options: ExecOptions): Promise<ExecProcess> {
    const confined = withReport(options.argv, REPORT);
    const [program = '', ...args] = confined ?? options.argv;
    const { cwd, env, stdin, openStdin } = options;
    const input = stdin || openStdin ? 'pipe' : 'ignore';
    const stdio = [input, 'pipe', 'pipe', ...(confined ? (['pipe'] as const) : [])] as const;
    const child = spawn(program, args, { cwd, env, detached: true, stdio: [...stdio] });
    if (child.pid === undefined) throw await new Promise((resolve) => child.once('error', resolve));
    const report = confined && new ConfineReport(child.stdio[REPORT] as Duplex);
    const unread = report && bufferUnread(child);
    const process = new ExecProcess(child, child.pid, options, report);
    await report?.begun;
    if (report?.failure) {
      for (const pipe of process.#pipes) pipe.destroy();
      throw report.failure;
    }
    process.#read();
    unread?.release();
    return process;
  }

  private constructor(
    child: ChildProcess,
    group: number,
    options: ExecOptions,
    report: ConfineReport | undefined,
  ) {
    this.#child = child;
    this.#group = group;
    this.#options = options;
    this.#report = report;
    this.#pipes = [child.stdout, child.stderr].filter((pipe) => pipe !== null);
    this.log = new ProcessOutput(options.limit);
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    this.#close = new Promise((resolve) =>
      child.once('close', () => {
        this.#closed = true;
        resolve();
      }),
    );
    const exited = new Promise<Exit>((resolve) =>
      child.once('exit', (code, signal) => {
        const number = report?.signal ?? this.#signal;
        const unnamed = number !== undefined && isRealTime(number);
        resolve(unnamed ? { code: null, signal: realTimeName(number) } : { code, signal });
      }),
    );
    this.ended = exited.then((exit) => this.#finish(exit));
    if (options.timeoutSeconds !== undefined)
      this.#timer = setLongTimer(() => void this.#expire(), options.timeoutSeconds * 1000);
    if (options.stdin) child.stdin?.end(options.stdin);
  }

  get pid(): number {
    return this.#report?.pid ?? this.#group;
  }

  get stdinOpen(): boolean {
    return this.#child.stdin?.writable === true && this.end === undefined;
  }

  /** Joins as a reader from that offset on: the process waits for it. Returns the function that leaves. */
  join(reader: OutputReader): () => void {
    this.#readers.add(reader);
    return () => {
      this.#readers.delete(reader);
      this.balance();
    };
  }

  /** Pauses or resumes the process after a reader has moved. */
  balance(): void {
    const slowest = Math.min(...[...this.#readers].map(({ position }) => position));
    const lag = this.log.end - slowest;
    const window = this.#options.limit() / 4;
    if (!this.#paused && lag > window) {
      this.#paused = true;
      for (const pipe of this.#pipes) pipe.pause();
    } else if (this.#paused && !(lag > window / 2)) {
      this.#paused = false;
      for (const pipe of this.#pipes) pipe.resume();
    }
  }

  /**
   * Writes to its input as fast as it reads, and then closes it if `close`. One writer after the other. Throws a Fault
   * `conflict` if the input is closed. Resolves with the number of bytes.
   */
  writeInput(source: AsyncIterable<Buffer>, close: boolean): Promise<number> {
    const write = this.#writing.then(() =>
      writeInput(this.stdinOpen ? this.#child.stdin : null, source, close),
    );
    this.#writing = write.catch(() => {});
    return write;
  }

  /** Sends a signal to it and its children; returns whether there was one. */
  signal(signal: NodeJS.Signals): boolean {
    try {
      return process.kill(-this.#group, signal);
    } catch {
      return false;
    }
  }

  /** Kills it with all its children, also those that left its group; `why` is reported. */
  async kill(why: string): Promise<void> {
    if (this.end) return;
    this.#killed ??= why;
    await this.#killAll();
  }

  /** Kills its group only, for a caller that kills what has left the groups of many at once. */
  killGroup(why: string): void {
    if (this.end) return;
    this.#killed ??= why;
    this.signal('SIGKILL');
  }

  #killAll(): Promise<void> {
    this.#killing ??= (async () => {
      this.signal('SIGKILL');
      await this.#options.killRest(this.#group).catch(() => {});
      this.#killing = undefined;
    })();
    return this.#killing;
  }

  async #expire(): Promise<void> {
    this.#timedOut = true;
    this.signal('SIGTERM');
    await Promise.race([this.ended, delay(GRACE_MS)]);
    if (!this.end) await this.#killAll();
  }

  #read(): void {
    for (const stream of ['stdout', 'stderr'] as const satisfies OutputStream[]) {
      const pipe = this.#child[stream];
      pipe?.on('data', (bytes: Buffer) => {
        this.log.append(stream, bytes);
        this.#options.onOutput();
        for (const reader of this.#readers) reader.wake();
        this.balance();
      });
      // Read before Node reaps the process, because Node reports a real-time signal as exit code 0.
      pipe?.once('end', () => {
        this.#signal ??= endingSignal(this.#group);
      });
      pipe?.on('error', () => {});
    }
  }

  async #finish(exit: Exit): Promise<ProcessEnd> {
    this.#timer?.cancel();
    const killed = this.#killed !== undefined || this.#timedOut;
    const code = getExitCode(exit);
    const oom = !killed && (exit.signal === 'SIGKILL' || code === 137) && this.#options.outOfMemory();
    await this.#drain(killed ? 0 : LEFTOVER_MS);
    // What has closed its output and left the group runs on, as a daemon that a shell starts does.
    this.signal('SIGKILL');
    await this.#killing;
    if (!this.#closed) {
      await this.#killAll();
      await this.#drain(ABANDON_MS);
      for (const pipe of this.#pipes) pipe.destroy();
    }
    this.#child.stdin?.destroy();
    const why = oom ? 'It was killed by the kernel: the memory of the body is used up.' : this.#killed;
    this.end = {
      exit_code: this.#timedOut ? 124 : code,
      signal: exit.signal,
      ...(oom && { oom }),
      ...(this.#timedOut && {
        timed_out: true,
        error: `It was ended after ${this.#options.timeoutSeconds} s.`,
      }),
      ...(why && { error: why }),
    };
    for (const reader of this.#readers) reader.wake();
    return this.end;
  }

  /** Waits for the end of its output; the time in which a reader makes it wait does not count. */
  async #drain(ms: number): Promise<void> {
    for (let left = ms; !this.#closed && left >= 0; ) {
      const before = performance.now();
      await Promise.race([this.#close, delay(Math.min(25, left + 1))]);
      if (!this.#paused) left -= performance.now() - before;
    }
  }
}
