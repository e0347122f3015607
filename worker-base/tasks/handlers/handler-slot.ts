/**
 * The slots of a task worker, in which handlers run. A slot is one persistent process for each language of
 * the handlers, and runs one call at a time; a worker has as many slots as concurrent tasks.
 *
 * Invariants: a call settles exactly once, with a result or a TaskError; when an aborted call settles, none
 * of its processes remains; a function can crash only its own slot's processes, and the slot has new ones for
 * the next call. Queues, Redis, retries and time limits are not handled here: the caller has a signal.
 */
import { basename, extname } from 'node:path';
import { runCommand } from './command.ts';
import { aborted, failure } from './failure.ts';
import { HandlerProcess } from './handler-process.ts';
import { getLanguage, type Language } from './language.ts';
import type { CallHooks, SlotOptions, TaskCall } from './options.ts';

export type { CallHooks, CommandOutput, SlotOptions, TaskCall } from './options.ts';

type FunctionCall = Extract<TaskCall, { function: string }>;

const NEVER = new AbortController().signal;

/** One slot of a worker, which runs one task at a time. */
export class HandlerSlot {
  readonly #options: SlotOptions;
  readonly #files = new Map<Language, string[]>();
  readonly #processes = new Map<Language, Promise<HandlerProcess>>();
  readonly #languages = new Map<string, Language>();
  /** The name of each function's file, without its ending. */
  readonly #modules = new Map<string, string>();
  /** Aborts the running call, and all later ones. */
  readonly #stopping = new AbortController();
  #call: Promise<unknown> | undefined;
  #paused = false;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /**
   * Starts the processes and loads the files; returns the functions' names. Throws a TaskError
   * (HandlerNotStarted).
   */
  async start(): Promise<string[]> {
    for (const path of this.#options.handlers) {
      const language = getLanguage(path);
      this.#files.set(language, [...(this.#files.get(language) ?? []), path]);
    }
    try {
      const started = [...this.#files.keys()].map(async (language) => ({
        language,
        process: await this.#process(language),
      }));
      for (const { language, process } of await Promise.all(started)) {
        const { functions, files } = process;
        const twice = functions.find((name) => this.#languages.has(name));
        if (twice !== undefined)
          throw notStarted(`two functions are named "${twice}", one in Python and one in JavaScript.`);
        for (const name of functions) this.#languages.set(name, language);
        for (const [name, path] of files) this.#modules.set(name, basename(path, extname(path)));
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    return [...this.#languages.keys()];
  }

  /**
   * Runs one call and returns its result (JSON). Every error is a TaskError. When it settles, no process of
   * an aborted call remains, and the next call may be made immediately. A second concurrent call is a
   * programming error.
   */
  async call(call: TaskCall, { signal, onProgress }: CallHooks = {}): Promise<unknown> {
    if (this.#call) throw new Error(`The slot is running a call and can't accept ${call.task_id}.`);
    this.#call = this.#begin(call, signal ?? NEVER, onProgress);
    try {
      return await this.#call;
    } finally {
      this.#call = undefined;
    }
  }

  /** Stops reading the output of functions, so that they block once the pipe is full. */
  pause(): void {
    this.#paused = true;
    this.#flow();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  /** Ends all processes: SIGTERM, the grace period, SIGKILL. A running call ends as `Aborted`. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The worker is shutting down.'));
    await this.#call?.catch(() => {});
    const started = await Promise.allSettled(this.#processes.values());
    await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.end() : undefined)));
  }

  #begin(call: TaskCall, signal: AbortSignal, onProgress: CallHooks['onProgress']): Promise<unknown> {
    if (!('command' in call)) return this.#run(call, signal, onProgress);
    return runCommand(call, this.#options, AbortSignal.any([signal, this.#stopping.signal]));
  }

  async #run(call: FunctionCall, signal: AbortSignal, onProgress: CallHooks['onProgress']): Promise<unknown> {
    const { task_id, args = [], kwargs = {} } = call;
    const name = this.#find(call.function);
    const process = await this.#process(name.language);
    let end: Promise<void> | undefined;
    const abort = () => {
      end ??= process.end();
    };
    // Not AbortSignal.any, because it would cost every successful call as well.
    const signals = [signal, this.#stopping.signal];
    const abortedSignal = () => signals.find(({ aborted }) => aborted);
    for (const one of signals) one.addEventListener('abort', abort, { once: true });
    try {
      const call = { task_id, name: name.key, args, kwargs };
      const result = abortedSignal() ? undefined : await process.call(call, onProgress);
      const by = abortedSignal();
      if (by) throw aborted(by);
      return result;
    } catch (error) {
      const by = abortedSignal();
      throw by ? aborted(by) : error;
    } finally {
      for (const one of signals) one.removeEventListener('abort', abort);
      await end;
      // So the next call finds a new process that is ready, or nearly ready.
      if (!process.alive && !this.#stopping.signal.aborted) this.#process(name.language).catch(() => {});
    }
  }

  /** Finds a function by its name, or by `module.name`, in which the module is its file. */
  #find(name: string): { key: string; language: Language } {
    const dot = name.lastIndexOf('.');
    const own = name.slice(dot + 1);
    const inModule = dot > 0 && this.#modules.get(own) === name.slice(0, dot);
    const key = !this.#languages.has(name) && inModule ? own : name;
    const language = this.#languages.get(key);
    if (language) return { key, language };
    const known = [...this.#languages.keys()].join(', ');
    const offer = known ? `Its functions are: ${known}.` : 'It has no handlers.';
    throw failure('UnknownFunction', `This worker has no function ${name}. ${offer}`);
  }

  /** The running process of a language; a new one if the last has ended or could not be started. */
  async #process(language: Language): Promise<HandlerProcess> {
    const before = this.#processes.get(language);
    const known = await before?.catch(() => undefined);
    if (known?.alive) return known;
    const meanwhile = this.#processes.get(language);
    if (meanwhile && meanwhile !== before) return meanwhile;
    if (this.#stopping.signal.aborted) throw aborted(this.#stopping.signal);
    const next = HandlerProcess.start(language, this.#files.get(language) ?? [], this.#options);
    this.#processes.set(language, next);
    const process = await next;
    if (this.#paused) process.pause();
    return process;
  }

  #flow(): void {
    for (const starting of this.#processes.values())
      starting.then(
        (process) => (this.#paused ? process.pause() : process.resume()),
        () => {},
      );
  }
}

function notStarted(reason: string): Error {
  return failure('HandlerNotStarted', `The handlers can't be used: ${reason}`);
}
