/**
 * Bodies as process groups of this machine (the "direct" mode). Owns `<root>/<cell>/`: one directory a body, which
 * holds all that is known of it (see `body-directory.ts`), so that any manager finds it again.
 *
 * What must always hold: a body's directory is named by its worker alone; nothing is signalled by a pid alone, but
 * by pid, start time and boot; a body lives in a session of its own under `shim.sh` and never depends on the
 * manager; nothing outside of the root is written or deleted, and no symbolic link is followed; credentials stand
 * in files that only the owner may read and in the body's environment, never in an argument.
 *
 * Must not import the store, the queue or the loop.
 */
import { chmod, lstat, mkdir, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';
import {
  type Body,
  Fault,
  messageOf,
  parseMemory,
  type Usage,
  type WorkerSpec,
  workerId,
} from '../../model/index.ts';
import {
  BodyConflict,
  type BodyOrder,
  BodyRefused,
  type Runtime,
  RuntimeDown,
  type RuntimeInfo,
} from '../runtime.ts';
import { BodyDirectory, type BodyRecord, newBodyId, nothing, workerOf } from './body-directory.ts';
import {
  type CgroupSupport,
  dismantleCgroups,
  findCgroups,
  type Limits,
  removeCgroups,
  usageOf,
} from './cgroups.ts';
import { gone, launch } from './launch.ts';
import { killAll, liveShim, membersOf } from './members.ts';
import { cgroupsOf, observe } from './observe.ts';
import { sendTo, signal } from './process-table.ts';
import { HINTS, watchCell } from './watch.ts';

export interface ProcessRuntimeOptions {
  /** Checked before it comes here: it becomes a part of a path. */
  cell: string;
  /** Where the bodies' directories are kept, over restarts of the manager and of the machine. */
  root: string;
  /** What a body runs, such as `[process.execPath, '/opt/wrapper.mjs']`. */
  wrapper: { argv: string[] };
  now?: () => number;
  /** Between two looks at all bodies for hints that no file gave, in milliseconds. */
  poll_ms?: number;
}

/** Makes the runtime; nothing is touched before the first call. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  return new ProcessRuntime(options);
}

const CELL = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** A draft that is older was left by a manager that died while it made a body. */
const DRAFT_LIFE_MS = 60_000;
const POLL_MS = 10_000;
/** Bodies that are looked at side by side; each needs a few open files for a moment. */
const LOOKS_AT_ONCE = 16;
const CGROUP_ROUNDS = 100;

interface Found {
  dir: BodyDirectory;
  made: BodyRecord;
}

class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #options: ProcessRuntimeOptions;
  readonly #cellPath: string;
  readonly #hints = new Set<(workerId: string | undefined) => void>();
  readonly #watches = new Set<{ close(): Promise<void> }>();
  #support: Promise<CgroupSupport> | undefined;
  /** The root was there once: if it is gone later, its bodies are unknown, not absent. */
  #rootSeen = false;

  constructor(options: ProcessRuntimeOptions) {
    if (!CELL.test(options.cell))
      throw new Fault('invalid_command', `The cell ${options.cell} can't be a directory.`);
    this.#options = options;
    this.#cellPath = join(options.root, options.cell);
  }

  probe(): Promise<RuntimeInfo> {
    return this.#call('be used', async () => {
      await this.#openCell();
      await this.#sweepDrafts();
      const { version, limits } = await this.#cgroups();
      const means = version ? `cgroup ${version}` : 'no cgroup';
      return {
        name: this.name,
        version: `process (${process.platform}, ${means})`,
        limits: withRlimit(limits),
      };
    });
  }

  list(): Promise<Body[]> {
    return this.#call('list the bodies', async () => {
      if (!(await this.#checkCell())) return [];
      const names = (await readdir(this.#cellPath)).filter((name) => workerId.safeParse(name).success);
      const limit = pLimit(LOOKS_AT_ONCE);
      const bodies = await Promise.all(names.map((name) => limit(() => this.#look(name, false))));
      return bodies.filter((body) => body !== undefined);
    });
  }

  /** The directory's name is the body's only place, so the known id tells nothing more. */
  find(worker: string, _knownId: string | undefined): Promise<Body[]> {
    return this.#call(`look for the body of worker ${worker}`, async () => {
      const body = (await this.#checkCell()) ? await this.#look(worker, true) : undefined;
      return body ? [body] : [];
    });
  }

  create(order: BodyOrder): Promise<Body> {
    return this.#call(`make a body of worker ${order.worker_id}`, async () => {
      const worker = workerId.parse(order.worker_id);
      const limits = limitsOf(order.spec);
      await this.#refuseLimits(limits);
      await this.#openCell();
      const made: BodyRecord = {
        id: newBodyId(worker),
        cell: this.#options.cell,
        worker_id: worker,
        incarnation: order.incarnation,
        spec_hash: order.spec_hash,
        spec: JSON.stringify(order.spec),
        epoch: order.epoch,
        created_at: (this.#options.now ?? Date.now)(),
        argv: order.argv ?? this.#options.wrapper.argv,
        env: order.env,
        limits,
      };
      const dir = new BodyDirectory(this.#cellPath, worker);
      if (await BodyDirectory.make(this.#cellPath, worker, made)) return observe(dir, made, false);
      const ours = (await dir.read(made.cell, worker)) !== undefined;
      const what = ours ? 'by another body of it' : 'by something that is not ours; move it away to go on';
      throw new BodyConflict(`The directory ${dir.path} of worker ${worker} is taken ${what}.`, ours);
    });
  }

  start(bodyId: string): Promise<void> {
    return this.#call(`start body ${bodyId}`, async () => {
      const found = await this.#find(bodyId);
      if (!found) throw gone(bodyId);
      if ((await found.dir.writtenAt('started')) !== undefined) return;
      await launch(found.dir, found.made, await this.#cgroups(), () => {
        for (const hint of this.#hints) hint(found.made.worker_id);
      });
    });
  }

  terminate(bodyId: string): Promise<void> {
    return this.#call(`end body ${bodyId}`, async () => {
      const found = await this.#find(bodyId);
      if (!found) return;
      const trace = await traceOf(found);
      const shim = await liveShim(trace.shim);
      // The shim ignores it and leads a group of its own, which holds the wrapper.
      if (shim && shim.group === shim.pid) return sendTo(-shim.pid, 'SIGTERM');
      for (const member of await membersOf(trace)) await signal(member, 'SIGTERM');
    });
  }

  kill(bodyId: string): Promise<void> {
    return this.#call(`kill body ${bodyId}`, async () => {
      const found = await this.#find(bodyId);
      if (!found) return;
      const body = await observe(found.dir, found.made, false);
      // The shim dies with the rest, so the one who kills writes down that it did.
      if (body.state === 'running') await found.dir.writeOnce('killed', new Date().toISOString());
      if (body.state !== 'created') await killAll(await traceOf(found));
    });
  }

  remove(bodyId: string): Promise<void> {
    return this.#call(`remove body ${bodyId}`, async () => {
      const found = await this.#find(bodyId);
      if (!found) return;
      const { dir, made } = found;
      await dir.fence();
      const trace = await traceOf(found);
      await killAll(trace);
      await this.#removeCgroups(trace.cgroups);
      await dir.remove(this.#cellPath, bodyId);
      await rm(join(this.#cellPath, HINTS, made.worker_id), { force: true });
    });
  }

  usage(bodyId: string): Promise<Usage> {
    return this.#call(`measure body ${bodyId}`, async () => {
      const found = await this.#find(bodyId);
      if (!found || (await observe(found.dir, found.made, false)).state !== 'running') return {};
      const trace = await traceOf(found);
      const told = await usageOf(trace.cgroups);
      if (told.cpu_seconds !== undefined && told.memory_bytes !== undefined && told.pids !== undefined)
        return told;
      const members = await membersOf(trace);
      const sum = (key: 'cpu_seconds' | 'memory_bytes' | 'threads') =>
        members.reduce((total, member) => total + member[key], 0);
      return {
        cpu_seconds: sum('cpu_seconds'),
        memory_bytes: sum('memory_bytes'),
        pids: sum('threads'),
        ...told,
      };
    });
  }

  watch(hint: (workerId: string | undefined) => void): { close(): Promise<void> } {
    const cell = watchCell({
      cellPath: this.#cellPath,
      list: () => this.list(),
      pollMs: this.#options.poll_ms ?? POLL_MS,
      hint,
    });
    this.#hints.add(hint);
    const watch = {
      close: async () => {
        this.#hints.delete(hint);
        this.#watches.delete(watch);
        await cell.close();
      },
    };
    this.#watches.add(watch);
    return watch;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watches].map((watch) => watch.close()));
  }

  async dismantle(): Promise<void> {
    const left = await this.list();
    if (left.length > 0)
      throw new Fault('conflict', `Cell ${this.#options.cell} still has ${left.length} bodies.`);
    await this.close();
    await this.#call('dismantle the cell', async () => {
      await dismantleCgroups(await this.#cgroups());
      if (!(await this.#checkCell())) return;
      await this.#sweepDrafts();
      await rm(join(this.#cellPath, HINTS), { recursive: true, force: true });
      // Something that is not ours keeps its place, and the directory with it.
      await rmdir(this.#cellPath).catch(() => undefined);
    });
  }

  async #look(worker: string, withTail: boolean): Promise<Body | undefined> {
    const dir = new BodyDirectory(this.#cellPath, worker);
    const made = await dir.read(this.#options.cell, worker);
    if (!made) return undefined;
    const body = await observe(dir, made, withTail);
    // Removed while it was looked at: its files were missing for that reason alone.
    return (await dir.writtenAt(`id.${made.id}`)) === undefined ? undefined : body;
  }

  /** The directory of this very body, or `undefined` where it is gone or another body has its place. */
  async #find(bodyId: string): Promise<Found | undefined> {
    const worker = workerOf(bodyId);
    if (!worker || !(await this.#checkCell())) return undefined;
    const dir = new BodyDirectory(this.#cellPath, worker);
    const made = await dir.read(this.#options.cell, worker);
    return made?.id === bodyId ? { dir, made } : undefined;
  }

  #cgroups(): Promise<CgroupSupport> {
    this.#support ??= findCgroups(this.#options.cell);
    return this.#support;
  }

  async #refuseLimits(limits: Limits): Promise<void> {
    const support = withRlimit((await this.#cgroups()).limits);
    const wanted = { memory: limits.memory_bytes, cpus: limits.cpus, pids: limits.pids };
    for (const limit of ['memory', 'cpus', 'pids'] as const) {
      if (wanted[limit] === undefined || support[limit].supported) continue;
      throw new BodyRefused(
        'Unsupported',
        `A limit of ${limit} can't be kept on this machine: ${support[limit].how}.`,
      );
    }
  }

  /** The kernel may need a moment to let go of what was killed. */
  async #removeCgroups(dirs: string[]): Promise<void> {
    let busy = dirs;
    for (let round = 0; round < CGROUP_ROUNDS; round += 1) {
      busy = await removeCgroups(busy);
      if (busy.length === 0) return;
      await delay(20);
    }
    throw new RuntimeDown(`the cgroups ${busy.join(', ')} still hold processes`);
  }

  async #openCell(): Promise<void> {
    await mkdir(join(this.#cellPath, HINTS), { recursive: true, mode: 0o700 });
    await this.#checkCell();
    await chmod(this.#cellPath, 0o700);
  }

  /** Whether the cell has a directory; throws where it leads out of the root, or the root is lost. */
  async #checkCell(): Promise<boolean> {
    const { root, cell } = this.#options;
    const real = await realpath(root).catch(nothing);
    if (real === undefined) {
      if (!this.#rootSeen) return false;
      throw new RuntimeDown(`the directory ${root} is gone`);
    }
    this.#rootSeen = true;
    const seen = await lstat(join(real, cell)).catch(nothing);
    if (seen && !seen.isDirectory()) throw new RuntimeDown(`${this.#cellPath} is not a directory of its own`);
    return seen !== undefined;
  }

  /** Deletes what a manager left that died while it made or deleted a body. */
  async #sweepDrafts(): Promise<void> {
    for (const name of await readdir(this.#cellPath)) {
      const path = join(this.#cellPath, name);
      const age = Date.now() - ((await lstat(path).catch(nothing))?.mtimeMs ?? Date.now());
      const left = name.startsWith('.gone-') || (name.startsWith('.new-') && age > DRAFT_LIFE_MS);
      if (left) await rm(path, { recursive: true, force: true });
    }
  }

  /** Whatever goes wrong with files and processes is the engine's failure, told with what was tried. */
  async #call<T>(what: string, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (error instanceof BodyConflict || error instanceof BodyRefused || error instanceof Fault)
        throw error;
      throw new RuntimeDown(`The process runtime could not ${what}: ${messageOf(error)}`, { cause: error });
    }
  }
}

async function traceOf({ dir, made }: Found) {
  return { bodyId: made.id, shim: await dir.pid(), cgroups: await cgroupsOf(dir) };
}

function limitsOf({ resources }: WorkerSpec): Limits {
  const memory_bytes = resources?.memory === undefined ? undefined : parseMemory(resources.memory);
  return { memory_bytes, cpus: resources?.cpus, pids: resources?.pids };
}

/** Without a memory cgroup, Linux can still limit each process by itself; macOS takes such a limit and ignores it. */
function withRlimit(limits: RuntimeInfo['limits']): RuntimeInfo['limits'] {
  if (limits.memory.supported || process.platform !== 'linux') return limits;
  const how = `ulimit -d, for each process by itself (no cgroup: ${limits.memory.how})`;
  return { ...limits, memory: { supported: true, how } };
}
