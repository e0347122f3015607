/**
 * Direct workers as an operator sees their processes: their names, and what is left when the manager stops.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { statSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { MAIN } from '../support/manager.ts';
import { pidsWith } from '../support/processes.ts';
import { openWorld, PATIENCE } from './world.ts';

/**
 * A process tree that resists ending: a child in its own session whose parent is gone, whose environment is
 * empty except for a mark of the test, and that ignores SIGTERM; and an agent that ignores it as well.
 */
const stubborn = (mark: string) => [
  'sh',
  '-c',
  `setsid sh -c 'trap "" TERM HUP INT; sleep 6${mark} & wait; sleep 7${mark}' & trap "" TERM; sleep 8${mark}; sleep 9${mark}`,
];
/** Only the leader ends anything, and a machine that pauses must not take the lease away. */
const LASTING = { LEASE_SECONDS: '60' };
/** A number of seconds that no other process sleeps for. */
const newMark = () => String(100_000_000 + Math.floor(Math.random() * 899_999_999));
const tree = (mark: string) => pidsWith(mark);

test('SIGTERM, the grace, then SIGKILL to everything, including grandchildren in their own sessions', async () => {
  const world = await openWorld('process');
  await world.start();
  const [worker, mark] = [randomUUID(), newMark()];
  await world.create(worker, { command_line: stubborn(mark), stop_grace_seconds: 1 });
  await world.reach(worker, { status: 'RUNNING' });
  await vi.waitFor(() => expect(tree(mark).length).toBeGreaterThanOrEqual(4), PATIENCE);
  await world.push({ command: 'delete', worker_id: worker });
  await vi.waitFor(async () => expect(await world.bodies()).toEqual([]), PATIENCE);
  expect(tree(mark)).toEqual([]);
  expect(pidsWith(worker)).toEqual([]);
});

test('a direct worker is found by its given name, or by type and ID', async () => {
  const world = await openWorld('process');
  await world.start();
  const [named, plain] = [randomUUID(), randomUUID()];
  const name = `direct-general-3-${named}`;
  await world.create(named, { name });
  await world.create(plain);
  for (const worker of [named, plain]) await world.reach(worker, { status: 'RUNNING' });
  for (const title of [name, `direct-custom-0-${plain}`]) expect(pidsWith(title).length).toBeGreaterThan(0);
});

test('a manager that stops with --cleanup ends all processes of its direct workers, and records their end', async () => {
  const world = await openWorld('process');
  const manager = await world.start(undefined, LASTING, ['--cleanup']);
  const workers = [randomUUID(), randomUUID(), randomUUID()];
  const mark = newMark();
  for (const worker of workers)
    await world.create(worker, { command_line: stubborn(mark), stop_grace_seconds: 1 });
  for (const worker of workers) await world.reach(worker, { status: 'RUNNING' });
  await vi.waitFor(() => expect(tree(mark).length).toBeGreaterThanOrEqual(4 * workers.length), PATIENCE);
  // Like a service manager that signals the whole group: the second signal ended the manager at once, and
  // left all workers.
  manager.kill('SIGTERM');
  await vi.waitFor(() => expect(manager.log()).toContain('stopping direct workers'), PATIENCE);
  expect(await manager.stop()).toBe(0);
  expect(tree(mark)).toEqual([]);
  for (const worker of workers) expect(pidsWith(worker)).toEqual([]);
  expect(manager.log()).toContain('stopping direct workers');
  // Without a manager, the records still showed RUNNING for processes that were gone.
  for (const worker of workers)
    expect((await world.cell.store.status(worker))?.status).toMatchObject({
      status: 'FAILED',
    });
});

test('a manager that stops with --cleanup while bodies start leaves none of them', async () => {
  const world = await openWorld('process');
  const manager = await world.start(undefined, { ...LASTING, MAX_CONCURRENT_STARTS: '30' }, ['--cleanup']);
  // They do not answer, so they boot until they are ended.
  const booting = { protocol: 'json', command_line: ['sleep', '600'], stop_grace_seconds: 1 } as const;
  const workers = Array.from({ length: 30 }, () => randomUUID());
  await Promise.all(workers.map((worker) => world.create(worker, booting)));
  await vi.waitFor(async () => expect((await world.bodies()).length).toBeGreaterThan(3), PATIENCE);
  expect(await manager.stop()).toBe(0);
  // A body whose start was under way was not in the list of those to end.
  expect((await world.bodies()).filter(({ state }) => state === 'running')).toEqual([]);
  for (const worker of workers) expect(pidsWith(worker)).toEqual([]);
  // Records that still say so would be those of processes that are gone.
  for (const worker of workers)
    expect((await world.cell.store.status(worker))?.status?.phase).not.toBe('booting');
});

