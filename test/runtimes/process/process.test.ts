import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Body, WorkerSpec } from '../../../src/model/index.ts';
import { deriveCgroups, findCgroups } from '../../../src/runtimes/process/cgroup-support.ts';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import { readBootId, readProcess } from '../../../src/runtimes/process/process-table.ts';
import { BodyConflict, BodyRefused, type Runtime, RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { processesOf } from './processes.ts';

const MANAGER = fileURLToPath(new URL('./manager.ts', import.meta.url));
/** Its cgroups belong to this run only. */
const CELL = `one-${process.pid}`;
const PATIENCE = { timeout: 15_000, interval: 20 };
const SECRET = 'redis://worker:very-secret@127.0.0.1:1/0';

let root: string;
let runtime: Runtime;
let worker: string;
let strangers: ChildProcess[];

const make = (cgroups = true) =>
  createProcessRuntime({ cell: CELL, root, wrapper: { argv: ['/nowhere/wrapper'] }, cgroups });
const sh = (script: string) => ['/bin/sh', '-c', script];
const order = (argv: string[], resources?: WorkerSpec['resources']) => ({
  worker_id: worker,
  incarnation: 1,
  spec: workerSpec(resources ? { resources } : {}),
  spec_hash: 'a'.repeat(64),
  epoch: 1,
  env: { WORKER_ID: worker, REDIS_URL: SECRET },
  argv,
});
const place = (...names: string[]) => join(root, CELL, worker, ...names);
const find = async () => (await runtime.find(worker, undefined))[0];
const reach = (state: Body['state']): Promise<Body> =>
  vi.waitFor(async () => {
    const body = await find();
    expect(body?.state).toBe(state);
    return body as Body;
  }, PATIENCE);
const run = async (argv: string[], resources?: WorkerSpec['resources']): Promise<Body> => {
  const { id } = await runtime.create(order(argv, resources));
  await runtime.start(id);
  return (await find()) as Body;
};
/** WORKSPACE_PATH of the worker's only body. */
const workspace = async (...names: string[]) => {
  const [id = ''] = (await readdir(join(root, CELL, '.work'))).filter((name) => name.endsWith(worker));
  return join(root, CELL, '.work', id, 'workspace', ...names);
};
const ready = (name = 'ready') => vi.waitFor(async () => stat(await workspace(name)), PATIENCE);
/** The cgroups of the worker's only body, as the kernel reports them. */
const cgroupsOfWorker = async () => deriveCgroups(await findCgroups(CELL), (await find())?.id ?? '');
/** A process that is not ours. */
const stranger = (): ChildProcess & { pid: number } => {
  const child = spawn('sleep', ['300'], { stdio: 'ignore' });
  strangers.push(child);
  return child as ChildProcess & { pid: number };
};

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

describe('a pid alone is never enough', () => {
  test.each(['another start time', 'another boot'])('to signal a process with %s', async (difference) => {
    const other = stranger();
    const { start } = (await readProcess(other.pid)) ?? { start: '' };
    const { id } = await runtime.create(order(sh('true')));
    await mkdir(place('started'));
    const lines =
      difference === 'another boot' ? [start, 'no-such-boot'] : [`${Number(start) - 1}`, readBootId()];
    await writeFile(place('pid'), `${other.pid}\n${lines.join('\n')}\n`);
    expect(await find()).toMatchObject({ id, state: 'exited', lost: { reason: expect.any(String) } });
    expect((await find())?.exit_code).toBeUndefined();
    await runtime.terminate(id);
    await runtime.kill(id);
    await runtime.remove(id);
    expect(other.signalCode).toBeNull();
    expect(await readProcess(other.pid)).toMatchObject({ pid: other.pid, start });
  });
});

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
    runtime = make(false);
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
    runtime = make(false);
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
    runtime = make(false);
    await run(sh('head -c 300000000 /dev/zero | tail'), { memory: '64m' });
    const body = await reach('exited');
    expect(body.exit_code).not.toBe(0);
    expect(body.tail).toMatch(/memory/i);
  });

  test('that cannot be enforced here are rejected before anything is created', async () => {
    runtime = make(false);
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

describe('secrets', () => {
  test('are in files that only their owner can read, and in no argument', async () => {
    const body = await run(sh(': >ready; exec sleep 300'));
    await ready();
    const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await mode(join(root, CELL))).toBe('700');
    expect(await mode(place())).toBe('700');
    expect(await mode(await workspace())).toBe('700');
    expect(await mode(place('body.json'))).toBe('600');
    expect(await mode(place('log'))).toBe('600');
    expect(JSON.stringify(await runtime.list())).not.toContain('very-secret');
    for (const { argv } of await processesOf(body.id)) expect(argv.join(' ')).not.toContain('very-secret');
  });

  const PLACED = 'cd "$(dirname "$SECRETS_PIPE")"; mkdir secrets; cd secrets; echo very-secret >A; pwd; ';
  const withSecrets = async (script: string) => {
    const { id } = await runtime.create({
      ...order(sh(PLACED + script)),
      spec: workerSpec({ secrets: ['A'] }),
    });
    await runtime.start(id);
    const folder = await vi.waitFor(async () => {
      const text = (await readFile(place('log'), 'utf8')).trim();
      expect(text).toMatch(/secrets$/);
      return text;
    }, PATIENCE);
    return { id, folder };
  };

  test('that its wrapper placed for the agent are removed with the body', async () => {
    const { folder } = await withSecrets('exit 3');
    expect(await reach('exited')).toMatchObject({ exit_code: 3 });
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('that its wrapper placed for the agent are removed even if the shim was killed first', async () => {
    const { id, folder } = await withSecrets('exec sleep 300');
    for (const { pid } of (await processesOf(id)).sort((a, b) => a.pid - b.pid)) process.kill(pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await processesOf(id)).toEqual([]), PATIENCE);
    expect(await make().list()).toMatchObject([{ id, lost: { reason: 'SupervisorLost' } }]);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test("of the manager's own environment are not handed on", async () => {
    vi.stubEnv('API_TOKEN', 'the-managers-own');
    await run(sh('env >seen; mv seen ready'));
    await ready();
    vi.unstubAllEnvs();
    const seen = await readFile(await workspace('ready'), 'utf8');
    expect(seen).not.toContain('the-managers-own');
    expect(seen).toContain(`REDIS_URL=${SECRET}`);
    expect(seen).toContain(`WORKSPACE_PATH=${await workspace()}`);
  });
});

describe('nothing outside of the root', () => {
  let precious: string;
  beforeEach(async () => {
    precious = await mkdtemp(join(tmpdir(), 'wm-precious-'));
    await writeFile(join(precious, 'file'), 'kept');
  });
  afterEach(() => rm(precious, { recursive: true }));
  const isKept = async () => expect(await readFile(join(precious, 'file'), 'utf8')).toBe('kept');

  test('is deleted through a link in the workspace', async () => {
    const { id } = await runtime.create(order(sh('true')));
    await symlink(precious, await workspace('link'));
    await runtime.remove(id);
    await isKept();
  });

  test('is deleted through a link in place of the body', async () => {
    const { id } = await runtime.create(order(sh('true')));
    await writeFile(join(precious, 'body.json'), await readFile(place('body.json')));
    await rename(place(), `${place()}-moved`);
    await symlink(precious, place());
    await runtime.remove(id);
    expect(await runtime.list()).toEqual([]);
    const again = runtime.create(order(sh('true')));
    await expect(again).rejects.toBeInstanceOf(BodyConflict);
    await expect(again).rejects.toMatchObject({ ours: false });
    await isKept();
  });

  test('is used through a link in place of the cell', async () => {
    await symlink(precious, join(root, CELL));
    await expect(runtime.list()).rejects.toBeInstanceOf(RuntimeDown);
    await expect(runtime.create(order(sh('true')))).rejects.toBeInstanceOf(RuntimeDown);
    expect(await readdir(precious)).toEqual(['file']);
  });
});

describe('an unknown body is not absent', () => {
  test('a root that never existed is empty, a lost one is an error', async () => {
    await rm(root, { recursive: true });
    expect(await runtime.list()).toEqual([]);
    await runtime.probe();
    await rm(root, { recursive: true });
    await expect(runtime.list()).rejects.toBeInstanceOf(RuntimeDown);
    await expect(runtime.find(worker, undefined)).rejects.toThrow(/gone/);
  });
});

test('partial creates and deletes of a dead manager are cleaned up', async () => {
  await runtime.probe();
  await mkdir(join(root, CELL, '.gone-x', 'workspace'), { recursive: true });
  await mkdir(join(root, CELL, '.new-y'));
  await runtime.probe();
  expect((await readdir(join(root, CELL))).sort()).toEqual(['.hints', '.new-y']);
});

test('too many arguments for the machine are rejected permanently', async () => {
  const { id } = await runtime.create(order(['/bin/true', ...Array(60).fill('x'.repeat(130_000))]));
  await expect(runtime.start(id)).rejects.toMatchObject({ name: 'BodyRefused', reason: 'StartFailed' });
});
