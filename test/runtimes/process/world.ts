/** A process runtime in a folder of its own for each test, removed with its bodies afterwards. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Body, WorkerSpec } from '../../../src/model/index.ts';
import { deriveCgroups, findCgroups } from '../../../src/runtimes/process/cgroup-support.ts';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';

export const MANAGER = fileURLToPath(new URL('./manager.ts', import.meta.url));
/** Its cgroups belong to this run only. */
export const CELL = `one-${randomUUID().slice(0, 8)}`;
export const PATIENCE = { timeout: 15_000, interval: 20 };
export const SECRET = 'redis://worker:very-secret@127.0.0.1:1/0';

export let root: string;
export let runtime: Runtime;
export let worker: string;
export let strangers: ChildProcess[];

export const make = (cgroups = true) =>
  createProcessRuntime({ cell: CELL, root, wrapper: { argv: ['/nowhere/wrapper'] }, cgroups });
/** Replaces the runtime, as a manager does that starts again. */
export const reopen = (cgroups = true): void => {
  runtime = make(cgroups);
};
/** The files of these bodies end with them, so that `workspace` is that of the only body. */
const OWN = { workspace: { persist: 'body' } } as const;
export const sh = (script: string) => ['/bin/sh', '-c', script];
export const order = (argv: string[], resources?: WorkerSpec['resources']) => ({
  worker_id: worker,
  incarnation: 1,
  spec: workerSpec({ ...OWN, ...(resources ? { resources } : {}) }),
  spec_hash: 'a'.repeat(64),
  epoch: 1,
  env: { WORKER_ID: worker, REDIS_URL: SECRET },
  argv,
});
export const place = (...names: string[]) => join(root, CELL, worker, ...names);
export const find = async () => (await runtime.find(worker, undefined))[0];
export const reach = (state: Body['state']): Promise<Body> =>
  vi.waitFor(async () => {
    const body = await find();
    expect(body?.state).toBe(state);
    return body as Body;
  }, PATIENCE);
export const run = async (argv: string[], resources?: WorkerSpec['resources']): Promise<Body> => {
  const { id } = await runtime.create(order(argv, resources));
  await runtime.start(id);
  return (await find()) as Body;
};
/** WORKSPACE_PATH of the worker's only body. */
export const workspace = async (...names: string[]) => {
  const [id = ''] = (await readdir(join(root, CELL, '.work'))).filter((name) => name.endsWith(worker));
  return join(root, CELL, '.work', id, 'workspace', ...names);
};
export const ready = (name = 'ready') => vi.waitFor(async () => stat(await workspace(name)), PATIENCE);
/** The cgroups of the worker's only body, as the kernel reports them. */
export const cgroupsOfWorker = async () => deriveCgroups(await findCgroups(CELL), (await find())?.id ?? '');
/** A process that is not ours. */
export const stranger = (): ChildProcess & { pid: number } => {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  strangers.push(child);
  return child as ChildProcess & { pid: number };
};

/** Registers the hooks that give each test of the calling file a runtime. */
export function useProcessRuntime(): void {
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'wm-process-'));
    runtime = make();
    worker = randomUUID();
    strangers = [];
  });
  afterEach(async () => {
    for (const child of strangers) child.kill('SIGKILL');
    const last = make();
    for (const { id } of await last.list().catch(() => [])) await last.remove(id);
    await last.dismantle().catch(() => undefined);
    await rm(root, { recursive: true, force: true });
  });
}
