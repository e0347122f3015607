/** What a body can do to its own files, which the manager reads. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  readFile,
  rm,
  rmdir,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import type { Body } from '../../../src/model/index.ts';
import { deriveCgroups, findCgroups } from '../../../src/runtimes/process/cgroup-support.ts';
import { selectBodyProcesses } from '../../../src/runtimes/process/members.ts';
import {
  readBootId,
  readProcess,
  readProcesses,
  sendTo,
} from '../../../src/runtimes/process/process-table.ts';
import { HostileWorld, PATIENCE, untilGone } from './hostile-world.ts';
import { processesOf } from './processes.ts';

const world = new HostileWorld();

describe('a file never decides which process gets a signal:', () => {
  test('not a list of cgroups, that names the cgroup of another process', async ({ skip }) => {
    const { bases } = await findCgroups(world.cell);
    const [base] = Object.values(bases);
    if (!base) skip('there are no cgroups here');
    const theirs = join(dirname(base as string), `stranger-${process.pid}`);
    await mkdir(theirs);
    const other = await world.startOther();
    await writeFile(join(theirs, 'cgroup.procs'), String(other.pid));
    const { id, worker_id } = await world.run();
    await writeFile(world.place(worker_id, 'cgroups'), theirs);
    world.runtime = world.makeRuntime();
    await world.runtime.kill(id);
    await world.runtime.remove(id);
    expect(await processesOf(id)).toEqual([]);
    expect(await other.lives()).toBe(true);
    process.kill(other.pid, 'SIGKILL');
    await vi.waitFor(() => rmdir(theirs), PATIENCE);
  });

  test('not a pid file that names another process, with the right start time and boot', async () => {
    const other = await world.startOther();
    const { id, worker_id } = await world.run();
    await writeFile(world.place(worker_id, 'pid'), `${other.pid}\n${other.start}\n${readBootId()}\n`);
    world.runtime = world.makeRuntime();
    expect(await world.runtime.find(worker_id, id)).toMatchObject([{ id, state: 'running' }]);
    await world.runtime.terminate(id);
    await world.runtime.kill(id);
    await world.runtime.remove(id);
    expect(await processesOf(id)).toEqual([]);
    expect(await other.lives()).toBe(true);
  });

  test('not a mark on PID 1, on the manager, or on what has started it', async () => {
    const all = await readProcesses();
    const ancestors = [1, process.pid, process.ppid];
    const bodies = all.map(({ pid }) => (ancestors.includes(pid) ? 'body' : undefined));
    const members = await selectBodyProcesses(
      { all, bodies },
      { bodyId: 'body', shim: undefined, cgroups: [] },
    );
    expect(members.map(({ pid }) => pid).filter((pid) => ancestors.includes(pid))).toEqual([]);
  });

  test.each([0, 1, -1, Number.NaN])('not the pid %s, which means more than one process', (pid) => {
    expect(() => sendTo(pid, 'SIGCONT')).toThrow(/nothing was sent/);
  });

  test('not an exit status that the shim has not written', async () => {
    const { id, worker_id } = await world.run();
    await writeFile(world.place(worker_id, 'exit'), '0\n');
    expect(await world.runtime.find(worker_id, id)).toMatchObject([{ id, state: 'running' }]);
    expect(await world.runtime.list()).toMatchObject([{ id, state: 'running' }]);
    await world.runtime.kill(id);
    await untilGone(id);
  });
});

describe('in the place of a body’s files,', () => {
  const FILES = ['body.json', 'pid', 'exit', 'error', 'killed', 'log', `id`] as const;
  const KINDS: Record<string, (path: string) => Promise<unknown>> = {
    'a named pipe': async (path) => execFileSync('mkfifo', [path]),
    'a link to an endless device': (path) => symlink('/dev/zero', path),
    'a link to itself': (path) => symlink(path, path),
    'a directory': (path) => mkdir(path),
    'a huge file': async (path) => {
      await appendFile(path, '');
      await truncate(path, 8 * 1024 ** 4);
    },
  };

  test.each(Object.keys(KINDS))('%s neither stops the manager nor hides or saves the body', async (kind) => {
    const well = await world.run();
    const hostile = new Map<string, Body>();
    for (const file of FILES) hostile.set(file, await world.run());
    for (const [file, { id, worker_id }] of hostile) {
      // As if it had been started long ago: a shim may take some seconds to write its pid.
      await utimes(world.place(worker_id, 'started'), 1, 1);
      const path = world.place(worker_id, file === 'id' ? `id.${id}` : file);
      await rm(path, { recursive: true, force: true });
      await KINDS[kind]?.(path);
    }
    for (const manager of [world.runtime, world.makeRuntime()]) {
      const listed = (await manager.list()).map(({ id, state }) => `${id} ${state}`).sort();
      expect(listed).toEqual([well, ...hostile.values()].map(({ id }) => `${id} running`).sort());
    }
    world.runtime = world.makeRuntime();
    for (const { id, worker_id } of hostile.values()) {
      expect(await world.runtime.find(worker_id, id)).toMatchObject([{ id, state: 'running' }]);
      await world.runtime.kill(id);
      expect(await processesOf(id)).toEqual([]);
      await world.runtime.find(worker_id, id);
      await world.runtime.remove(id);
      expect(existsSync(world.place(worker_id))).toBe(false);
    }
    expect(await world.runtime.list()).toMatchObject([{ id: well.id, state: 'running' }]);
  });

  test.each(Object.keys(KINDS))(
    '%s instead of its pipe for secrets is the failure of that body alone',
    async (kind) => {
      const { id } = await world.run('echo "$SECRETS_PIPE" >pipe; mv pipe ready; exec sleep 300');
      const ready = world.workspace(id, 'ready');
      const pipe = (await vi.waitFor(() => readFile(ready, 'utf8'), PATIENCE)).trim();
      await KINDS[kind]?.(pipe);
      await expect(world.runtime.deliver(id, '{}')).rejects.toMatchObject({ code: 'conflict' });
      await world.runtime.remove(id);
      expect(existsSync(pipe)).toBe(false);
    },
  );
});

test('a process that hides in a cgroup of its own within the body’s is found, and the cgroup removed', async ({
  skip,
}) => {
  const { bases } = await findCgroups(world.cell);
  if (Object.keys(bases).length === 0) skip('there are no cgroups here');
  const { id } = await world.run(
    '(setsid env -i sh -c "echo \\$\\$ >pid; mv pid hidden; exec sleep 300" &) ; exec sleep 300',
  );
  const hidden = world.workspace(id, 'hidden');
  const pid = Number(await vi.waitFor(() => readFile(hidden, 'utf8'), PATIENCE));
  const dirs = deriveCgroups(await findCgroups(world.cell), id);
  for (const dir of dirs) {
    await mkdir(join(dir, 'inner', 'innermost'), { recursive: true });
    await writeFile(join(dir, 'inner', 'innermost', 'cgroup.procs'), String(pid));
  }
  await world.runtime.remove(id);
  expect(await readProcess(pid)).toBeUndefined();
  for (const dir of dirs) expect(existsSync(dir)).toBe(false);
});

test('a search for many bodies needs few descriptors, and without any it does not report them as dead', () => {
  const script = `
    import { readTable } from '${new URL('../../../src/runtimes/process/members.ts', import.meta.url).href}';
    const tables = await Promise.all(Array.from({ length: 8 }, () => readTable()));
    const marks = tables.map(({ all, bodies }) => bodies[all.findIndex(({ pid }) => pid === process.pid)]);
    console.log([...new Set(marks)].join());`;
  const limited = [
    '-c',
    'ulimit -n 80; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    script,
  ];
  const env = { ...process.env, WORKER_BODY_ID: 'of-this-test' };
  expect(execFileSync('/bin/sh', limited, { encoding: 'utf8', env })).toBe('of-this-test\n');
});
