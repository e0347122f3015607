/**
 * Bodies as process groups of this machine (the "direct" mode). Owns `<root>/<cell>/`, with one directory per
 * body. The directory contains everything that is known about the body (see `body-directory.ts`), so that any
 * manager finds it again. The folders that the workers write are separate (see `work-directory.ts`).
 *
 * Invariants:
 * - A body's directory is named by its worker ID only.
 * - A file never decides which process gets a signal. Cgroups are derived from the body's ID, and a process
 *   is signalled only if the kernel proves that it belongs to the body (see `members.ts`).
 * - A body whose directory is gone is searched for before it is reported as absent.
 * - A problem with one body's files does not fail a call about another body.
 * - A body has its own session under `shim.sh` and never depends on the manager.
 * - Nothing outside the root is written or deleted, except for the body's folder in memory, and no symbolic
 *   link is followed.
 * - Credentials are only in files that their owner alone can read and in the body's environment, never in an
 *   argument.
 *
 * Must not import the store, the queue or the loop.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { type Body, Fault, type ResourceUsage, type WorkerSpec, type Workspace } from '../../model/index.ts';
import { noDoor } from '../no-door.ts';
import type { BodyOrder, Runtime, RuntimeInfo } from '../runtime.ts';
import { Bodies } from './bodies.ts';
import { call, callBody } from './call.ts';
import { dismantleCgroups } from './cgroup-support.ts';
import { makeCgroups, removeCgroups } from './cgroups.ts';
import { connectToSocket } from './connect.ts';
import { createBody } from './create-body.ts';
import { deliverToPipe } from './deliver.ts';
import { ProcessHost } from './host.ts';
import { bodyGone, launch } from './launch.ts';
import { rejectUnsupportedLimits, toBodyLimits } from './limits.ts';
import { measure, sharedTable } from './measure.ts';
import { killAll, terminateAll } from './members.ts';
import type { ProcessRuntimeOptions } from './process-options.ts';
import { EVENTS_DIRECTORY, watchCell } from './watch.ts';
import { WrapperCopy } from './wrapper-copy.ts';

/** Creates the runtime; it does not touch anything before the first call. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  return new ProcessRuntime(options);
}

const CELL = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const POLL_MS = 10_000;

class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #options: ProcessRuntimeOptions;
  readonly #host: ProcessHost;
  readonly #bodies: Bodies;
  readonly #listeners = new Set<(workerId: string | undefined) => void>();
  readonly #watches = new Set<{ close(): Promise<void> }>();
  readonly #table = sharedTable();
  readonly #wrapper: WrapperCopy;

  constructor(options: ProcessRuntimeOptions) {
    if (!CELL.test(options.cell))
      throw new Fault('invalid_command', `The cell ${options.cell} can't be a directory.`);
    this.#options = options;
    this.#host = new ProcessHost(options);
    this.#bodies = new Bodies(options.root, options.cell, () => this.#host.cgroups());
    this.#wrapper = new WrapperCopy(this.#bodies.cell.path, options.wrapper.argv);
  }

  probe(): Promise<RuntimeInfo> {
    return call('be used', async () => {
      this.#host.refresh();
      await this.#open();
      await this.#bodies.cell.sweep();
      await this.#bodies.sweepWork();
      await this.#bodies.workspaces.sweep();
      return this.#host.info();
    });
  }

  list(): Promise<Body[]> {
    return call('list the bodies', () => this.#bodies.list());
  }

  find(worker: string, knownId: string | undefined): Promise<Body[]> {
    return call(`look for the body of worker ${worker}`, () => this.#bodies.ofWorker(worker, knownId));
  }

  create(order: BodyOrder): Promise<Body> {
    return callBody(`make a body of worker ${order.worker_id}`, () =>
      createBody(order, {
        bodies: this.#bodies,
        host: this.#host,
        options: this.#options,
        wrapper: this.#wrapper,
        open: () => this.#open(),
      }),
    );
  }

  start(bodyId: string): Promise<void> {
    return callBody(`start body ${bodyId}`, async () => {
      const found = await this.#bodies.cell.bodyById(bodyId);
      if (!found || found.lost) throw bodyGone(bodyId);
      if (found.dir.writtenAt('started') !== undefined) return;
      const places = await this.#bodies.work.of(found.made);
      const { user } = found.made.layout === 2 ? await this.#host.user() : {};
      if (user) await this.#bodies.work.give(found.made, user);
      await launch(found, { places, support: await this.#host.cgroups(), user }, () => {
        for (const onEvent of this.#listeners) onEvent(found.made.worker_id);
      });
    });
  }

  deliver(bodyId: string, content: string): Promise<void> {
    return callBody(`deliver the secrets of body ${bodyId}`, async () => {
      const found = await this.#bodies.cell.bodyById(bodyId);
      const pipe = found && (await this.#bodies.work.of(found.made)).pipe;
      return deliverToPipe(pipe, bodyId, content, this.#options.deliver_ms);
    });
  }

  connect(bodyId: string): Promise<Duplex> {
    return callBody(`connect to body ${bodyId}`, async () => {
      const found = await this.#bodies.byId(bodyId);
      const body = found && (await this.#bodies.observe(found, false));
      if (!found || !body) throw noDoor(bodyId, 'not_found', 'it does not exist any more');
      if (body.state !== 'running') throw noDoor(bodyId, 'conflict', 'it is not running');
      return connectToSocket(await this.#bodies.work.of(found.made), bodyId);
    });
  }

  terminate(bodyId: string): Promise<void> {
    return callBody(`end body ${bodyId}`, async () => {
      const found = await this.#bodies.byId(bodyId);
      if (found) await terminateAll(await this.#bodies.trace(found));
    });
  }

  kill(bodyId: string): Promise<void> {
    return callBody(`kill body ${bodyId}`, async () => {
      const found = await this.#bodies.byId(bodyId);
      const body = found && (await this.#bodies.observe(found, false));
      if (!body || body.state === 'created') return;
      // The shim is killed with the rest, so the killer records the kill.
      if (body.state === 'running') await found.dir.writeOnce('killed', new Date().toISOString());
      await killAll(await this.#bodies.trace(found));
    });
  }

  remove(bodyId: string): Promise<void> {
    return callBody(`remove body ${bodyId}`, async () => {
      const found = await this.#bodies.byId(bodyId);
      if (!found) return;
      const { dir, made } = found;
      if (found.lost !== 'directory') await dir.fence();
      const trace = await this.#bodies.trace(found);
      await killAll(trace);
      await removeCgroups(trace.cgroups);
      // Before the directory, which a failed removal needs for its next attempt.
      await this.#bodies.work.remove(bodyId);
      if (found.lost !== 'directory') await dir.remove(this.#bodies.cell.path, bodyId);
      this.#bodies.cell.removed(made.worker_id);
      this.#bodies.lost.removed(bodyId);
      await rm(join(this.#bodies.cell.path, EVENTS_DIRECTORY, made.worker_id), { force: true });
    });
  }

  listWorkspaces(): Promise<Workspace[]> {
    return call('list the workspaces', () => this.#bodies.workspaces.list());
  }

  removeWorkspace(id: string): Promise<void> {
    return call(`delete the workspace ${id}`, () =>
      this.#bodies.workspaces.remove(id, (worker) => this.#bodies.uses(worker, id)),
    );
  }

  limit(bodyId: string, spec: WorkerSpec): Promise<void> {
    return callBody(`limit body ${bodyId}`, async () => {
      const found = await this.#bodies.byId(bodyId);
      if (!found)
        throw new Fault('not_found', `Body ${bodyId} can't be limited: it does not exist any more.`);
      const limits = toBodyLimits(spec);
      // Without rlimits, which cannot be added to a running process.
      rejectUnsupportedLimits(limits, (await this.#host.cgroups()).limits);
      await makeCgroups((await this.#bodies.trace(found)).cgroups, limits);
    });
  }

  usage(bodyId: string): Promise<ResourceUsage> {
    return callBody(`measure body ${bodyId}`, async () => {
      const found = await this.#bodies.byId(bodyId);
      if (!found || (await this.#bodies.observe(found, false))?.state !== 'running') return {};
      return measure(await this.#bodies.trace(found), this.#table);
    });
  }

  watch(onEvent: (workerId: string | undefined) => void): { close(): Promise<void> } {
    const sources = watchCell({
      cell: { path: this.#bodies.cell.path, open: () => this.#open() },
      list: () => this.list(),
      pollMs: this.#options.poll_ms ?? POLL_MS,
      onEvent,
    });
    this.#listeners.add(onEvent);
    const watch = {
      close: async () => {
        this.#listeners.delete(onEvent);
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
      await dismantleCgroups(await this.#host.cgroups());
      await this.#bodies.sweepWork();
      await this.#bodies.work.dismantle();
      await this.#bodies.workspaces.dismantle();
      await this.#bodies.cell.remove();
    });
  }

  async #open(): Promise<void> {
    await this.#bodies.cell.open((await this.#host.user()).user !== undefined);
  }
}
