import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { Body } from '../../src/model/index.ts';
import { createProcessRuntime } from '../../src/runtimes/process/process.ts';
import type { Runtime } from '../../src/runtimes/runtime.ts';
import { withClaims } from '../../src/runtimes/with-claims.ts';
import { MemoryBook } from '../pools/warm/memory-claim-store.ts';
import { processesOf } from '../runtimes/process/processes.ts';
import { signal } from '../support/processes.ts';
import { runtimeConformance, type Subject, workerSpec } from './runtime.ts';
import { READY, shellProgram } from './shell-programs.ts';

const SOON = { timeout: 10_000, interval: 10 };

const NO_ENVIRONMENTS = 'environments are not readable here';
const memory = await probeMemory();
const skip = {
  ...(process.platform === 'linux' ? {} : { grandchildren: NO_ENVIRONMENTS, outlivesName: NO_ENVIRONMENTS }),
};
runtimeConformance('process, seen through takeovers', () => makeSubject(true, throughTakeovers), {
  skip: { ...skip, ...(memory.startsWith('cgroup') ? {} : { oom: `no memory cgroup: ${memory}` }) },
});
runtimeConformance('process', () => makeSubject(true), {
  skip: { ...skip, ...(memory.startsWith('cgroup') ? {} : { oom: `no memory cgroup: ${memory}` }) },
});
runtimeConformance('process without cgroups', () => makeSubject(false), {
  skip: { ...skip, oom: 'an rlimit makes the allocation of the program fail instead' },
});

/** As a manager sees it: none of these bodies is claimed. */
function throughTakeovers(runtime: Runtime): Runtime {
  return withClaims(runtime, { claimStore: new MemoryBook(), specOf: async () => undefined, now: Date.now });
}

/** So that the file that says ready is never that of an earlier body. */
const OWN = { workspace: { persist: 'body' } } as const;

async function makeSubject(cgroups: boolean, seen = (runtime: Runtime) => runtime): Promise<Subject> {
  const root = await mkdtemp(join(tmpdir(), 'wm-process-'));
  const make = (cell: string) =>
    seen(
      createProcessRuntime({
        cell,
        root,
        wrapper: { argv: ['/nowhere/wrapper'] },
        poll_ms: 100,
        cgroups,
        deliver_ms: 3000,
      }),
    );
  const [runtime, second, otherCell] = [make('one'), make('one'), make('two')];
  const place = (worker: string) => join(root, 'one', worker);
  return {
    runtime,
    second,
    otherCell,
    order: (worker_id, program) => ({
      worker_id,
      incarnation: 1,
      spec: workerSpec({ ...OWN, ...(program === 'oom' ? { resources: { memory: '96m' } } : {}) }),
      spec_hash: 'a'.repeat(64),
      epoch: 1,
      env: { WORKER_ID: worker_id },
      argv: shellProgram(program),
    }),
    settled: async ({ id }) => {
      await vi.waitFor(() => stat(join(root, 'one', '.work', id, 'workspace', READY)), SOON);
    },
    killFromOutside: async ({ id }: Body) => {
      // It reports that it is ready, and then becomes `sleep`.
      const main = await vi.waitFor(async () => {
        const found = (await processesOf(id)).find(({ argv }) => argv[0] === 'sleep');
        if (!found) throw new Error('its program is not there yet');
        return found;
      }, SOON);
      process.kill(main.pid, 'SIGKILL');
    },
    alive: async ({ id }) => (await processesOf(id)).length,
    occupyName: async (worker) => {
      await mkdir(join(place(worker), 'precious'), { recursive: true });
      return {
        isThere: async () => (await stat(join(place(worker), 'precious'))).isDirectory(),
        remove: () => rm(place(worker), { recursive: true }),
      };
    },
    // With a name that the cleanup finds.
    renameAway: ({ worker_id }) => rename(place(worker_id), join(root, 'one', `.gone-${worker_id}`)),
    breakWatch: () => rm(join(root, 'one', '.hints'), { recursive: true }),
    pause: async ({ id }) => {
      for (const { pid } of await processesOf(id)) signal(pid, 'SIGSTOP');
    },
    close: async () => {
      for (const each of [second, otherCell]) {
        for (const { id } of await each.list()) await each.remove(id);
        await each.dismantle();
      }
      await runtime.close();
      expect(await readdir(root)).toEqual([]);
      await rm(root, { recursive: true });
    },
  };
}

async function probeMemory(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'wm-process-'));
  const runtime = createProcessRuntime({ cell: 'probe', root, wrapper: { argv: ['true'] } });
  const { limits } = await runtime.probe();
  await runtime.dismantle();
  await rm(root, { recursive: true });
  return limits.memory.how;
}
