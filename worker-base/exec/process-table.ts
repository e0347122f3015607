/**
 * The processes that clients have started in this body.
 *
 * Invariants: a process runs as the agent's user, confined as the agent, with `allowed_commands` only; the number of
 * processes and the memory of their output are bounded; none outlives the body.
 */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { formatCommandLine } from '../../src/agents/shell-word.ts';
import { Fault } from '../../src/model/values/fault.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { explainRefusal } from '../sandbox/command-policy.ts';
import { whyNotFound } from '../sandbox/executable.ts';
import { killMarked } from '../sandbox/kill-processes.ts';
import { OomWatch } from '../sandbox/oom-kills.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';
import { checkDirectory } from './check-directory.ts';
import { ExecProcess } from './exec-process.ts';
import type { ExecRequest } from './exec-request.ts';
import { explainDenial } from './explain-denial.ts';
import type { ProcessEnd, ProcessReport } from './format.ts';
import { ProcessOutput } from './process-output.ts';

/** Processes at once, as many as the manager's connections to one body. */
const MOST = 128;
/** Ended processes that can still be asked for. */
const KEPT = 64;
/** Memory for the output of all processes, and of each. */
const ALL_OUTPUT_BYTES = 64 * 1024 ** 2;
const OUTPUT_BYTES = 4 * 1024 ** 2;
const CANNOT_EXECUTE = 126;
const NOT_FOUND = 127;
/** Runs the rest of its arguments in the directory of the first, which only the agent's user may be able to enter. */
const IN_DIRECTORY = 'cd -- "$1" && shift && exec "$@"';

/** A process of the table. */
export interface ProcessEntry {
  readonly id: string;
  /** Undefined if it could not be started. */
  readonly process: ExecProcess | undefined;
  readonly log: ProcessOutput;
  readonly ended: Promise<ProcessEnd>;
  info(): ProcessReport;
}

export class ProcessTable {
  readonly #environment: AgentEnvironment;
  readonly #settings: WrapperSettings;
  readonly #spec: WorkerSpec;
  readonly #oom = new OomWatch();
  readonly #running = new Map<string, ProcessEntry>();
  readonly #ended = new Map<string, ProcessEntry>();
  /** Processes that are not in the table yet. */
  #starting = 0;
  #closed = false;
  /** In the environment of all processes of the table. */
  readonly #bodyMark = randomUUID();

  constructor(environment: AgentEnvironment, settings: WrapperSettings, spec: WorkerSpec) {
    this.#environment = environment;
    this.#settings = settings;
    this.#spec = spec;
  }