test('a worker that its policy restarts waits for the next manager after --cleanup', async () => {
  const world = await openWorld('process');
  const manager = await world.start(undefined, { ...LASTING, RESTART_BACKOFF_SECONDS: '0.01' }, [
    '--cleanup',
  ]);
  const worker = randomUUID();
  await world.create(worker, { restart_policy: 'always', stop_grace_seconds: 1 });
  await world.reach(worker, { status: 'RUNNING' });
  expect(await manager.stop()).toBe(0);
  expect(await world.bodies()).not.toMatchObject([{ state: 'running' }]);
  expect((await world.cell.store.status(worker))?.status).toMatchObject({ status: 'STARTING' });
  await world.start();
  await world.reach(worker, { status: 'RUNNING', incarnation: 2 });
});

test('a standby manager ends nothing with --cleanup: the workers belong to the leader', async () => {
  const world = await openWorld('process');
  await world.start(undefined, LASTING);
  const worker = randomUUID();
  await world.create(worker);
  await world.reach(worker, { status: 'RUNNING' });
  const standby = await world.start(undefined, {}, ['--cleanup']);
  expect(await standby.stop()).toBe(0);
  expect(standby.log()).toContain('not leading; direct workers keep running');
  expect(await world.bodies()).toMatchObject([{ worker_id: worker, state: 'running', incarnation: 1 }]);
});

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'without --cleanup, after %s, all keep running and are adopted',
  async (signal) => {
    const world = await openWorld('process');
    // A kill leaves everything unchanged, even if the manager has --cleanup.
    const manager = await world.start(undefined, {}, signal === 'SIGKILL' ? ['--cleanup'] : []);
    const workers = [randomUUID(), randomUUID()];
    for (const worker of workers) await world.create(worker);
    for (const worker of workers) await world.reach(worker, { status: 'RUNNING' });
    const before = await world.bodies();
    manager.kill(signal);
    await manager.exited;
    const next = await world.start();
    await vi.waitFor(() => expect(next.log()).toContain('"adopted":2'), PATIENCE);
    expect(await world.bodies()).toEqual(before);
  },
);

test('with PROCESS_USER, wrapper and agent run as that user with its own home, and only the shim as the manager', async ({
  skip,
}) => {
  if (process.getuid?.() !== 0) skip('only root can start processes of another user');
  const asNobody = spawnSync('setpriv', ['--reuid=65534', '--clear-groups', 'test', '-r', MAIN]);
  skip(asNobody.status !== 0, `user 65534 cannot read ${MAIN}: run the tests in another folder`);
  const world = await openWorld('process');
  await world.start(undefined, { PROCESS_USER: 'nobody' });
  const worker = randomUUID();
  const script = 'id -un; cd "$HOME" && : >mine && echo written; exec sleep 300';
  await world.create(worker, { command_line: ['sh', '-c', script] });
  await world.reach(worker, { status: 'RUNNING' });
  const printed = async () =>
    (await world.cell.read(world.cell.store.keys.output(worker))).flatMap((entry) => {
      const { type, content } = entry as { type: string; content: string };
      return type === 'stdout' ? content.split('\n') : [];
    });
  await vi.waitFor(async () => expect(await printed()).toEqual(['nobody', 'written']), PATIENCE);
  // One that has just been forked has its parent's name, and may be gone already.
  const owner = (pid: number) => statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid;
  const owners = (pids: number[]) => new Set(pids.map(owner).filter((uid) => uid !== undefined));
  const shims = pidsWith('shim.sh');
  const named = pidsWith(`direct-custom-0-${worker}`);
  expect(owners(named.filter((pid) => shims.includes(pid)))).toEqual(new Set([0]));
  expect(owners(named.filter((pid) => !shims.includes(pid)))).toEqual(new Set([65534]));
});
