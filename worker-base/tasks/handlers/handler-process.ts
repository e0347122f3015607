import { randomUUID } from 'node:crypto';
import { takeTail } from '../../../src/model/values/cut.ts';
import { AgentProcess } from '../../agent/agent-process.ts';
import { type Line, LineReader } from '../../agent/line-reader.ts';
import type { Piece } from '../../streams/entry.ts';
import { callLine } from './call-line.ts';
import { failure } from './failure.ts';
import { buildRunnerArgv, describeDeath, type Language } from './language.ts';
import { describeSpawnError, notStarted } from './not-started.ts';
import type { SlotOptions } from './options.ts';
import { RUNNER_GRACE_MS, resolveWithin } from './resolve-within.ts';
import { CALLS, LIFELINE, MESSAGES } from './runner-channels.ts';
import { foreign, type HandlerError, parseRunnerMessage, type RunnerMessage } from './runner-message.ts';
import { RunnerRemains } from './runner-remains.ts';

const START_MS = 60_000;
/** Characters of stderr that the error of a process that died shows. */
const TAIL = 4096;

/** The result of its start; neither of the two if it ended before it was loaded. */
type Loaded = { ready?: string[]; files?: Record<string, string>; failed?: HandlerError };

interface Pending {
  id: number;
  taskId: string;
  name: string;
  onProgress: ((value: unknown) => void) | undefined;
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** The persistent process of one language of a slot, from its start to the end of all its children. */
export class HandlerProcess {
  readonly #agent: AgentProcess;
  readonly #options: SlotOptions;
  #functions: string[] = [];
  #files: ReadonlyMap<string, string> = new Map();
  #pending: Pending | undefined;
  #calls = 0;
  #tail = '';
  #ending = false;
  #loaded = false;
  /** Why its replies are no longer read, if a function has written to the runner's descriptor. */
  #foreign = '';
  /** Settles when none of its processes remains and all of its output is reported. */
  readonly over: Promise<void>;
  #exited = false;
  #over = false;
  #paused = false;
  #held: (() => void) | undefined;

  /** Starts it and loads its files. Throws a TaskError (HandlerNotStarted). */
  static async start(language: Language, files: string[], options: SlotOptions): Promise<HandlerProcess> {
    const slot = randomUUID();
    let resolveReady: (loaded: Loaded) => void = () => {};
    const ready = new Promise<Loaded>((resolve) => {
      resolveReady = resolve;
    });
    const argv = buildRunnerArgv(language, files, options);
    const started: { process?: HandlerProcess } = {};
    const rest = new RunnerRemains(options, slot, () => started.process?.ending === true);
    try {
      const agent = await AgentProcess.start({
        argv: options.wrap?.(argv) ?? argv,
        cwd: options.cwd,
        env: { ...options.env, WORKER_SLOT: slot },
        onPiece: (stream, piece) => started.process?.receive(stream, piece),
        killRest: (group) => rest.end(group),
        channels: 3,
      });
      rest.of = agent;
      started.process = new HandlerProcess(agent, options, rest, resolveReady);
    } catch (error) {
      throw notStarted(files, describeSpawnError(error, argv[0], options.cwd));
    }
    const { process } = started;
    const startMs = options.startMs ?? START_MS;
    const first = Promise.race<Loaded>([ready, process.over.then(() => ({}))]);
    const { ready: functions, files: places = {}, failed } = (await resolveWithin(startMs, first)) ?? {};
    if (functions) {
      process.#functions = functions;
      process.#files = new Map(Object.entries(places));
      return process;
    }
    const tail = process.#tail;
    const ended = process.#over;
    await process.end();
    if (failed) throw notStarted(files, `${failed.type}: ${failed.message}`, failed.traceback);
    if (process.#foreign) throw notStarted(files, process.#foreign, tail);
    throw notStarted(
      files,
      ended ? 'their process ended while loading them.' : `not loaded within ${startMs / 1000} s.`,
      tail,
    );
  }

  private constructor(
    agent: AgentProcess,
    options: SlotOptions,
    rest: RunnerRemains,
    told: (loaded: Loaded) => void,
  ) {
    this.#agent = agent;
    this.#options = options;
    agent.closeInput();
    const reader = new LineReader();
    for (const descriptor of [CALLS, MESSAGES, LIFELINE]) agent.channel(descriptor).on('error', () => {});
    agent.channel(LIFELINE).resume();
    agent.channel(MESSAGES).on('data', (chunk: Buffer) => {
      for (const line of reader.push(chunk)) this.#onMessage(line, told);
    });
    this.over = this.#end(rest);
  }

  get functions(): readonly string[] {
    return this.#functions;
  }

  /** The handler file of each function. */
  get files(): ReadonlyMap<string, string> {
    return this.#files;
  }

  /** It had to end, so its remaining processes are ended as well. */
  get ending(): boolean {
    return this.#ending;
  }

  get alive(): boolean {
    return !this.#exited && !this.#ending;
  }

  /** Runs a function. Rejects with its TaskError; with `HandlerDied` once nothing of the process remains. */
  call(
    { task_id, name, args, kwargs }: { task_id: string; name: string; args: unknown[]; kwargs: object },
    onProgress: ((value: unknown) => void) | undefined,
  ): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    this.#tail = '';
    return new Promise((resolve, reject) => {
      const line = callLine({ id, task_id, function: name, args, kwargs });
      this.#pending = { id, taskId: task_id, name, onProgress, resolve, reject };
      this.#agent.channel(CALLS).write(`${line}\n`);
    });
  }

