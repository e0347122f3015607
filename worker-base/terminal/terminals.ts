/**
 * The terminals that clients have opened in this body.
 *
 * Invariants: a program runs as a command of `exec` does: as the agent's user, confined as the agent, with
 * `allowed_commands` only; none outlives the body.
 */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { Duplex } from 'node:stream';
import { formatCommandLine } from '../../src/agents/shell-word.ts';
import type { TerminalReport } from '../../src/model/doors/terminal-report.ts';
import { Fault } from '../../src/model/values/fault.ts';
import type { WorkerSpec } from '../../src/model/worker/spec.ts';
import { checkDirectory } from '../exec/check-directory.ts';
import { explainRefusal } from '../sandbox/command-policy.ts';
import { findProgram } from '../sandbox/executable.ts';
import { killMarked } from '../sandbox/kill-processes.ts';
import type { WrapperSettings } from '../settings.ts';
import type { AgentEnvironment } from '../workload.ts';
import { TerminalHost } from './host-process.ts';
import type { TerminalAttach } from './messages.ts';
import type { TerminalOrder } from './terminal-request.ts';

/** Runs the rest of its arguments in the directory of the first, and has the exit code of a shell if it cannot. */
const IN_DIRECTORY = 'cd -- "$1" && shift && exec "$@"';

export class Terminals {
  readonly #environment: AgentEnvironment;
  readonly #settings: WrapperSettings;
  readonly #spec: WorkerSpec;
  readonly #host: TerminalHost;
  /** In the environment of all of their programs. */
  readonly #mark = `WORKER_TERMINALS=${randomUUID()}`;
  #closed = false;

  constructor(environment: AgentEnvironment, settings: WrapperSettings, spec: WorkerSpec) {
    this.#environment = environment;
    this.#settings = settings;
    this.#spec = spec;
    const { inherited, bodyId } = settings;
    // Not the marks by which the processes of an agent are found, and killed.
    const env = { PATH: inherited.PATH ?? '', ...(bodyId !== undefined && { WORKER_BODY_ID: bodyId }) };
    this.#host = new TerminalHost(env, {
      active: () => environment.touch(),
      expired: (id) => void this.remove(id).catch(() => {}),
    });
  }

  /**
   * Opens a terminal. Throws a Fault: `invalid_command` (no such directory, or the program is not allowed),
   * `capacity`, `unsupported`, `conflict` (the body ends).
   */
  async start(request: TerminalOrder): Promise<TerminalReport> {
    if (this.#closed) throw new Fault('conflict', 'The body ends.');
    const { cwd: workspace, env: inherited } = this.#environment.processOptions(undefined);
    const cwd = resolve(workspace, request.cwd ?? '.');
    checkDirectory(cwd);
    const id = randomUUID();
    const { workerId, incarnation } = this.#settings;
    const [name = '', value = ''] = this.#mark.split('=');
    const env: Record<string, string> = {
      LANG: 'C.UTF-8',
      ...inherited,
      TERM: 'xterm-256color',
      COLORTERM: 'truecolor',
      ...request.env,
      // The variables by which the processes of a body are found cannot be replaced.
      WORKER_ID: workerId,
      WORKER_INCARNATION: String(incarnation),
      WORKER_EXEC: id,
      [name]: value,
    };
    const command = request.command ?? [findProgram('bash', env.PATH ?? '') ?? '/bin/sh'];
    if (request.command) this.#check(request.command);
    const { privileges } = this.#environment;
    this.#environment.touch();
    return this.#host.start({
      id,
      argv: privileges.runCommand(['/bin/sh', '-c', IN_DIRECTORY, 'sh', cwd, ...command]),
      command,
      cwd,
      env,
      cols: request.cols,
      rows: request.rows,
      lingerMs: request.linger_seconds * 1000,
      otherUser: privileges.group !== undefined,
    });
  }

  list(): Promise<TerminalReport[]> {
    return this.#host.list();
  }

  /** Throws a Fault `not_found`. */
  async get(id: string): Promise<TerminalReport> {
    const found = (await this.#host.list()).find(({ pty_id }) => pty_id === id);
    if (found) return found;
    throw new Fault('not_found', `There is no terminal ${id.slice(0, 64)} in this worker.`);
  }

  /** Hands the connection of a client over to a terminal. Throws a Fault `not_found`. */
  async attach(viewer: TerminalAttach, socket: Duplex): Promise<void> {
    await this.get(viewer.id);
    this.#host.attach(viewer, socket);
  }

  /** Kills the program with all its children. */
  async remove(id: string): Promise<TerminalReport> {
    const report = await this.get(id);
    if (report.status === 'running') await this.#kill(report.pid, `WORKER_EXEC=${id}`);
    return report;
  }

  /** Kills all; none can be opened from now on. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const [first] = (await this.#host.list().catch(() => [])).filter(({ status }) => status === 'running');
    this.#host.close();
    if (first) await this.#kill(first.pid, this.#mark).catch(() => {});
  }

  async #kill(pid: number, mark: string): Promise<void> {
    const { privileges } = this.#environment;
    await killMarked(pid, [mark], this.#settings.bodyId);
    // In a container, only the agent's user can read the environment of its processes.
    if (privileges.group !== undefined) await privileges.killMarked(pid, mark);
  }

  /** What the text shows to be forbidden; the system refuses what is not found here. */
  #check(command: string[]): void {
    const { allowed_commands: allowed } = this.#spec;
    const message = allowed && explainRefusal(formatCommandLine(command), allowed);
    if (message) throw new Fault('invalid_command', message, { issues: [{ path: 'command', message }] });
  }
}

const bodies = new WeakMap<AgentEnvironment, Terminals>();

/** The terminals of a body, which end when `signal` aborts. */
export function getTerminals(
  environment: AgentEnvironment,
  { settings, spec, signal }: { settings: WrapperSettings; spec: WorkerSpec; signal: AbortSignal },
): Terminals {
  let terminals = bodies.get(environment);
  if (!terminals) {
    const opened = new Terminals(environment, settings, spec);
    bodies.set(environment, opened);
    signal.addEventListener('abort', () => void opened.close(), { once: true });
    terminals = opened;
  }
  return terminals;
}
