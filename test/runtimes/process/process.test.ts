import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readBootId, readProcess } from '../../../src/runtimes/process/process-table.ts';
import { BodyConflict, RuntimeDown } from '../../../src/runtimes/runtime.ts';
import { workerSpec } from '../../conformance/subject.ts';
import { signal } from '../../support/processes.ts';
import { processesOf } from './processes.ts';

import {
  CELL,
  find,
  make,
  order,
  PATIENCE,
  place,
  reach,
  ready,
  root,
  run,
  runtime,
  SECRET,
  sh,
  stranger,
  useProcessRuntime,
  worker,
  workspace,
} from './world.ts';

useProcessRuntime();

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
    for (const { pid } of (await processesOf(id)).sort((a, b) => a.pid - b.pid)) signal(pid, 'SIGKILL');
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
