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
import { rm } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { type Body, Fault, type Usage, type WorkerSpec, workerId } from '../../model/index.ts';
import { BodyConflict, type BodyOrder, type Runtime, type RuntimeInfo } from '../runtime.ts';
import { BodyDirectory, type BodyRecord, newBodyId } from './body-directory.ts';
import { call } from './call.ts';
import { CellDirectory, type Found } from './cell-directory.ts';
import { type CgroupSupport, dismantleCgroups, findCgroups, NO_CGROUPS } from './cgroup-support.ts';
import { makeCgroups, removeCgroups } from './cgroups.ts';
import { deliver } from './deliver.ts';
import { gone, launch } from './launch.ts';
import { limitsOf, refuseUnsupported, withRlimit } from './limits.ts';
import { measure, sharedTable } from './measure.ts';
import { killAll, type Trace, terminateAll } from './members.ts';
import { cgroupsOf, look, observe } from './observe.ts';
import type { ProcessRuntimeOptions } from './process-options.ts';
import { titleOf } from './title.ts';
import { HINTS, watchCell } from './watch.ts';

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
  #support: Promise<CgroupSupport> | undefined;

  constructor(options: ProcessRuntimeOptions) {
    if (!CELL.test(options.cell))
      throw new Fault('invalid_command', `The cell ${options.cell} can't be a directory.`);
    this.#options = options;
    this.#cell = new CellDirectory(options.root, options.cell);
  }

  probe(): Promise<RuntimeInfo> {
    return call('be used', async () => {
      await this.#cell.open();
      await this.#cell.sweep();
      const { version, limits } = await this.#cgroups();
      const means = version ? `cgroup ${version}` : 'no cgroup';
      return {
        name: this.name,
        version: `process (${process.platform}, ${means})`,
        limits: withRlimit(limits),
        machine: { cores: availableParallelism(), memory_bytes: totalmem(), local: true },
      };
    });
  }

  list(): Promise<Body[]> {
    return call('list the bodies', async () => {
      const names = await this.#cell.workers();
      const limit = pLimit(LOOKS_AT_ONCE);
      const bodies = await Promise.all(
        names.map((name) => limit(async () => look(await this.#cell.read(name), false))),
      );
      return bodies.filter((body) => body !== undefined);
    });
  }

  /** The directory's name is the body's only place, so the known id tells nothing more. */
  find(worker: string, _knownId: string | undefined): Promise<Body[]> {
    return call(`look for the body of worker ${worker}`, async () => {
      const body = await look(await this.#cell.body(worker), true);
      return body ? [body] : [];
    });
  }

  create(order: BodyOrder): Promise<Body> {
    return call(`make a body of worker ${order.worker_id}`, async () => {
      const worker = workerId.parse(order.worker_id);
      const limits = limitsOf(order.spec);
      refuseUnsupported(limits, withRlimit((await this.#cgroups()).limits));
      await this.#cell.open();
      const made: BodyRecord = {
        id: newBodyId(worker),
        cell: this.#options.cell,
        worker_id: worker,
        incarnation: order.incarnation,
        spec_hash: order.spec_hash,
        spec: JSON.stringify(order.spec),
        epoch: order.epoch,
        created_at: (this.#options.now ?? Date.now)(),
        argv: order.argv ?? [...this.#options.wrapper.argv, titleOf(order.spec, worker)],
        env: order.env,
        limits,
      };
      const dir = new BodyDirectory(this.#cell.path, worker);
      if (await BodyDirectory.make(this.#cell.path, worker, made)) return observe(dir, made, false);
      const ours = (await this.#cell.body(worker)) !== undefined;
      const what = ours ? 'by another body of it' : 'by something that is not ours; move it away to go on';
      throw new BodyConflict(`The directory ${dir.path} of worker ${worker} is taken ${what}.`, ours);
    });
  }

  start(bodyId: string): Promise<void> {
    return call(`start body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found) throw gone(bodyId);
      if ((await found.dir.writtenAt('started')) !== undefined) return;
      await launch(found.dir, found.made, await this.#cgroups(), () => {
        for (const hint of this.#hints) hint(found.made.worker_id);
      });
    });
  }

  deliver(bodyId: string, content: string): Promise<void> {
    return call(`hand body ${bodyId} its secrets`, async () =>
      deliver(await this.#cell.bodyById(bodyId), bodyId, content, this.#options.deliver_ms),
    );
  }

  terminate(bodyId: string): Promise<void> {
    return call(`end body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found) return;
      await terminateAll(await traceOf(found));
    });
  }

  kill(bodyId: string): Promise<void> {
    return call(`kill body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found) return;
      const body = await observe(found.dir, found.made, false);
      // The shim dies with the rest, so the one who kills writes down that it did.
      if (body.state === 'running') await found.dir.writeOnce('killed', new Date().toISOString());
      if (body.state !== 'created') await killAll(await traceOf(found));
    });
  }

  remove(bodyId: string): Promise<void> {
    return call(`remove body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found) return;
      const { dir, made } = found;
      await dir.fence();
      const trace = await traceOf(found);
      await killAll(trace);
      await removeCgroups(trace.cgroups);
      await dir.remove(this.#cell.path, bodyId);
      await rm(join(this.#cell.path, HINTS, made.worker_id), { force: true });
    });
  }

  limit(bodyId: string, spec: WorkerSpec): Promise<void> {
    return call(`limit body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found) throw new Fault('not_found', `Body ${bodyId} can't be limited: it is gone.`);
      const limits = limitsOf(spec);
      // Without rlimits, which a process that runs is not given any more.
      refuseUnsupported(limits, (await this.#cgroups()).limits);
      await makeCgroups(await cgroupsOf(found.dir), limits);
    });
  }

  usage(bodyId: string): Promise<Usage> {
    return call(`measure body ${bodyId}`, async () => {
      const found = await this.#cell.bodyById(bodyId);
      if (!found || (await observe(found.dir, found.made, false)).state !== 'running') return {};
      return measure(await traceOf(found), this.#table);
    });
  }

  watch(hint: (workerId: string | undefined) => void): { close(): Promise<void> } {
    const sources = watchCell({
      cell: this.#cell,
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
      await this.#cell.remove();
    });
  }

  #cgroups(): Promise<CgroupSupport> {
    const { cell, cgroups = true } = this.#options;
    this.#support ??= cgroups ? findCgroups(cell) : Promise.resolve(NO_CGROUPS);
    return this.#support;
  }
}

async function traceOf({ dir, made }: Found): Promise<Trace> {
  return { bodyId: made.id, shim: await dir.pid(), cgroups: await cgroupsOf(dir) };
}
