/**
 * The slots of a task worker: where handlers run. A slot is one persistent process for each language of the handlers,
 * and runs one call at a time; a worker has as many slots as tasks at once.
 *
 * What always holds: a call settles exactly once, with a result or a TaskError; when it settles, nothing of a call that
 * was aborted lives; no function can take down more than its own slot's processes, and the slot has fresh ones for the next
 * call. Nothing here knows queues, Redis, retries or time limits: whoever calls has a signal.
 */
import { extname } from 'node:path';
import { runCommand } from './command.ts';
import { HandlerProcess, type Language } from './handler-process.ts';
import type { Call, CallHooks, SlotOptions } from './options.ts';
import { aborted, TaskError } from './task-error.ts';

export type { Call, CallHooks, CommandResult, SlotOptions } from './options.ts';
export { TaskError } from './task-error.ts';

const LANGUAGES: Record<string, Language> = {
  '.py': 'python',
  '.js': 'javascript',
  '.mjs': 'javascript',
  '.cjs': 'javascript',
  '.ts': 'javascript',
  '.mts': 'javascript',
  '.cts': 'javascript',
};

/** One place of a worker at which one task runs at a time. */
export class Slot {
  readonly #options: SlotOptions;
  readonly #files = new Map<Language, string[]>();
  readonly #processes = new Map<Language, Promise<HandlerProcess>>();
  readonly #languages = new Map<string, Language>();
  readonly #stopping = new AbortController();
  #call: Promise<unknown> | undefined;
  #paused = false;

  constructor(options: SlotOptions) {
    this.#options = options;
  }

  /** Starts the processes and loads the files; answers the functions' names. Throws a TaskError (HandlerNotStarted). */
  async start(): Promise<string[]> {
    for (const path of this.#options.handlers) {
      const language = LANGUAGES[extname(path)];
      if (!language)
        throw notStarted(`${path} is no handler file: it has to end in ${Object.keys(LANGUAGES).join(' ')}.`);
      this.#files.set(language, [...(this.#files.get(language) ?? []), path]);
    }
    try {
      const started = [...this.#files.keys()].map(async (language) => ({
        language,
        functions: (await this.#process(language)).functions,
      }));
      for (const { language, functions } of await Promise.all(started)) {
        const twice = functions.find((name) => this.#languages.has(name));
        if (twice !== undefined)
          throw notStarted(`two functions are named "${twice}", one in Python and one in JavaScript.`);
        for (const name of functions) this.#languages.set(name, language);
      }
    } catch (error) {
      await this.stop();
      throw error;
    }
    return [...this.#languages.keys()];
  }

  /**
   * Runs one call and answers its result (JSON). Throws a TaskError, in every case. When it settles, nothing of an
   * aborted call lives, and the next call may be made at once. One at a time: a second one meanwhile is a programmer's error.
   */
  async call(call: Call, { signal, onProgress }: CallHooks = {}): Promise<unknown> {
    if (this.#call) throw new Error(`The slot runs a call, and can't take ${call.task_id} beside it.`);
    const ended = signal ? AbortSignal.any([signal, this.#stopping.signal]) : this.#stopping.signal;
    this.#call =
      'command' in call
        ? runCommand(call, this.#options, ended)
        : this.#run({ kwargs: {}, ...call }, ended, onProgress);
    try {
      return await this.#call;
    } finally {
      this.#call = undefined;
    }
  }

  /** Stops reading what functions print, so that who prints waits once the pipe is full. */
  pause(): void {
    this.#paused = true;
    this.#flow();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  /** Ends all processes: SIGTERM, the grace, SIGKILL. A call under way ends as `Aborted`. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The worker ends.'));
    await this.#call?.catch(() => {});
    const started = await Promise.allSettled(this.#processes.values());
    await Promise.all(started.map((one) => (one.status === 'fulfilled' ? one.value.end() : undefined)));
  }

  async #run(
    call: Extract<Call, { function: string }>,
    signal: AbortSignal,
    onProgress: CallHooks['onProgress'],
  ) {
    const { task_id, function: name, args = [], kwargs = {} } = call;
    const language = this.#languages.get(name);
    if (!language) throw new TaskError('UnknownFunction', unknown(name, [...this.#languages.keys()]));
    const process = await this.#process(language);
    if (signal.aborted) throw aborted(signal);
    let end: Promise<void> | undefined;
    const onAbort = () => {
      end = process.end();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await process.call({ task_id, name, args, kwargs }, onProgress);
    } finally {
      signal.removeEventListener('abort', onAbort);
      if (end) await end;
      // The next call finds a fresh one that is ready, or nearly so.
      if (!process.alive && !this.#stopping.signal.aborted) this.#process(language).catch(() => {});
      // biome-ignore lint/correctness/noUnsafeFinally: who has aborted is told that, whatever came meanwhile.
      if (end) throw aborted(signal);
    }
  }

  /** The living process of a language; a new one where the last has ended or could not be started. */
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

function notStarted(reason: string): TaskError {
  return new TaskError('HandlerNotStarted', `The handlers can't be used: ${reason}`);
}

function unknown(name: string, known: string[]): string {
  const offer = known.length > 0 ? `There are ${known.join(', ')}.` : 'This worker has no handlers.';
  return `There is no function ${name} on this worker. ${offer}`;
}
