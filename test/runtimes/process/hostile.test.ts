/**
 * What a body can do to its own files, which the manager reads, and to its folder, in which the manager finds
 * it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Body } from '../../../src/model/index.ts';
import { deriveCgroups, findCgroups } from '../../../src/runtimes/process/cgroup-support.ts';
import { selectBodyProcesses } from '../../../src/runtimes/process/members.ts';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import {
  readBootId,
  readProcess,
  readProcesses,
  sendTo,
} from '../../../src/runtimes/process/process-table.ts';
import { BodyConflict, type Runtime } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { processesOf } from './processes.ts';

const PATIENCE = { timeout: 15_000, interval: 20 };
/** Its cgroups belong to this run only. */
const CELL = `hostile-${process.pid}`;

let root: string;
let runtime: Runtime;
let strangers: ChildProcess[];

/** A manager without any cache. */
const make = (cgroups = true) =>
  createProcessRuntime({ cell: CELL, root, wrapper: { argv: ['/nowhere/wrapper'] }, cgroups });
const order = (worker: string, script: string) => ({
  worker_id: worker,
  incarnation: 1,
  spec: workerSpec({ workspace: { persist: 'body' } }),
  spec_hash: 'a'.repeat(64),
  epoch: 1,
  env: { WORKER_ID: worker, WORKER_INCARNATION: '1' },
  argv: ['/bin/sh', '-c', script],
});
const place = (worker: string, ...names: string[]) => join(root, CELL, worker, ...names);
const run = async (script = 'exec sleep 300'): Promise<Body> => {
  const worker = randomUUID();
  const { id } = await runtime.create(order(worker, script));
  await runtime.start(id);
  const [body] = await runtime.find(worker, id);
  return body as Body;
};
const stranger = async () => {
  const child = spawn('sleep', ['300'], { stdio: 'ignore', detached: true }) as ChildProcess & {
    pid: number;
  };
  strangers.push(child);
  const { start } = (await readProcess(child.pid)) ?? { start: '' };
  return { pid: child.pid, start, lives: async () => (await readProcess(child.pid))?.start === start };
};
const dies = (id: string) => vi.waitFor(async () => expect(await processesOf(id)).toEqual([]), PATIENCE);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wm-hostile-'));
  runtime = make();
  strangers = [];
});
afterEach(async () => {
  for (const child of strangers) child.kill('SIGKILL');
  const last = make();
  for (const { id } of await last.list()) await last.remove(id);
  await last.dismantle();
  await rm(root, { recursive: true, force: true });
});

describe('a file never decides which process gets a signal:', () => {
  test('not a list of cgroups, that names the cgroup of another process', async ({ skip }) => {
    const { bases } = await findCgroups(CELL);
    const [base] = Object.values(bases);
    if (!base) skip('there are no cgroups here');
    const theirs = join(dirname(base as string), `stranger-${process.pid}`);
    await mkdir(theirs);
    const other = await stranger();
    await writeFile(join(theirs, 'cgroup.procs'), String(other.pid));
    const { id, worker_id } = await run();
    await writeFile(place(worker_id, 'cgroups'), theirs);
    runtime = make();
    await runtime.kill(id);
    await runtime.remove(id);
    expect(await processesOf(id)).toEqual([]);
    expect(await other.lives()).toBe(true);
    process.kill(other.pid, 'SIGKILL');
    await vi.waitFor(() => rmdir(theirs), PATIENCE);
  });

  test('not a pid file that names another process, with the right start time and boot', async () => {
    const other = await stranger();
    const { id, worker_id } = await run();
    await writeFile(place(worker_id, 'pid'), `${other.pid}\n${other.start}\n${readBootId()}\n`);
    runtime = make();
    expect(await runtime.find(worker_id, id)).toMatchObject([{ id, state: 'running' }]);
    await runtime.terminate(id);
    await runtime.kill(id);
    await runtime.remove(id);
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
    const { id, worker_id } = await run();
    await writeFile(place(worker_id, 'exit'), '0\n');
    expect(await runtime.find(worker_id, id)).toMatchObject([{ id, state: 'running' }]);
    expect(await runtime.list()).toMatchObject([{ id, state: 'running' }]);
    await runtime.kill(id);
    await dies(id);
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
    const well = await run();
    const hostile = new Map<string, Body>();
    for (const file of FILES) hostile.set(file, await run());
    for (const [file, { id, worker_id }] of hostile) {
      // As if it had been started long ago: a shim may take some seconds to write its pid.
      await utimes(place(worker_id, 'started'), 1, 1);
      const path = place(worker_id, file === 'id' ? `id.${id}` : file);
      await rm(path, { recursive: true, force: true });
      await KINDS[kind]?.(path);
    }
    for (const manager of [runtime, make()]) {
      const listed = (await manager.list()).map(({ id, state }) => `${id} ${state}`).sort();
      expect(listed).toEqual([well, ...hostile.values()].map(({ id }) => `${id} running`).sort());
    }
    runtime = make();
    for (const { id, worker_id } of hostile.values()) {
      expect(await runtime.find(worker_id, id)).toMatchObject([{ id, state: 'running' }]);
      await runtime.kill(id);
      expect(await processesOf(id)).toEqual([]);
      await runtime.find(worker_id, id);
      await runtime.remove(id);
      expect(existsSync(place(worker_id))).toBe(false);
    }
    expect(await runtime.list()).toMatchObject([{ id: well.id, state: 'running' }]);
  });

  test.each(Object.keys(KINDS))(
    '%s instead of its pipe for secrets is the failure of that body alone',
    async (kind) => {
      const { id } = await run('echo "$SECRETS_PIPE" >pipe; mv pipe ready; exec sleep 300');
      const ready = join(root, CELL, '.work', id, 'workspace', 'ready');
      const pipe = (await vi.waitFor(() => readFile(ready, 'utf8'), PATIENCE)).trim();
      await KINDS[kind]?.(pipe);
      await expect(runtime.deliver(id, '{}')).rejects.toMatchObject({ code: 'conflict' });
      await runtime.remove(id);
      expect(existsSync(pipe)).toBe(false);
    },
  );
});

