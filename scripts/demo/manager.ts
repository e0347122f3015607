import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
/** Time in which it releases its lease and its connections. */
const STOP_MS = 10_000;

/** A manager in its own process, which can be killed and started again. */
export class ManagerProcess {
  readonly #env: NodeJS.ProcessEnv;
  readonly #log: string;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #asked = false;

  /** `log` is a file that all its processes write to. */
  constructor(env: NodeJS.ProcessEnv, log: string) {
    this.#env = env;
    this.#log = log;
    process.once('exit', () => this.#child?.kill('SIGKILL'));
  }

  /** Starts it and returns its process ID. */
  start(): number {
    const out = openSync(this.#log, 'a', 0o600);
    // In its own session: Ctrl-C ends the demo, and the demo ends the manager.
    const child = spawn(process.execPath, [MAIN, 'serve'], {
      env: this.#env,
      detached: true,
      stdio: ['ignore', out, out],
    });
    closeSync(out);
    this.#child = child;
    this.#asked = false;
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    return child.pid ?? 0;
  }

  /** Why it ended unexpectedly. */
  get obstacle(): string | undefined {
    const { exitCode = null, signalCode = null } = this.#child ?? {};
    if (this.#asked || (exitCode === null && signalCode === null)) return undefined;
    return `The manager exited with ${signalCode ?? `code ${exitCode}`}.`;
  }

  /** SIGKILL: it cannot clean up. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_MS);
    await this.#end('SIGTERM');
    clearTimeout(late);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#asked = true;
    this.#child?.kill(signal);
    await this.#ended;
  }

  /** Its last log lines, to explain why the demo failed. */
  lastOutput(lines: number): string {
    try {
      return readFileSync(this.#log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    } catch {
      return '';
    }
  }
}
