/**
 * PROCESS_USER: a body with another user than the manager's, which cannot write anything that the manager
 * trusts.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createProcessRuntime } from '../../../src/runtimes/process/process.ts';
import { chooseUser } from '../../../src/runtimes/process/process-user.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { TAKES_SECRETS, workerSpec } from '../../conformance/subject.ts';

const PATIENCE = { timeout: 15_000, interval: 20 };
/** Every Linux has this user, and it owns no folder. */
const USER = 'nobody';
const CELL = `user-${process.pid}`;
const isRoot = process.platform === 'linux' && process.getuid?.() === 0;
if (!isRoot) console.info('skipped: bodies of another user, which only root on Linux can start');

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'wm-user-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const why = isRoot ? '' : ' (skipped: only root can start processes of another user)';

describe.skipIf(!isRoot)(`the user of bodies${why}`, () => {
  const needs = () => ({ root: join(root, 'home'), files: [process.execPath] });

  test('is the manager’s own with `none`, and with `auto` if there is no worker-agent', async () => {
    expect(await chooseUser('none', needs())).toEqual({ why: 'PROCESS_USER is none' });
    expect((await chooseUser('auto', needs())).why).toMatch(/\S/);
  });

  test.each(['no-such-user', 'root', '0'])('can not be %s', async (name) => {
    await expect(chooseUser(name, needs())).rejects.toBeInstanceOf(RuntimeDown);
    await expect(chooseUser(name, needs())).rejects.toThrow(/no user|that is root/);
  });

  test('must reach the folder and the programs, or nothing starts and the message says what to change', async () => {
    await mkdir(join(root, 'closed'), { mode: 0o700 });
    const closed = join(root, 'closed', 'deeper');
    await mkdir(closed);
    await expect(chooseUser(USER, { root: join(closed, 'home'), files: [] })).rejects.toThrow(
      /cannot enter .*deeper; set WORKER_MANAGER_HOME/,
    );
    const file = join(root, 'closed', 'wrapper.mjs');
    await expect(chooseUser(USER, { root: '/tmp/home', files: [file] })).rejects.toThrow(
      /cannot read .*wrapper/,
    );
  });
});

describe.skipIf(!isRoot)(`a body of another user${why}`, () => {
  let runtime: Runtime;
  const make = () =>
    // Not Node, which may be in a folder that only root can enter, as a checkout in /root is.
    createProcessRuntime({ cell: CELL, root, wrapper: { argv: ['/bin/sh'] }, user: USER });
  const start = async (script: string) => {
    const worker_id = randomUUID();
    const { id } = await runtime.create({
      worker_id,
      incarnation: 1,
      spec: workerSpec(),
      spec_hash: 'a'.repeat(64),
      epoch: 1,
      env: { WORKER_ID: worker_id, REDIS_URL: 'redis://worker:very-secret@127.0.0.1:1/0' },
      argv: ['/bin/sh', '-c', script],
    });
    await runtime.start(id);
    return { id, worker_id };
  };
  const end = (worker: string) =>
    vi.waitFor(async () => {
      const [body] = await runtime.find(worker, undefined);
      expect(body?.state).toBe('exited');
      return body;
    }, PATIENCE);

  beforeEach(async () => {
    runtime = make();
    await chmod(root, 0o711);
  });
  afterEach(async () => {
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await runtime.dismantle();
  });

  test('has its own home and workspace, no group or capability of root, and keeps its exit code', async () => {
    const { worker_id } = await start(
      'id -u; id -G; grep -E "^(CapBnd|CapEff|NoNewPrivs)" /proc/self/status; : >"$HOME/a" && : >"$WORKSPACE_PATH/b" && : >c && echo "USER=$USER wrote"; env | grep -c SHIM_; exit 7',
    );
    const body = await end(worker_id);
    expect(body).toMatchObject({ exit_code: 7 });
    const { uid, gid } = (await chooseUser(USER, { root, files: [] })).user ?? {};
    expect(body?.tail?.split('\n')).toEqual([
      String(uid),
      String(gid),
      expect.stringMatching(/^CapEff:\s+0+$/),
      expect.stringMatching(/^CapBnd:\s+0+$/),
      expect.stringMatching(/^NoNewPrivs:\s+1$/),
      `USER=${USER} wrote`,
      '0',
    ]);
    expect((await runtime.probe()).user).toMatchObject({ name: USER, own: true });
  });

  test('cannot read or write the manager’s files, or signal the shim or the manager', async () => {
    const { id, worker_id } = await start(
      `state=../../../$WORKER_ID; shim=$PPID
      try() { if "$@" 2>/dev/null; then echo "could: $*"; fi; }
      try test -w .
      try cat $state/body.json; try ls $state; try touch $state/exit; try rmdir $state/started; try mv $state $state-x
      try mv ../../$WORKER_BODY_ID ../../x; try ls ../..; try ls ../../..; try touch ../../../.hints/x
      try kill -0 $shim; try kill -0 ${process.pid}; try cat /proc/$shim/environ
      for dir in ${'/sys/fs/cgroup/*/worker-manager/'}${CELL}; do try touch $dir/cgroup.procs; try mkdir $dir/x; done
      echo done`,
    );
    expect(await end(worker_id)).toMatchObject({ id, exit_code: 0, tail: 'could: test -w .\ndone' });
    expect((await stat(join(root, CELL, worker_id))).uid).toBe(0);
  });

  test('gets its secrets, and leaves nothing behind', async () => {
    const { id, worker_id } = await start(`echo "$SECRETS_PIPE" >at; mv at pipe; ${TAKES_SECRETS}`);
    const workspace = join(root, CELL, '.workspaces', worker_id, 'workspace');
    const pipe = (await vi.waitFor(() => readFile(join(workspace, 'pipe'), 'utf8'), PATIENCE)).trim();
    await vi.waitFor(() => runtime.deliver(id, '{"A": "b"}'), PATIENCE);
    expect(await end(worker_id)).toMatchObject({ exit_code: 0 });
    await runtime.remove(id);
    expect(existsSync(join(workspace, 'at'))).toBe(false);
    expect(existsSync(workspace)).toBe(true);
    await runtime.removeWorkspace(worker_id);
    const work = join(root, CELL, '.work', id);
    for (const path of [pipe, join(pipe, '..'), work, join(workspace, '..')])
      expect(existsSync(path)).toBe(false);
  });

  test('is adopted by a manager without that setting, and keeps its folders', async () => {
    const { id, worker_id } = await start('while ! [ -e "$WORKSPACE_PATH/go" ]; do sleep 0.05; done; exit 4');
    runtime = createProcessRuntime({
      cell: CELL,
      root,
      wrapper: { argv: [process.execPath] },
      user: 'none',
    });
    await runtime.probe();
    expect(await runtime.list()).toMatchObject([{ id, state: 'running' }]);
    await writeFile(join(root, CELL, '.workspaces', worker_id, 'workspace', 'go'), '');
    expect(await end(worker_id)).toMatchObject({ exit_code: 4 });
  });
});