describe('a body whose folder is', () => {
  const LOSSES = {
    moved: (worker: string) => rename(place(worker), `${place(worker)}-moved`),
    deleted: (worker: string) => rm(place(worker), { recursive: true }),
    emptied: async (worker: string) => {
      for (const name of await readdir(place(worker))) await rm(place(worker, name), { recursive: true });
    },
  };

  test.each(
    Object.keys(LOSSES).flatMap((loss) => [
      [loss, true, 'the manager that knows it'],
      [loss, true, 'another manager'],
      [loss, false, 'another manager'],
    ]) as [keyof typeof LOSSES, boolean, string][],
  )(
    '%s (cgroups: %s) lives for %s, gets no second one, and is ended by a delete',
    async (loss, cgroups, who) => {
      runtime = make(cgroups);
      const { id, worker_id } = await run(
        'setsid sh -c "exec sleep 300" & echo >done; mv done ready; exec sleep 300',
      );
      await vi.waitFor(() => stat(join(root, CELL, '.work', id, 'workspace', 'ready')), PATIENCE);
      await runtime.list();
      await LOSSES[loss](worker_id);
      const manager = who === 'another manager' ? make(cgroups) : runtime;
      const expected = [{ id, worker_id, state: 'running', incarnation: 1 }];
      expect(await manager.find(worker_id, id)).toMatchObject(expected);
      expect(await manager.list()).toMatchObject(expected);
      await expect(manager.create(order(worker_id, 'true'))).rejects.toBeInstanceOf(BodyConflict);
      await manager.remove(id);
      expect(await processesOf(id)).toEqual([]);
      expect(await manager.list()).toEqual([]);
      expect(await manager.find(worker_id, id)).toEqual([]);
      await rm(`${place(worker_id)}-moved`, { recursive: true, force: true });
    },
  );
});

test('a process that hides in a cgroup of its own within the body’s is found, and the cgroup removed', async ({
  skip,
}) => {
  const { bases } = await findCgroups(CELL);
  if (Object.keys(bases).length === 0) skip('there are no cgroups here');
  const { id } = await run(
    '(setsid env -i sh -c "echo \\$\\$ >pid; mv pid hidden; exec sleep 300" &) ; exec sleep 300',
  );
  const hidden = join(root, CELL, '.work', id, 'workspace', 'hidden');
  const pid = Number(await vi.waitFor(() => readFile(hidden, 'utf8'), PATIENCE));
  const dirs = deriveCgroups(await findCgroups(CELL), id);
  for (const dir of dirs) {
    await mkdir(join(dir, 'inner', 'innermost'), { recursive: true });
    await writeFile(join(dir, 'inner', 'innermost', 'cgroup.procs'), String(pid));
  }
  await runtime.remove(id);
  expect(await readProcess(pid)).toBeUndefined();
  for (const dir of dirs) expect(existsSync(dir)).toBe(false);
});

test('a body of the previous layout is started, found and removed completely', async () => {
  const { id, worker_id } = await runtime.create(order(randomUUID(), 'exec sleep 300'));
  const made = JSON.parse(await readFile(place(worker_id, 'body.json'), 'utf8'));
  await writeFile(place(worker_id, 'body.json'), JSON.stringify({ ...made, layout: undefined }));
  await rm(join(root, CELL, '.work', id), { recursive: true });
  await mkdir(place(worker_id, 'workspace'));
  runtime = make();
  await runtime.start(id);
  expect(await runtime.list()).toMatchObject([{ id, state: 'running' }]);
  const [first] = await processesOf(id);
  const environ = await readFile(`/proc/${first?.pid}/environ`, 'latin1');
  expect(environ).toContain(`WORKSPACE_PATH=${place(worker_id, 'workspace')}\0`);
  await runtime.terminate(id);
  await vi.waitFor(async () => expect(await runtime.list()).toMatchObject([{ exit_code: 143 }]), PATIENCE);
  await runtime.remove(id);
  expect(existsSync(place(worker_id))).toBe(false);
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
