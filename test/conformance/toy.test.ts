/** The suite that every runtime passes, for a runtime that is easy to write. */
import { rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import type { Body } from '../../src/model/index.ts';
import { runtimeConformance, type Subject, workerSpec } from './runtime.ts';
import { READY, shellProgram } from './shell-programs.ts';
import { createToyRuntime, ToyEngine } from './toy-runtime.ts';

runtimeConformance('toy', makeSubject, {
  skip: {
    oom: 'a toy limits nothing',
    grandchildren: 'a toy ends process groups, and no session of their own',
    outlivesName: 'bodies of a toy have no name beside their ID',
    reconnect: 'a toy has no connection that could break',
    pause: 'a toy reports no paused bodies',
  },
});

/** So that the file that says ready is never that of an earlier body. */
const OWN = { workspace: { persist: 'body' } } as const;

async function makeSubject(): Promise<Subject> {
  const engine = new ToyEngine();
  const make = (cell: string) => createToyRuntime(engine, { cell, argv: ['/nowhere/wrapper'] });
  const [runtime, second, otherCell] = [make('one'), make('one'), make('two')];
  const group = ({ id }: Body) => engine.bodies.get(id)?.child?.pid;
  return {
    runtime,
    second,
    otherCell,
    order: (worker_id, program) => ({
      worker_id,
      incarnation: 1,
      spec: workerSpec(OWN),
      spec_hash: 'a'.repeat(64),
      epoch: 1,
      env: { WORKER_ID: worker_id },
      argv: shellProgram(program, { sessions: false }),
    }),
    settled: async ({ id }) => {
      await vi.waitFor(() => stat(join(engine.root, id, READY)), { timeout: 10_000, interval: 10 });
    },
    killFromOutside: async (body) => void process.kill(group(body) ?? 0, 'SIGKILL'),
    alive: async (body) => (isAlive(group(body)) ? 1 : 0),
    occupyName: async (worker) => {
      engine.occupied.add(worker);
      return {
        isThere: async () => engine.occupied.has(worker),
        remove: async () => void engine.occupied.delete(worker),
      };
    },
    close: async () => {
      for (const each of [second, otherCell]) for (const { id } of await each.list()) await each.remove(id);
      for (const each of [runtime, second, otherCell]) await each.close();
      expect(engine.events.listenerCount('change')).toBe(0);
      rmSync(engine.root, { recursive: true });
    },
  };
}

function isAlive(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(-pid, 0);
  } catch {
    return false;
  }
}
