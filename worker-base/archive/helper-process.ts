/** A helper command whose input or output is streamed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { takeTail } from '../../src/model/values/cut.ts';

const ERROR_CHARACTERS = 8000;

export interface HelperOptions {
  argv: string[];
  cwd: string;
  /** By which the process runtime finds every process of a body. */
  bodyId: string | undefined;
  path: string | undefined;
  /** The environment of the agent, for what runs with its rights; by default nearly none. */
  env?: Record<string, string>;
  stdio: ['pipe' | 'ignore', 'pipe' | 'ignore', 'pipe'];
  /** In a group of its own, which a stop of the body does not signal; for what happens while the body ends. */
  detached?: boolean;
}

export interface HelperEnd {
  /** `null` if a signal ended it, or it could not be started. */
  code: number | null;
  signal?: string | null;
  /** The last lines that it wrote to stderr, printable. */
  lines: string[];
}

/** Starts it; `ended` never rejects. */
export function startHelper({
  argv,
  cwd,
  bodyId,
  path,
  stdio,
  env: given,
  detached = false,
}: HelperOptions): {
  child: ChildProcess;
  ended: Promise<HelperEnd>;
} {
  const [program = '', ...args] = argv;
  const env = given ?? {
    ...(bodyId !== undefined && { WORKER_BODY_ID: bodyId }),
    PATH: path,
    LC_ALL: 'C',
    HOME: '/nonexistent',
  };
  const child = spawn(program, args, { cwd, env, stdio, detached });
  let text = '';
  child.stdin?.on('error', () => {});
  child.stdout?.on('error', () => {});
  child.stderr?.setEncoding('utf8').on('data', (part: string) => {
    text = takeTail(text + part, ERROR_CHARACTERS);
  });
  const ended = new Promise<HelperEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, lines: [error.message] }));
    child.once('close', (code, signal) =>
      resolve({
        code,
        signal,
        lines: text
          .split('\n')
          .map((line) => line.replace(/[^\x20-\x7e]+/g, ' ').trim())
          .filter((line) => line !== ''),
      }),
    );
  });
  return { child, ended };
}
