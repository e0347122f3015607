import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Body } from '../../../src/model/index.ts';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import { readProcess } from '../../../src/runtimes/process/process-table.ts';
import { processesOf } from './processes.ts';

import {
  CELL,
  find,
  MANAGER,
  order,
  PATIENCE,
  place,
  reach,
  ready,
  reopen,
  root,
  run,
  runtime,
  sh,
  useProcessRuntime,
  worker,
  workspace,
} from './world.ts';

useProcessRuntime();

describe('when the shim is killed', () => {
  const shimOf = async (body: Body) =>
    (await processesOf(body.id)).find(({ argv }) => argv[1]?.endsWith('shim.sh'));

  test('its body is still observed, ended and reported as lost', async () => {
    const body = await run(sh(': >ready; exec sleep 300'));
    await ready();
    const shim = await shimOf(body);
    process.kill(shim?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(async () => expect(await processesOf(body.id)).toHaveLength(1), PATIENCE);
    expect(await find()).toMatchObject({ id: body.id, state: 'running' });
    await runtime.terminate(body.id);
    const ended = await reach('exited');
    expect(ended.exit_code).toBeUndefined();
    expect(ended.lost?.reason).toBe('SupervisorLost');
    expect(ended.error).toBeUndefined();
  });

  test('with everything else by us, the kill is reported', async () => {
    const body = await run(sh('exec sleep 300'));
    await runtime.kill(body.id);
    expect(await find()).toMatchObject({ state: 'exited', exit_code: 137, oom_killed: false });
    expect(await processesOf(body.id)).toEqual([]);
  });
});

test('a program ended by a real-time signal fails with an exit code for the signal', async () => {
  await run(sh('kill -40 $$'));
  expect(await reach('exited')).toMatchObject({ exit_code: 128 + 40 });
});

describe('when the manager is killed', () => {
  /**
   * A manager in its own process has created and started a body; returns the body's ID after a SIGKILL of the
   * manager.
   */
  const crash = async (argv: string[]): Promise<string> => {
    const manager = spawn(
      process.execPath,
      [MANAGER, JSON.stringify({ root, cell: CELL, order: order(argv) })],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const exit = once(manager, 'exit');
    const [line] = await once(manager.stdout, 'data');
    manager.kill('SIGKILL');
    expect((await exit)[1]).toBe('SIGKILL');
    return String(line).trim();
  };

  test('its body keeps running and is found by the next one', async () => {
    const id = await crash(sh('trap "exit 7" TERM; : >ready; while :; do sleep 0.1; done'));
    await ready();
    expect(await find()).toMatchObject({ id, state: 'running' });
    await runtime.terminate(id);
    expect(await reach('exited')).toMatchObject({ id, exit_code: 7 });
  });

  test('the exit code of a body that ends unwatched is kept', async () => {
    const id = await crash(sh('while ! [ -e go ]; do sleep 0.02; done; exit 5'));
    await writeFile(await workspace('go'), '');
    await vi.waitFor(() => stat(place('exit')), PATIENCE);
    expect(await find()).toMatchObject({ id, state: 'exited', exit_code: 5, oom_killed: false });
  });

  test('the next one detects an end without a child of its own', async () => {
    const id = await crash(sh('trap "exit 0" TERM; : >ready; while :; do sleep 0.1; done'));
    await ready();
    const hints: (string | undefined)[] = [];
    const watch = runtime.watch((hint) => hints.push(hint));
    // Events arrive in order: after this one, no earlier event is pending.
    const marker = randomUUID();
    await vi.waitFor(async () => {
      await writeFile(join(root, CELL, '.hints', marker), '');
      expect(hints).toContain(marker);
    }, PATIENCE);
    hints.length = 0;
    await runtime.terminate(id);
    // Sooner than the next slow resync.
    await vi.waitFor(() => expect(hints).toContain(worker), { timeout: 8000, interval: 20 });
    await vi.waitFor(() => stat(place('exit')), PATIENCE);
    await watch.close();
  });
});

describe('kill', () => {
  test('reaches a grandchild that has left session and parent', async () => {
    reopen(false);
    const body = await run(sh('(setsid sh -c ": >ready; exec sleep 300" &) ; exec sleep 300'));
    await ready();
    expect((await processesOf(body.id)).length).toBeGreaterThanOrEqual(3);
    await runtime.kill(body.id);
    expect(await processesOf(body.id)).toEqual([]);
  });

  test('reaches one that has dropped its environment too, if there are cgroups', async ({ skip }) => {
    const { version } = await runtime.probe();
    if (version.includes('no cgroup')) skip(`there are no cgroups: ${version}`);
    const body = await run(
      sh('(setsid env -i sh -c "echo \\$\\$ >hidden; exec sleep 300" &) ; exec sleep 300'),
    );
    const pid = await vi.waitFor(async () => {
      const text = await readFile(await workspace('hidden'), 'utf8');
      expect(text).toMatch(/^\d+\n$/);
      return Number(text);
    }, PATIENCE);
    expect(await readProcess(pid)).toBeDefined();
    await runtime.kill(body.id);
    await vi.waitFor(async () => expect(await readProcess(pid)).toBeUndefined(), PATIENCE);
  });

  test('spares a body of the same worker and cell in another home', async () => {
    const home = await mkdtemp(join(tmpdir(), 'wm-process-other-'));
    const other = createProcessRuntime({ cell: CELL, root: home, wrapper: { argv: ['/nowhere/wrapper'] } });
    try {
      const theirs = await other.create(order(sh('exec sleep 300')));
      await other.start(theirs.id);
      const { id } = await run(sh('exec sleep 300'));
      await runtime.kill(id);
      await runtime.remove(id);
      expect(await other.list()).toMatchObject([{ id: theirs.id, state: 'running' }]);
    } finally {
      for (const { id } of await other.list()) await other.remove(id);
      await rm(home, { recursive: true, force: true });
    }
  });

  test('by remove also ends what an ended body has left behind', async () => {
    reopen(false);
    const body = await run(
      sh('(setsid sh -c ": >ready; exec sleep 300" &); while ! [ -e ready ]; do :; done; exit 0'),
    );
    await reach('exited');
    // The shim writes the exit status, and exits after that.
    await vi.waitFor(async () => expect(await processesOf(body.id)).toHaveLength(1), PATIENCE);
    await runtime.remove(body.id);
    expect(await processesOf(body.id)).toEqual([]);
  });
});

test('a SIGTERM right after the start is never lost', async () => {
  for (let round = 0; round < 15; round += 1) {
    const { id } = await run(sh('exec sleep 300'));
    await runtime.terminate(id);
    expect(await reach('exited')).toMatchObject({ exit_code: 143 });
    await runtime.remove(id);
  }
});

test('no zombie of a body stays with its manager', async () => {
  await run(sh('exit 3'));
  await reach('exited');
  await vi.waitFor(async () => {
    const stats = await Promise.all(
      (await readdir('/proc')).map((pid) => readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')),
    );
    expect(stats.filter((text) => text.includes(`) Z ${process.pid} `))).toEqual([]);
  }, PATIENCE);
});
