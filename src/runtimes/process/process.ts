/**
 * Bodies as process groups of this machine (the "direct" mode). Owns `<root>/<cell>/`: one directory a body, which
 * holds all that is known of it (see `body-directory.ts`), so that any manager finds it again, and apart from those the
 * folders that the workers write (see `work-directory.ts`).
 *
 * What must always hold: a body's directory is named by its worker alone; a file never decides whom a signal reaches:
 * cgroups are derived from the body's id, and a process is signalled only if the kernel proves that it is the body's (see
 * `members.ts`); a body whose directory is gone is searched for before it is called absent; one body's files fail no call
 * about another; a body lives in a session of its own under `shim.sh` and never depends on the manager; nothing outside
 * of the root is written or deleted but the body's folder in memory, and no symbolic link is followed; credentials are in
 * files that only the owner may read and in the body's environment, never in an argument.
 *
 * Must not import the store, the queue or the loop.
 */
import { rm } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { readMachineMemory } from '../../machine-memory.ts';
import { type Body, Fault, type Usage, type WorkerSpec, workerId } from '../../model/index.ts';
import { BodyConflict, type BodyOrder, type Runtime, type RuntimeInfo } from '../runtime.ts';
import { BodyDirectory } from './body-directory.ts';
import { type BodyRecord, newBodyId, workerOf } from './body-record.ts';
import { call, callBody } from './call.ts';
import { CellDirectory, DRAFT_LIFE_MS } from './cell-directory.ts';
import {
  type CgroupSupport,
  cgroupsOfProcess,
  deriveCgroups,
  dismantleCgroups,
  findCgroups,
  NO_CGROUPS,
} from './cgroup-support.ts';
import { makeCgroups, pidsIn, removeCgroups } from './cgroups.ts';
import { deliver } from './deliver.ts';
import type { Found } from './found.ts';
import { gone, launch } from './launch.ts';
import { limitsOf, refuseUnsupported, withRlimit } from './limits.ts';
import { LostBodies } from './lost.ts';
import { measure, sharedTable } from './measure.ts';
import { killAll, liveShim, type Trace, terminateAll } from './members.ts';
import { bodyOf, observe } from './observe.ts';
import type { ProcessRuntimeOptions } from './process-options.ts';
import { titleOf } from './title.ts';
import { HINTS, watchCell } from './watch.ts';
import { WorkDirectories } from './work-directory.ts';

/** Makes the runtime; nothing is touched before the first call. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  return new ProcessRuntime(options);
}

const CELL = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const POLL_MS = 10_000;
/** Bodies that are looked at side by side; each needs a few open files for a moment. */
const LOOKS_AT_ONCE = 16;

