import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Body } from '../../../src/model/index.ts';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import { readProcess } from '../../../src/runtimes/process/process-table.ts';
import type { BodyOrder, Runtime } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { processesOf } from './processes.ts';

export const PATIENCE = { timeout: 15_000, interval: 20 };

/** The bodies of one test and the files that they could change, and other processes of the machine. */
export class HostileWorld {
  /** Its cgroups belong to this run only. */
  readonly cell = `hostile-${process.pid}-${randomUUID().slice(0, 4)}`;
  root!: string;
  /** The manager under test; a test may continue with another one. */
  runtime!: Runtime;
  #others: ChildProcess[] = [];

  /** Registers the hooks that make the folder of each test, and remove everything in it. */
  constructor() {
    beforeEach(async () => {
      this.root = await mkdtemp(join(tmpdir(), 'wm-hostile-'));
      this.runtime = this.makeRuntime();
      this.#others = [];
    });
    afterEach(async () => {
      for (const child of this.#others) child.kill('SIGKILL');
      const last = this.makeRuntime();
      for (const { id } of await last.list()) await last.remove(id);
      await last.dismantle();
      await rm(this.root, { recursive: true, force: true });
    });
  }

  /** A manager without any cache. */
  makeRuntime(cgroups = true): Runtime {
    const wrapper = { argv: ['/nowhere/wrapper'] };
    return createProcessRuntime({ cell: this.cell, root: this.root, wrapper, cgroups });
  }

  order(worker: string, script: string): BodyOrder {
    return {
      worker_id: worker,
      incarnation: 1,
      spec: workerSpec({ workspace: { persist: 'body' } }),
      spec_hash: 'a'.repeat(64),
      epoch: 1,
      env: { WORKER_ID: worker, WORKER_INCARNATION: '1' },
      argv: ['/bin/sh', '-c', script],
    };
  }

  /** A path in the folder of a worker's body. */
  place(worker: string, ...names: string[]): string {
    return join(this.root, this.cell, worker, ...names);
  }

  /** A path in the workspace of a body. */
  workspace(id: string, name: string): string {
    return join(this.root, this.cell, '.work', id, 'workspace', name);
  }

  async run(script = 'exec sleep 300'): Promise<Body> {
    const worker = randomUUID();
    const { id } = await this.runtime.create(this.order(worker, script));
    await this.runtime.start(id);
    const [body] = await this.runtime.find(worker, id);
    return body as Body;
  }

  /** A process that is not a body's. */
  async startOther() {
    const child = spawn('sleep', ['300'], { stdio: 'ignore', detached: true }) as ChildProcess & {
      pid: number;
    };
    this.#others.push(child);
    const { start } = (await readProcess(child.pid)) ?? { start: '' };
    return { pid: child.pid, start, lives: async () => (await readProcess(child.pid))?.start === start };
  }
}

export const untilGone = (id: string) =>
  vi.waitFor(async () => expect(await processesOf(id)).toEqual([]), PATIENCE);