  /**
   * Starts a process. One that is refused or cannot be executed has ended with 126 or 127 and the reason. Throws a Fault:
   * `capacity`, `conflict` (the body ends), `invalid_command` (no such directory).
   */
  async start(request: ExecRequest): Promise<ProcessEntry> {
    if (this.#closed) throw new Fault('conflict', 'The body ends.');
    if (this.#running.size + this.#starting >= MOST)
      throw new Fault('capacity', `${MOST} processes are already running in this worker. Try again later.`);
    const id = randomUUID();
    const started = new Date().toISOString();
    const { cwd: workspace, env: inherited } = this.#environment.processOptions(undefined);
    const cwd = resolve(workspace, request.cwd ?? '.');
    checkDirectory(cwd);
    const argv = request.command ?? ['/bin/sh', '-c', request.shell ?? ''];
    const about = (
      end?: ProcessEnd & { ended_at: string },
      process?: ExecProcess,
      log?: ProcessOutput,
    ): ProcessReport => ({
      process_id: id,
      status: end ? 'ended' : 'running',
      ...(request.command ? { command: request.command } : { shell: request.shell ?? '' }),
      cwd,
      detached: request.detach === true,
      ...(process && { pid: process.pid }),
      stdin_open: process?.stdinOpen ?? false,
      output_bytes: log?.end ?? 0,
      started_at: started,
      ...end,
    });
    const refused = this.#refusal(argv);
    if (refused !== undefined) return this.#refuse(id, CANNOT_EXECUTE, refused, about);
    const { privileges } = this.#environment;
    const { workerId, incarnation } = this.#settings;
    // The variables by which the processes of a body are found cannot be replaced.
    const marks = {
      WORKER_ID: workerId,
      WORKER_INCARNATION: String(incarnation),
      WORKER_EXEC: id,
      WORKER_EXEC_BODY: this.#bodyMark,
    };
    const env: Record<string, string> = { ...inherited, ...request.env, ...marks };
    const elsewhere = cwd !== workspace && privileges.group !== undefined;
    const { stdin, open_stdin: openStdin, timeout_seconds: timeoutSeconds } = request;
    this.#environment.touch();
    // What was killed before is not this process.
    this.#oom.happened();
    let process: ExecProcess;
    this.#starting += 1;
    try {
      process = await ExecProcess.start({
        argv: privileges.runCommand(elsewhere ? ['/bin/sh', '-c', IN_DIRECTORY, 'sh', cwd, ...argv] : argv),
        cwd: elsewhere ? workspace : cwd,
        env,
        stdin,
        openStdin,
        timeoutSeconds,
        limit: () => this.#outputLimit(),
        killRest: (group) => this.#killRest(group, `WORKER_EXEC=${id}`),
        outOfMemory: () => this.#oom.happened(),
        onOutput: () => this.#environment.touch(),
      });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN' || code === 'EMFILE' || code === 'ENOMEM')
        throw new Fault('capacity', `The process could not be started: ${message}. Try again later.`);
      if (code === 'E2BIG')
        throw new Fault('invalid_command', 'The command and its variables are too long for the system.');
      const program = argv[0] ?? '';
      if (code !== 'ENOENT' && code !== 'ENOTDIR')
        return this.#refuse(id, CANNOT_EXECUTE, `${program} could not be executed: ${message}.`, about);
      const why = whyNotFound(program, env.PATH ?? '', cwd) ?? 'it was not found';
      return this.#refuse(id, NOT_FOUND, `${program} could not be executed: ${why}.`, about);
    } finally {
      this.#starting -= 1;
    }
    const { log } = process;
    let ended_at = '';
    const ended = process.ended.then((end) => {
      ended_at = new Date().toISOString();
      if (this.#spec.allowed_commands) explainDenial(end, log);
      return this.#conclude(id, end);
    });
    const entry: ProcessEntry = {
      id,
      process,
      log,
      ended,
      info: () => about(process.end && { ...process.end, ended_at }, process, log),
    };
    this.#running.set(id, entry);
    if (this.#closed) void process.kill('The body ends.');
    return entry;
  }

  /** All processes, oldest first. */
  list(): ProcessReport[] {
    return [...this.#ended.values(), ...this.#running.values()].map((entry) => entry.info());
  }

  /** Throws a Fault `not_found`. */
  get(id: string): ProcessEntry {
    const entry = this.#running.get(id) ?? this.#ended.get(id);
    if (entry) return entry;
    throw new Fault(
      'not_found',
      `There is no process ${id.slice(0, 64)} in this worker; the last ${KEPT} that were detached and have ended are kept.`,
    );
  }

  /** Kills it if it runs, and deletes what is kept of it. */
  async remove(id: string): Promise<ProcessReport> {
    const entry = this.get(id);
    await entry.process?.kill('It was killed by a client.');
    await entry.ended;
    this.#ended.delete(id);
    return entry.info();
  }

  /** Kills all; none can be started from now on. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const entries = [...this.#running.values()];
    for (const { process } of entries) process?.killGroup('The body ended.');
    // One search for all: it reads the whole process table.
    const [first] = entries;
    if (first?.process)
      await this.#killRest(first.process.pid, `WORKER_EXEC_BODY=${this.#bodyMark}`).catch(() => {});
    await Promise.all(entries.map(({ ended }) => ended));
  }

  /** Kills what has left a group: by its descent, and by a mark in its environment. */
  async #killRest(group: number, mark: string): Promise<void> {
    const { privileges } = this.#environment;
    await killMarked(group, [mark], this.#settings.bodyId);
    // In a container, only the agent's user can read the environment of its processes.
    if (privileges.group !== undefined) await privileges.killMarked(group, mark);
  }

  #outputLimit(): number {
    const logs = this.#running.size + this.#ended.size;
    return Math.min(OUTPUT_BYTES, Math.floor(ALL_OUTPUT_BYTES / Math.max(1, logs)));
  }

  /** Why `allowed_commands` does not allow it, as far as its text shows; the system refuses what is not found here. */
  #refusal(argv: string[]): string | undefined {
    const { allowed_commands: allowed } = this.#spec;
    return allowed && explainRefusal(formatCommandLine(argv), allowed);
  }

  /** A process that never ran. Its reason is also its stderr, as a shell writes it. */
  #refuse(
    id: string,
    exit_code: number,
    error: string,
    about: (end: ProcessEnd & { ended_at: string }, process: undefined, log: ProcessOutput) => ProcessReport,
  ): ProcessEntry {
    const log = new ProcessOutput(() => OUTPUT_BYTES);
    log.append('stderr', Buffer.from(`${error}\n`));
    const end = { exit_code, signal: null, error };
    const ended_at = new Date().toISOString();
    const info = () => about({ ...end, ended_at }, undefined, log);
    const entry = { id, process: undefined, log, ended: Promise.resolve(end), info };
    if (info().detached) this.#keep(entry);
    return entry;
  }

  #conclude(id: string, end: ProcessEnd): ProcessEnd {
    const entry = this.#running.get(id);
    this.#running.delete(id);
    if (entry?.info().detached) this.#keep(entry);
    return end;
  }

  #keep(entry: ProcessEntry): void {
    this.#ended.set(entry.id, entry);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > KEPT && oldest !== undefined) this.#ended.delete(oldest);
  }
}
