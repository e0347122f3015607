import { randomUUID } from 'node:crypto';
import { takeTail } from '../../../src/model/values/cut.ts';
import { AgentProcess } from '../../agent/agent-process.ts';
import { getExitCode } from '../../agent/exit.ts';
import type { Piece } from '../../streams/entry.ts';
import { aborted, failure } from './failure.ts';
import { whyKilled } from './language.ts';
import type { CommandOutput, SlotOptions } from './options.ts';
import { RUNNER_GRACE_MS, resolveWithin } from './resolve-within.ts';
import { RunnerRemains } from './runner-remains.ts';

/** Maximum length of stdout in the result, in characters. */
const STDOUT = 65_536;
/** Maximum length of stderr in the error, in characters. */
const STDERR = 4096;

/**
 * Runs a command in its own process group. Resolves if it exits with 0; every other end is a TaskError:
 * `CommandFailed` (its message has the exit code or the signal, its traceback the end of stderr),
 * `CommandNotStarted`, `Aborted` (all of its processes were killed). Processes that remain in its group, or
 * hold its pipes, are killed.
 */
export async function runCommand(
  { task_id, command }: { task_id: string; command: string[] },
  options: SlotOptions,
  signal: AbortSignal,
): Promise<CommandOutput> {
  if (signal.aborted) throw aborted(signal);
  const mark = randomUUID();
  const outputs = { stdout: new Tail(STDOUT), stderr: new Tail(STDERR) };
  const argv = options.wrap?.(command) ?? command;
  const rest = new RunnerRemains(options, mark, () => signal.aborted);
  const agent = await AgentProcess.start({
    argv,
    cwd: options.cwd,
    env: { ...options.env, WORKER_SLOT: mark, TASK_ID: task_id },
    onPiece: (stream, piece) => {
      outputs[stream].add(piece);
      options.onOutput(stream, piece, task_id);
    },
    killRest: (group) => rest.end(group),
  }).catch(({ code, message }: NodeJS.ErrnoException) => {
    const reason =
      code === 'ENOENT'
        ? `the program ${command[0]} or the folder ${options.cwd} does not exist here`
        : message;
    throw failure('CommandNotStarted', `The command can't be started: ${reason}.`);
  });
  rest.of = agent;
  agent.closeInput();
  const end = async () => {
    agent.signal('SIGTERM');
    await resolveWithin(options.graceMs ?? RUNNER_GRACE_MS, agent.exited);
    agent.kill();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) void end();
  const exit = await agent.exited;
  // The result of a command that had ended before it was aborted is unchanged.
  const wasAborted = signal.aborted;
  await agent.gather(() => rest.readUntil()).catch(() => {});
  signal.removeEventListener('abort', end);
  if (wasAborted) throw aborted(signal);
  if (exit.code === 0) return { exit_code: 0, stdout: outputs.stdout.text, truncated: outputs.stdout.cut };
  // A shell reports a kill of its child as 137.
  const killed = getExitCode(exit) === 137 && options.outOfMemory?.() === true;
  const how = exit.signal ? `was ended by ${exit.signal}` : `exited with code ${getExitCode(exit)}`;
  throw failure(
    'CommandFailed',
    `The command ${command[0]} ${how}${killed ? whyKilled(true) : ''}.`,
    outputs.stderr.text,
  );
}

/** Keeps the end of a long text. */
class Tail {
  readonly #limit: number;
  #text = '';
  #dropped = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add({ text, partial }: Piece): void {
    this.#text += partial ? text : `${text}\n`;
    // Not cut at each piece, because that would copy the whole tail for each line.
    if (this.#text.length > 4 * this.#limit) this.#cut();
  }

  get text(): string {
    this.#cut();
    return this.#text;
  }

  get cut(): boolean {
    this.#cut();
    return this.#dropped;
  }

  #cut(): void {
    if (this.#text.length <= this.#limit) return;
    this.#text = takeTail(this.#text, this.#limit);
    this.#dropped = true;
  }
}
