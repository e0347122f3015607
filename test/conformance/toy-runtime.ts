/**
 * A runtime in one file, to show that a new one only needs a line in the table of names elsewhere. This
 * process is its engine: bodies are child processes, each the leader of a process group, in its own
 * directory.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { constants as os, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Body, persists, type RuntimeCapabilities, type RuntimeName } from '../../src/model/index.ts';
import { Fault } from '../../src/model/values/fault.ts';
import { BodyConflict, type BodyOrder, BodyRefused, type Runtime } from '../../src/runtimes/runtime.ts';

/** Its line in the table of names. */
export const TOY: RuntimeCapabilities = {
  title: 'the toy',
  mode: 'toy',
  usesImages: false,
  enforcesCommands: false,
  hasOwnAddress: false,
  needsWrapperBundle: true,
  hasLocalBodies: true,
  remedy: 'It always answers',
};
const NAME = 'toy' as RuntimeName;

interface Held {
  cell: string;
  body: Body;
  order: BodyOrder;
  directory: string;
  child?: ChildProcess;
  ended?: Promise<void>;
}

/** Outlives each of its managers, as an engine does. */
export class ToyEngine {
  readonly root = mkdtempSync(join(tmpdir(), 'wm-toy-'));
  readonly bodies = new Map<string, Held>();
  /** Names that other objects use. */
  readonly occupied = new Set<string>();
  /** Emits `change` with the cell and the worker of a body that has started or ended. */
  readonly events = new EventEmitter();

  /** The folder of a workspace, or of all of a cell. */
  workspace(cell: string, id = ''): string {
    return join(this.root, `${cell}-workspaces`, id);
  }

  find(cell: string, workerId: string): Held | undefined {
    return [...this.bodies.values()].find((one) => one.cell === cell && one.body.worker_id === workerId);
  }

  async start(held: Held): Promise<void> {
    if (held.ended) return;
    const { body, order, directory } = held;
    const [program = '', ...args] = order.argv ?? [];
    const env = {
      PATH: process.env.PATH,
      ...order.env,
      WORKSPACE_PATH: body.workspace ? this.workspace(held.cell, body.workspace) : directory,
      SECRETS_PIPE: pipeOf(held),
      WORKER_DOOR: doorOf(held),
    };
    const log = openSync(logOf(held), 'a');
    const child = spawn(program, args, { cwd: directory, env, detached: true, stdio: ['ignore', log, log] });
    closeSync(log);
    held.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        body.state = 'exited';
        body.exit_code = signal === null ? (code ?? 0) : 128 + os.signals[signal];
        body.finished_at = Date.now();
        resolve();
        this.events.emit('change', held.cell, body.worker_id);
      });
    });
    await new Promise<void>((resolve, reject) => {
      child
        .once('spawn', resolve)
        .once('error', ({ message }) => reject(new BodyRefused('StartFailed', message)));
    });
    held.child = child;
    Object.assign(body, { state: 'running', started_at: Date.now() });
    this.events.emit('change', held.cell, body.worker_id);
  }

  signal({ child, body }: Held, signal: NodeJS.Signals, all: boolean): void {
    if (child?.pid === undefined || body.state !== 'running') return;
    try {
      process.kill(all ? -child.pid : child.pid, signal);
    } catch (error) {
      // It has ended, but its end is not reported yet.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  async remove(held: Held): Promise<void> {
    this.signal(held, 'SIGKILL', true);
    if (held.child) await held.ended;
    this.bodies.delete(held.body.id);
    rmSync(held.directory, { recursive: true, force: true });
  }
}

const pipeOf = ({ directory }: Held) => join(directory, 'secrets');
const doorOf = ({ directory }: Held) => join(directory, 'door');
const logOf = ({ directory }: Held) => join(directory, 'log');

