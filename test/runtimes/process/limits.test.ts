import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import { BodyRefused, RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { processesOf } from './processes.ts';

import {
  CELL,
  cgroupsOfWorker,
  order,
  PATIENCE,
  place,
  reach,
  reopen,
  root,
  run,
  runtime,
  sh,
  useProcessRuntime,
} from './world.ts';

useProcessRuntime();

describe('limits', () => {
  const supported = async (limit: 'memory' | 'cpus' | 'pids') => (await runtime.probe()).limits[limit];
  const cgroupFile = async (controller: string, file: string) => {
    const dirs = await cgroupsOfWorker();
    const dir = dirs.find((path) => path.includes(`/${controller}/`)) ?? dirs[0] ?? '';
    return (await readFile(join(dir, file), 'utf8')).trim();
  };

  test('of processes bound a fork bomb', async ({ skip }) => {
    const { supported: can, how } = await supported('pids');
    if (!can) skip(`no limit of processes: ${how}`);
    const body = await run(sh('i=0; while [ $i -lt 60 ]; do sleep 300 & i=$((i+1)); done; wait'), {
      pids: 12,
    });
    // Dash ends at its first fork that fails; its children keep running, or end with it.
    await reach('exited');
    expect((await processesOf(body.id)).length).toBeLessThanOrEqual(12);
    expect(Number(/max (\d+)/.exec(await cgroupFile('pids', 'pids.events'))?.[1])).toBeGreaterThan(0);
  });

  test('of CPU are set in the kernel', async ({ skip }) => {
    const { supported: can, how } = await supported('cpus');
    if (!can) skip(`no limit of CPU: ${how}`);
    await run(sh(': >ready; while :; do :; done'), { cpus: 0.2 });
    const throttled = async () =>
      Number(/^nr_throttled (\d+)$/m.exec(await cgroupFile('cpu', 'cpu.stat'))?.[1]);
    await vi.waitFor(async () => expect(await throttled()).toBeGreaterThan(2), PATIENCE);
  });

  test('of memory end a program without a cgroup as well', async ({ skip }) => {
    if (process.platform !== 'linux') skip('macOS ignores the rlimit');
    reopen(false);
    await run(sh('head -c 300000000 /dev/zero | tail'), { memory: '64m' });
    const body = await reach('exited');
    expect(body.exit_code).not.toBe(0);
    expect(body.tail).toMatch(/memory/i);
  });

  test('that cannot be enforced here are rejected before anything is created', async () => {
    reopen(false);
    const { limits } = await runtime.probe();
    expect(limits.pids).toMatchObject({ supported: false, how: expect.stringMatching(/\S/) });
    await expect(runtime.create(order(sh('true'), { pids: 64 }))).rejects.toBeInstanceOf(BodyRefused);
    await expect(runtime.create(order(sh('true'), { cpus: 1 }))).rejects.toMatchObject({
      reason: 'Unsupported',
    });
    expect(await runtime.list()).toEqual([]);
  });

  test('that the kernel rejects fail only that body, with the limit, and not the runtime', async ({
    skip,
  }) => {
    const { limits } = await runtime.probe();
    if (!limits.pids.how.startsWith('cgroup')) skip(`no cgroup: ${limits.pids.how}`);
    // One more than PID_MAX_LIMIT allows; a create with it would be rejected earlier.
    const { id } = await runtime.create(order(['sleep', '300'], { pids: 4_194_306 }));
    const error = await runtime.start(id).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BodyRefused);
    expect(error).toMatchObject({ reason: 'LimitRefused', message: expect.stringContaining('4194306') });
  });

  test('can be raised and lowered on a living body, and a refused one leaves the runtime in use', async ({
    skip,
  }) => {
    const { limits } = await runtime.probe();
    if (!limits.memory.adjustable) skip(`no memory cgroup: ${limits.memory.how}`);
    const { id } = await run(['sleep', '300'], { memory: '64m' });
    const limitOf = async () =>
      Number(
        (
          await cgroupFile('memory', 'memory.limit_in_bytes').catch(() => cgroupFile('memory', 'memory.max'))
        ).trim(),
      );
    for (const memory of ['128m', '32m', '96m']) {
      await runtime.limit(id, workerSpec({ resources: { memory } }));
      expect(await limitOf()).toBe(parseInt(memory, 10) * 1024 ** 2);
    }
    const refused = runtime.limit(id, workerSpec({ resources: { pids: 4_194_306 } }));
    await expect(refused).rejects.not.toBeInstanceOf(RuntimeDown);
  });

  test('of the operator apply to a body without its own', async ({ skip }) => {
    const { limits } = await runtime.probe();
    if (!limits.pids.adjustable) skip(`no cgroup: ${limits.pids.how}`);
    const defaults = { memory_bytes: 256 * 1024 ** 2, pids: 77, open_files: 123 };
    const limited = createProcessRuntime({ cell: CELL, root, wrapper: { argv: ['?'] }, defaults });
    const { id } = await limited.create(order(sh('ulimit -n; sleep 300'), { pids: 55 }));
    await limited.start(id);
    await vi.waitFor(async () => expect(await readFile(place('log'), 'utf8')).toBe('123\n'), PATIENCE);
    expect((await cgroupFile('pids', 'pids.max')).trim()).toBe('55');
    const memory = await cgroupFile('memory', 'memory.limit_in_bytes').catch(() =>
      cgroupFile('memory', 'memory.max'),
    );
    expect(memory.trim()).toBe(String(256 * 1024 ** 2));
    await limited.close();
  });

  test('leave no cgroup behind', async () => {
    const { id } = await run(sh('exec sleep 300'));
    const dirs = await cgroupsOfWorker();
    await runtime.remove(id);
    await runtime.dismantle();
    for (const dir of dirs) await expect(stat(dir)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
