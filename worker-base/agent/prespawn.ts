/**
 * A process that waits to become an agent. To make a process out of one as large as the wrapper takes longer than all
 * else that a takeover does, so a warm body has made it before: a shell, which reads from its stdin what it is to
 * become, and becomes it. Nothing is left of the shell then, and its stdin is the agent's.
 *
 * What must always hold: the agent has the environment and the arguments that it would have had, and nothing of them
 * stands in a file; whatever cannot be promised here is left to an ordinary start, which tells why it fails.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { CONFINE } from '../sandbox/confined.ts';
import { canExecute } from '../sandbox/executable.ts';

const SHELL = '/bin/sh';
/** Makes an environment from nothing; a shell adds variables of its own. */
const ENV = '/usr/bin/env';
/** The number of lines that follow, then these; `read` takes no byte that comes after. */
const SCRIPT = `read -r n || exit 0
s=
while [ "$n" -gt 0 ]; do
  IFS= read -r l || exit 126
  s="$s$l
"
  n=$((n - 1))
done
eval "$s"`;
/** The shell reads byte by byte, and the system refuses arguments that are very long: an ordinary start tells so. */
const LONGEST = 65_536;

/** The descriptor that `confine` reports to; an agent that is started without it does not get it. */
const REPORT = 3;

export class Starter {
  readonly #child: ChildProcess;
  #used = false;

  /** Makes the process; undefined where it cannot be. */
  static make(): Starter | undefined {
    if (!isProgram(SHELL) || !isProgram(ENV)) return undefined;
    const stdio = Array.from({ length: REPORT + 1 }, () => 'pipe' as const);
    const child = spawn(SHELL, ['-c', SCRIPT], { cwd: '/', env: {}, detached: true, stdio });
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    child.stdio[REPORT]?.on('error', () => {});
    return child.pid === undefined ? undefined : new Starter(child);
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** The process, on its way to become that program; undefined where an ordinary start has to be tried. Once. */
  become({ argv, cwd, env }: { argv: string[]; cwd: string; env: Record<string, string> }) {
    if (this.#used) return undefined;
    this.#used = true;
    const child = this.#child;
    const [program = ''] = argv;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const words = [ENV, '-i', ...variables, ...argv];
    const drop = program === CONFINE ? '' : ` ${REPORT}>&-`;
    const script = `cd ${quoted(cwd)} || exit 126\nexec ${words.map(quoted).join(' ')}${drop}`;
    const fits = script.length <= LONGEST && !program.includes('=') && !program.startsWith('-');
    const lives = child.exitCode === null && child.signalCode === null && child.stdin?.writable;
    if (!lives || !fits || !canExecute(program, env.PATH ?? '') || !isDirectory(cwd)) {
      child.kill('SIGKILL');
      return undefined;
    }
    child.stdin?.write(`${script.split('\n').length}\n${script}\n`);
    return child;
  }

  /** Ends it where nobody has used it. */
  discard(): void {
    if (!this.#used) this.#child.kill('SIGKILL');
    this.#used = true;
  }
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