/** One manager's view of a cell; `argv` starts the wrapper. */
export function createToyRuntime(
  engine: ToyEngine,
  { cell, argv }: { cell: string; argv: string[] },
): Runtime {
  const closing = new Set<() => void>();
  const get = (bodyId: string) => {
    const held = engine.bodies.get(bodyId);
    return held?.cell === cell ? held : undefined;
  };
  const need = (bodyId: string): Held => {
    const held = get(bodyId);
    if (!held) throw new Fault('not_found', `Body ${bodyId} is gone.`);
    return held;
  };
  return {
    name: NAME,
    async probe() {
      const limit = { supported: false, how: 'a toy limits nothing' };
      return { name: NAME, version: 'toy 1', limits: { memory: limit, cpus: limit, pids: limit } };
    },
    list: async () =>
      [...engine.bodies.values()].flatMap((one) => (one.cell === cell ? { ...one.body } : [])),
    async find(workerId, knownId) {
      const held = engine.find(cell, workerId) ?? get(knownId ?? '');
      if (!held) return [];
      return [
        { ...held.body, ...(held.body.state === 'exited' && { tail: readFileSync(logOf(held), 'utf8') }) },
      ];
    },
    async create(order) {
      const { worker_id, incarnation, spec, spec_hash, store } = order;
      if (engine.occupied.has(worker_id)) throw new BodyConflict('something else has its name', false);
      if (engine.find(cell, worker_id)) throw new BodyConflict('it has a body', true);
      const id = randomUUID();
      const directory = join(engine.root, id);
      mkdirSync(directory);
      const workspace = persists(spec) ? (order.workspace ?? worker_id) : undefined;
      if (workspace) mkdirSync(engine.workspace(cell, workspace), { recursive: true });
      const body: Body = {
        id,
        runtime: NAME,
        worker_id,
        incarnation,
        spec_hash,
        state: 'created',
        created_at: Date.now(),
        ...(store !== undefined && { store }),
        ...(workspace !== undefined && { workspace }),
        spec: JSON.stringify(spec),
      };
      engine.bodies.set(id, {
        cell,
        body,
        order: { ...order, argv: order.argv ?? argv },
        directory,
      });
      return { ...body };
    },
    start: async (bodyId) => engine.start(need(bodyId)),
    async deliver(bodyId, content) {
      const pipe = pipeOf(need(bodyId));
      // Fails if no process reads it; stays open until the rest is written, so that the reader sees only one
      // end.
      const probe = await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch((error: Error) => {
        throw new Fault('conflict', `The body does not wait for secrets: ${error.message}`);
      });
      await writeFile(pipe, content).finally(() => probe.close());
    },
    async connect(bodyId) {
      const held = need(bodyId);
      return new Promise((resolve, reject) => {
        const socket = connect({ path: doorOf(held), allowHalfOpen: true }, () => resolve(socket));
        socket.once('error', (error) =>
          reject(new Fault('conflict', `The body's door is not open: ${error.message}`)),
        );
      });
    },
    terminate: async (bodyId) => void (get(bodyId) && engine.signal(need(bodyId), 'SIGTERM', false)),
    kill: async (bodyId) => void (get(bodyId) && engine.signal(need(bodyId), 'SIGKILL', true)),
    remove: async (bodyId) => void (get(bodyId) && (await engine.remove(need(bodyId)))),
    async listWorkspaces() {
      mkdirSync(engine.workspace(cell), { recursive: true });
      const ids = readdirSync(engine.workspace(cell));
      return ids.map((id) => ({ id, created_at: statSync(engine.workspace(cell, id)).birthtimeMs }));
    },
    async removeWorkspace(id) {
      const uses = ({ body, cell: of }: Held) => of === cell && body.workspace === id;
      if ([...engine.bodies.values()].some(uses)) throw new Fault('conflict', 'a body uses it');
      rmSync(engine.workspace(cell, id), { recursive: true, force: true });
    },
    usage: async () => ({}),
    limit: async () => undefined,
    watch(hint) {
      const listen = (in_cell: string, workerId: string) => in_cell === cell && hint(workerId);
      const close = () => void engine.events.off('change', listen);
      engine.events.on('change', listen);
      closing.add(close);
      return { close: async () => close() };
    },
    async close() {
      for (const close of closing) close();
    },
    dismantle: async () => rmSync(engine.workspace(cell), { recursive: true, force: true }),
  };
}
