/** `wm mcp` with the official client, which starts it as an agent does. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { wmOf } from '../cli/wm.ts';
import { cleanCell, MAIN, type Manager, managerEnv, newCell, startManager } from '../support/manager.ts';
import { ERAS, type Era, type ToolClient, toMode, useTools } from './client.ts';

const LONG = 120_000;
const [redisUrl, cell] = [inject('redisUrl'), newCell()];
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const { REDIS_URL: _, ...env } = managerEnv({ redisUrl, cell, home });
const CAT = { agent_type: 'CUSTOM', command_line: ['cat'] };
let manager: Manager;

beforeAll(async () => {
  manager = await startManager({ redisUrl, cell, home });
}, LONG);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

async function startTools(
  era: Era,
  more: Record<string, string> = {},
): Promise<{ tools: ToolClient; pid: number }> {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: toMode(era) } });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'mcp'],
    env: { ...env, ...more },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  return { tools: useTools(client), pid: transport.pid ?? 0 };
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe.each(ERAS)('with a client of a %s revision', (era) => {
  test('it has the tools of the manager, and ends with its client', { timeout: LONG }, async () => {
    const { tools, pid } = await startTools(era);
    const { tools: listed } = await tools.client.listTools();
    expect(listed.map(({ name }) => name)).toContain('create');
    expect(tools.client.getInstructions()).toContain('Workers are');
    const { value } = await tools.call('create', CAT);
    expect(value).toMatchObject({ ready: true });
    const worker = value.worker_id;
    expect((await tools.call('exec', { worker, shell: 'echo $((6 * 7))' })).value.stdout).toBe('42\n');
    expect(await tools.call('create', { ...CAT, modules: ['DOCKER'] })).toMatchObject({ isError: true });
    await tools.call('delete', { worker });
    expect(isAlive(pid)).toBe(true);
    await tools.close();
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  });

  test('progress and cancellation pass through', { timeout: LONG }, async () => {
    const { tools } = await startTools(era);
    const { value } = await tools.call('create', CAT);
    const worker = value.worker_id;
    const cancel = new AbortController();
    const running = tools.call(
      'exec',
      { worker, shell: 'echo $$ >pid; exec sleep 300' },
      { signal: cancel.signal },
    );
    running.catch(() => {});
    const isRunning = async () =>
      (await tools.call('exec', { worker, shell: 'kill -0 "$(cat pid)"' })).value.exit_code === 0;
    await expect.poll(isRunning, { timeout: 20_000 }).toBe(true);
    cancel.abort();
    await expect(running).rejects.toThrow();
    await expect.poll(isRunning, { timeout: 20_000 }).toBe(false);
    const messages: (string | undefined)[] = [];
    const onprogress = ({ message }: { message?: string | undefined }) => void messages.push(message);
    await tools.call('output', { worker, after: '0', wait_seconds: 5 }, { onprogress });
    await tools.call('create', CAT, { onprogress });
    expect(messages.join()).toContain('was created');
    for (const { worker_id } of (await tools.call('list')).value.workers)
      await tools.call('delete', { worker: worker_id });
  });

  test('a manager that is killed and started elsewhere is found again', { timeout: LONG }, async () => {
    const { tools } = await startTools(era);
    const { value } = await tools.call('create', CAT);
    manager.kill('SIGKILL');
    await manager.exited;
    expect(await tools.call('list')).toMatchObject({
      isError: true,
      value: { error: { code: 'unavailable' } },
    });
    manager = await startManager({ redisUrl, cell, home });
    const { value: listed } = await tools.call('list');
    expect(listed).toMatchObject({ workers: [{ worker_id: value.worker_id }] });
    await expect
      .poll(async () => (await tools.call('delete', { worker: value.worker_id })).value, { timeout: 20_000 })
      .toMatchObject({ deleted: true });
  });
});

test('a command ends if the program is killed', { timeout: LONG }, async () => {
  const { tools, pid } = await startTools('modern');
  const { value } = await tools.call('create', CAT);
  const worker = value.worker_id;
  tools.call('exec', { worker, shell: 'echo $$ >pid; exec sleep 300' }).catch(() => {});
  const other = await startTools('modern');
  const isRunning = async () =>
    (await other.tools.call('exec', { worker, shell: 'kill -0 "$(cat pid)"' })).value.exit_code === 0;
  await expect.poll(isRunning, { timeout: 20_000 }).toBe(true);
  process.kill(pid, 'SIGKILL');
  await expect.poll(isRunning, { timeout: 20_000 }).toBe(false);
  await other.tools.call('delete', { worker });
});

test('with a wrong token each call says so at once', { timeout: LONG }, async () => {
  const { tools } = await startTools('legacy', { WM_URL: manager.url, WM_TOKEN: 'wrong-token' });
  const began = performance.now();
  const { isError, value } = await tools.call('list');
  expect([isError, value.error.message]).toEqual([
    true,
    expect.stringContaining('Check WM_URL and WM_TOKEN'),
  ]);
  await expect(tools.client.listTools()).rejects.toThrow(/401/);
  expect(performance.now() - began).toBeLessThan(5000);
});

test('without a manager it says so at once', { timeout: LONG }, async () => {
  const nowhere = await mkdtemp(join(tmpdir(), 'wm-home-'));
  const { start } = wmOf({ redisUrl, cell, home: nowhere });
  const { code, err } = await start(['mcp'], '', { REDIS_URL: '' }).done;
  expect([code, err]).toEqual([1, expect.stringContaining('No manager is known')]);
});