  /** Stops reading printed output; a result waits for the output before it. */
  pause(): void {
    this.#paused = true;
    this.#agent.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#agent.resume();
    const read = this.#held;
    this.#held = undefined;
    // Reading begins in the next turn of the event loop.
    if (read) setImmediate(read);
  }

  /**
   * Sends SIGTERM, waits for the grace period and sends SIGKILL; settles when none of its processes remains.
   */
  async end(): Promise<void> {
    this.#ending = true;
    this.#agent.signal('SIGTERM');
    await resolveWithin(this.#options.graceMs ?? RUNNER_GRACE_MS, this.#agent.exited);
    this.#agent.kill();
    await this.over;
  }

  receive(stream: 'stdout' | 'stderr', piece: Piece): void {
    if (stream === 'stderr')
      this.#tail = takeTail(`${this.#tail}${piece.text}${piece.partial ? '' : '\n'}`, TAIL);
    this.#options.onOutput(stream, piece, this.#pending?.taskId);
  }

  #onMessage({ text, cut }: Line, told: (loaded: Loaded) => void): void {
    const pending = this.#pending;
    if (this.#foreign) return;
    if (cut && pending) {
      const error = { type: 'NotSerialisable', message: 'the result is longer than 16 MiB' };
      this.#settle(pending, { error });
      return;
    }
    const answer = cut ? undefined : parseRunnerMessage(text);
    if (!answer || !this.#isDue(answer)) this.#disown(text);
    else if ('ready' in answer || 'failed' in answer) {
      this.#loaded = true;
      told(answer);
    } else if (!pending || (answer.id !== undefined && answer.id !== pending.id)) return;
    else if ('progress' in answer) pending.onProgress?.(answer.progress);
    else this.#settle(pending, answer);
  }

  /**
   * Whether the runner can have sent this message by now. Late messages for a call that is over are ignored:
   * a thread may report progress at the very end, and a function that wrote a reply itself must not affect
   * the next call.
   */
  #isDue(answer: RunnerMessage): boolean {
    if ('ready' in answer || 'failed' in answer) return !this.#loaded;
    return this.#loaded && (answer.id ?? 0) <= this.#calls;
  }

  /**
   * The runner's messages can no longer be distinguished from a function's output, so the process ends as
   * HandlerDied.
   */
  #disown(text: string): void {
    this.#foreign = foreign(text);
    if (!this.#ending) void this.end();
  }

  #settle(pending: Pending, answer: { result: unknown } | { error: HandlerError }): void {
    if (this.#paused) {
      this.#held = () => this.#settle(pending, answer);
      return;
    }
    // Output before the reply is read in the same turn of the event loop, and belongs to the task.
    setImmediate(() => {
      if (this.#pending !== pending) return;
      this.#agent.flush();
      this.#pending = undefined;
      if ('result' in answer) pending.resolve(answer.result);
      else pending.reject(failure(answer.error.type, answer.error.message, answer.error.traceback));
    });
  }

  async #end(rest: RunnerRemains): Promise<void> {
    const exit = await this.#agent.exited;
    this.#exited = true;
    const readUntil = () => (this.#paused ? Number.POSITIVE_INFINITY : rest.readUntil());
    await this.#agent.gather(readUntil).catch(() => {});
    // A child that was not found may hold the pipes as long as it runs.
    for (const descriptor of [CALLS, MESSAGES, LIFELINE]) this.#agent.channel(descriptor).destroy();
    this.#over = true;
    const pending = this.#pending;
    this.#pending = undefined;
    if (!pending) return;
    const message = this.#foreign
      ? `The process of the function ${pending.name} was ended: ${this.#foreign}`
      : describeDeath(exit, pending.name, this.#options.outOfMemory ?? (() => undefined));
    pending.reject(failure('HandlerDied', message, this.#tail));
  }
}