class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #options: ProcessRuntimeOptions;
  readonly #cell: CellDirectory;
  readonly #hints = new Set<(workerId: string | undefined) => void>();
  readonly #watches = new Set<{ close(): Promise<void> }>();
  readonly #table = sharedTable();
  readonly #work: WorkDirectories;
  readonly #lost: LostBodies;
  /** Ended bodies whose secrets are deleted. */
  readonly #cleaned = new Set<string>();
  #support: Promise<CgroupSupport> | undefined;

  constructor(options: ProcessRuntimeOptions) {
    if (!CELL.test(options.cell))
      throw new Fault('invalid_command', `The cell ${options.cell} can't be a directory.`);
    this.#options = options;
    this.#cell = new CellDirectory(options.root, options.cell, (found) => this.#lost.missed(found));
    this.#work = new WorkDirectories(this.#cell.path);
    const support = () => this.#cgroups();
    this.#lost = new LostBodies({ cell: options.cell, cellPath: this.#cell.path, support });
  }

  probe(): Promise<RuntimeInfo> {
    return call('be used', async () => {
      await this.#open();
      await this.#cell.sweep();
      await this.#sweepWork();
      const { version, limits } = await this.#cgroups();
      const means = version ? `cgroup ${version}` : 'no cgroup';
      return {
        name: this.name,
        version: `process (${process.platform}, ${means})`,
        limits: withRlimit(limits),
        machine: {
          cores: availableParallelism(),
          memory_bytes: readMachineMemory()?.total_bytes ?? totalmem(),
          local: true,
        },
      };
    });
  }

  list(): Promise<Body[]> {
    return call('list the bodies', async () => {
      // In this order: a body that is made in between is not taken for a lost one.
      const withCgroups = await this.#lost.candidates();
      const names = await this.#cell.workers();
      const inPlace = new Set<string>();
      const limit = pLimit(LOOKS_AT_ONCE);
      const looks = names.map((name) =>
        limit(async () => {
          const found = await this.#cell.read(name);
          if (!found) return undefined;
          inPlace.add(name);
          return this.#look(found, false);
        }),
      );
      const bodies = await Promise.all(looks);
      for (const found of await this.#lost.all(withCgroups, inPlace))
        bodies.push(await this.#look(found, false));
      return bodies.filter((body) => body !== undefined);
    });
  }

  /** By the directory's name; if it is not there, by the id that was known and all that the kernel knows. */
  find(worker: string, knownId: string | undefined): Promise<Body[]> {
    return call(`look for the body of worker ${worker}`, async () => {
      const found = await this.#cell.body(worker);
      const all = found ? [found] : await this.#lost.ofWorker(worker, knownId);
      const bodies = await Promise.all(all.map((one) => this.#look(one, true)));
      return bodies.filter((body) => body !== undefined);
    });
  }

  create(order: BodyOrder): Promise<Body> {
    return callBody(`make a body of worker ${order.worker_id}`, async () => {
      const worker = workerId.parse(order.worker_id);
      const limits = limitsOf(order.spec);
      refuseUnsupported(limits, withRlimit((await this.#cgroups()).limits));
      await call(`open the folder ${this.#cell.path}`, () => this.#open());
      const [alive] = await this.#lost.ofWorker(worker, undefined);
      if (alive)
        throw new BodyConflict(
          `Body ${alive.made.id} of worker ${worker} lives, but its folder is gone.`,
          true,
        );
      const made: BodyRecord = {
        id: newBodyId(worker),
        cell: this.#options.cell,
        worker_id: worker,
        incarnation: order.incarnation,
        spec_hash: order.spec_hash,
        spec: JSON.stringify(order.spec),
        epoch: order.epoch,
        ...(order.store === undefined ? {} : { store: order.store }),
        created_at: (this.#options.now ?? Date.now)(),
        argv: order.argv ?? [...this.#options.wrapper.argv, titleOf(order.spec, worker)],
        env: order.env,
        limits,
        layout: 2,
      };
      const dir = new BodyDirectory(this.#cell.path, worker);
      try {
        await this.#work.make(made, this.#options.user);
        if (await BodyDirectory.make(this.#cell.path, worker, made)) return bodyOf(made);
      } catch (error) {
        await this.#work.remove(made.id).catch(() => undefined);
        throw error;
      }
      await this.#work.remove(made.id);
      const ours = (await this.#cell.body(worker)) !== undefined;
      const what = ours ? 'by another body of it' : 'by something that is not ours; move it away to go on';
      throw new BodyConflict(`The directory ${dir.path} of worker ${worker} is taken ${what}.`, ours);
    });
  }

  start(bodyId: string): Promise<void> {
    return callBody(`start body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found || found.lost) throw gone(bodyId);
      if (found.dir.writtenAt('started') !== undefined) return;
      const places = await this.#work.of(found.made);
      const user = found.made.layout === 2 ? this.#options.user : undefined;
      await launch(found, { places, support: await this.#cgroups(), user }, () => {
        for (const hint of this.#hints) hint(found.made.worker_id);
      });
    });
  }

  deliver(bodyId: string, content: string): Promise<void> {
    return callBody(`deliver the secrets of body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      const pipe = found && (await this.#work.of(found.made)).pipe;
      return deliver(pipe, bodyId, content, this.#options.deliver_ms);
    });
  }

  terminate(bodyId: string): Promise<void> {
    return callBody(`end body ${bodyId}`, async () => {
      const found = await this.#bodyById(bodyId);
      if (found) await terminateAll(await this.#trace(found));
    });
  }

  kill(bodyId: string): Promise<void> {
    return callBody(`kill body ${bodyId}`, async () => {
      const found = await this.#bodyById(bodyId);
      const body = found && (await this.#observe(found, false));
      if (!body || body.state === 'created') return;
      // The shim dies with the rest, so the one who kills writes down that it did.
      if (body.state === 'running') await found.dir.writeOnce('killed', new Date().toISOString());
      await killAll(await this.#trace(found));
    });
  }

  remove(bodyId: string): Promise<void> {
    return callBody(`remove body ${bodyId}`, async () => {
      const found = await this.#bodyById(bodyId);
      if (!found) return;
      const { dir, made } = found;
      if (found.lost !== 'directory') await dir.fence();
      const trace = await this.#trace(found);
      await killAll(trace);
      await removeCgroups(trace.cgroups);
      if (found.lost !== 'directory') await dir.remove(this.#cell.path, bodyId);
      this.#cell.removed(made.worker_id);
      this.#lost.removed(bodyId);
      await this.#work.remove(bodyId);
      await rm(join(this.#cell.path, HINTS, made.worker_id), { force: true });
    });
  }

  limit(bodyId: string, spec: WorkerSpec): Promise<void> {
    return callBody(`limit body ${bodyId}`, async () => {
      const found = await this.#bodyById(bodyId);
      if (!found) throw new Fault('not_found', `Body ${bodyId} can't be limited: it is gone.`);
      const limits = limitsOf(spec);
      // Without rlimits, which a process that runs is not given any more.
      refuseUnsupported(limits, (await this.#cgroups()).limits);
      await makeCgroups((await this.#trace(found)).cgroups, limits);
    });
  }

  usage(bodyId: string): Promise<Usage> {
    return callBody(`measure body ${bodyId}`, async () => {
      const found = await this.#bodyById(bodyId);
      if (!found || (await this.#observe(found, false))?.state !== 'running') return {};
      return measure(await this.#trace(found), this.#table);
    });
  }

  watch(hint: (workerId: string | undefined) => void): { close(): Promise<void> } {
    const sources = watchCell({
      cell: { path: this.#cell.path, open: () => this.#open() },
      list: () => this.list(),
      pollMs: this.#options.poll_ms ?? POLL_MS,
      hint,
    });
    this.#hints.add(hint);
    const watch = {
      close: async () => {
        this.#hints.delete(hint);
        this.#watches.delete(watch);
        await sources.close();
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
    await call('dismantle the cell', async () => {
      await dismantleCgroups(await this.#cgroups());
      await this.#sweepWork();
      await this.#work.dismantle();
      await this.#cell.remove();
    });
  }

  #cgroups(): Promise<CgroupSupport> {
    const { cell, cgroups = true } = this.#options;
    this.#support ??= cgroups ? findCgroups(cell) : Promise.resolve(NO_CGROUPS);
    return this.#support;
  }

  #open(): Promise<void> {
    return this.#cell.open(this.#options.user !== undefined);
  }

  /** This very body, also if only its processes are left of it. */
  async #bodyById(bodyId: string): Promise<Found | undefined> {
    const found = await this.#cell.bodyById(bodyId);
    if (found) return found;
    const lost = await this.#lost.ofWorker(workerOf(bodyId) ?? '', bodyId);
    return lost.find(({ made }) => made.id === bodyId);
  }

  async #observe(found: Found, withTail: boolean): Promise<Body | undefined> {
    return observe(found, deriveCgroups(await this.#cgroups(), found.made.id), withTail);
  }

  /** The body that was found, or `undefined` if there is none left, or it is just being removed. */
  async #look(found: Found, withTail: boolean): Promise<Body | undefined> {
    const body = await this.#observe(found, withTail);
    if (body === undefined || body.state === 'running' || found.lost) return body;
    // Removed while it was looked at: its files were missing for that reason alone.
    if ((await found.dir.identity()) !== found.identity) return undefined;
    if (body.state === 'exited') await this.#clean(found.made);
    return body;
  }

  /** The shim deletes the secrets of a body that ends; this is for one that was killed with its shim. */
  async #clean(made: BodyRecord): Promise<void> {
    if (!made.spec.includes('"secrets"') || this.#cleaned.has(made.id)) return;
    await this.#work.removeSecrets(made);
    this.#cleaned.add(made.id);
  }

  /** What the kernel is asked to find all processes of a body. */
  async #trace({ dir, made }: Found): Promise<Trace> {
    const cgroups = deriveCgroups(await this.#cgroups(), made.id);
    const trace = { bodyId: made.id, shim: dir.pid(), cgroups };
    const shim = await liveShim(trace);
    // Made by a manager that has run in another cgroup than this one.
    if (shim && !pidsIn(cgroups.slice(0, 1)).includes(shim.pid)) {
      const others = await cgroupsOfProcess(shim.pid, made.cell, made.id);
      if (others.length > 0) return { ...trace, cgroups: others };
    }
    return trace;
  }

  /** Deletes the folders of workers whose bodies are gone, but not those that may be in the making. */
  async #sweepWork(): Promise<void> {
    for (const { id, since } of await this.#work.list()) {
      if (Date.now() - since < DRAFT_LIFE_MS) continue;
      const dir = new BodyDirectory(this.#cell.path, workerOf(id) ?? '');
      const place = await dir.identity();
      if (place !== undefined && [undefined, id].includes(await dir.idOf(workerOf(id) ?? ''))) continue;
      if (!(await this.#bodyById(id))) await this.#work.remove(id);
    }
  }
}
