/** The real command line as a process of its own, in the environment of a manager of the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { MAIN, type ManagerOptions, managerEnv } from '../support/manager.ts';

export interface Run {
  code: number;
  out: string;
  err: string;
}

/** A running verb, to look at and to signal while it runs. */
export interface Running {
  child: ChildProcess;
  out(): string;
  err(): string;
  /** Its end; the code is 128 + n where a signal ended it, as in a shell. */
  done: Promise<Run>;
}

const SIGNALS: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 130, SIGKILL: 137, SIGTERM: 143 };

/** `wm ARGS…` for one cell. */
export function wmOf(options: ManagerOptions) {
  /** `input` is all of its standard input; 'open' leaves that to the test. */
  const start = (args: string[], input?: string, env: Record<string, string> = {}): Running => {
    const [program = '', ...line] = [...(options.under ?? []), process.execPath, MAIN, ...args];
    const child = spawn(program, line, {
      env: { ...managerEnv(options), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      said.out += chunk;
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said.err += chunk;
    });
    child.stdin.on('error', () => {});
    if (input !== 'open') child.stdin.end(input);
    const done = new Promise<Run>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) =>
        resolve({ code: code ?? SIGNALS[signal ?? 'SIGKILL'] ?? -1, ...said }),
      );
    });
    return { child, out: () => said.out, err: () => said.err, done };
  };
  const wm = (...args: string[]) => start(args).done;
  return { wm, start };
}
