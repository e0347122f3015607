/** The tools of `/mcp` with the official client, in workers without an engine. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';
import { type Answer, connectTools, ERAS, type ToolClient } from './client.ts';

const LONG = 120_000;
const [redisUrl, cell] = [inject('redisUrl'), newCell()];
const home = await mkdtemp(join(tmpdir(), 'wm-home-'));
const AGENT = {
  agent_type: 'CUSTOM',
  protocol: 'json',
  command_line: [process.execPath, join(import.meta.dirname, '../../examples/agent.mjs')],
};
let manager: Manager;

beforeAll(async () => {
  const env = { MCP_MAX_WORKERS: '3', MCP_MAX_DEPTH: '1', MCP_MAX_SECONDS: '600' };
  manager = await startManager({ redisUrl, cell, home, env });
}, LONG);
afterAll(async () => {
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
});

describe.each(ERAS)('with a client of a %s revision', (era) => {
  let tools: ToolClient;
  beforeAll(async () => {
    tools = await connectTools(manager, era);
  });
  afterAll(async () => {
    for (const { worker_id } of (await tools.call('list')).value.workers)
      await tools.call('delete', { worker: worker_id });
    await tools.close();
  });

  test('the tools are listed with their schemas', async () => {
    const { tools: listed } = await tools.client.listTools();
    expect(listed.map(({ name }) => name)).toEqual([
      'create',
      'send',
      'exec',
      'read_file',
      'write_file',
      'status',
      'output',
      'list',
      'delete',
    ]);
    const create = listed.find(({ name }) => name === 'create');
    expect(Object.keys(create?.inputSchema.properties ?? {})).toContain('agent_type');
    expect(create?.inputSchema.additionalProperties).toBe(false);
  });

  test('a worker is created, answers a prompt, runs a command and is deleted', {
    timeout: LONG,
  }, async () => {
    const { value: created } = await tools.call('create', { ...AGENT, name: `one-${era}` });
    expect(created).toMatchObject({ name: `one-${era}`, ready: true, status: 'RUNNING' });
    const worker = created.worker_id;
    const { value: sent } = await tools.call('send', { worker, prompt: 'echo hello' });
    expect(sent).toMatchObject({ ended: true, type: 'turn_completed', content: 'hello\n' });
    const { value: executed } = await tools.call('exec', { worker: `one-${era}`, shell: 'echo out; exit 3' });
    expect(executed).toEqual({ exit_code: 3, stdout: 'out\n', stderr: '' });
    const { value: output } = await tools.call('output', { worker, request_id: sent.request_id });
    expect(output.ended).toBe(true);
    expect(output.entries.map(({ type }: { type: string }) => type)).toEqual([
      ...['turn_started', 'tool_use', 'tool_result', 'message', 'turn_completed'],
    ]);
    expect((await tools.call('status', { worker })).value).toMatchObject({ depth: 0, parent: null });
    expect((await tools.call('delete', { worker })).value).toEqual({ worker_id: worker, deleted: true });
    expect(await tools.call('status', { worker })).toMatchObject({
      isError: true,
      value: { error: { code: 'not_found' } },
    });
  });

  test('files are written and read, in parts and as bytes', { timeout: LONG }, async () => {
    const { value } = await tools.call('create', AGENT);
    const worker = value.worker_id;
    const path = 'a folder/ä?.txt';
    const content = 'Grüße 🌍\n'.repeat(10_000);
    const { value: written } = await tools.call('write_file', { worker, path, content, mode: '0640' });
    expect(written).toMatchObject({ created: true, mode: '0640', size: Buffer.byteLength(content) });
    const executed = await tools.call('exec', { worker, shell: 'wc -c <"a folder/ä?.txt"' });
    expect(Number(executed.value.stdout)).toBe(Buffer.byteLength(content));
    let text = '';
    let offset: number | undefined = 0;
    for (let parts = 0; offset !== undefined; parts += 1) {
      expect(parts).toBeLessThan(20);
      const { value: part }: Answer = await tools.call('read_file', { worker, path, offset, length: 16_001 });
      text += part.content;
      offset = part.next_offset;
    }
    expect(text).toBe(content);
    const bytes = { worker, path: 'bytes' };
    await tools.call('write_file', { ...bytes, content_base64: '//79AA==' });
    expect((await tools.call('read_file', bytes)).value).toEqual({
      content_base64: '//79AA==',
      offset: 0,
      size: 4,
    });
    await tools.call('write_file', { ...bytes, content: '' });
    expect((await tools.call('read_file', bytes)).value).toEqual({ content: '', offset: 0, size: 0 });
    for (const wrong of ['../x', '/etc/passwd', 'missing', 'a folder/../../x', '.'])
      expect((await tools.call('read_file', { worker, path: wrong })).isError, wrong).toBe(true);
    await tools.call('exec', { worker, shell: 'ln -s /etc/passwd link' });
    expect((await tools.call('read_file', { worker, path: 'link' })).isError).toBe(true);
    expect((await tools.call('write_file', { worker, path: '../x', content: '' })).isError).toBe(true);
    await tools.call('delete', { worker });
  });

  test('a long turn reports progress, and continues when the call is over', { timeout: LONG }, async () => {
    const { value } = await tools.call('create', AGENT);
    const worker = value.worker_id;
    const messages: string[] = [];
    const onprogress = ({ message }: { message?: string | undefined }) => void messages.push(message ?? '');
    const prompt = 'while [ ! -e go ]; do sleep 0.1; done; echo late';
    const { value: sent } = await tools.call('send', { worker, prompt, wait_seconds: 3 }, { onprogress });
    expect(sent).toMatchObject({ ended: false });
    expect(messages.join()).toContain('tool_use');
    const { request_id } = sent;
    const waiting = tools.call('output', { worker, request_id, wait_seconds: 60 });
    await tools.call('exec', { worker, command: ['touch', 'go'] });
    const { value: output } = await waiting;
    expect(output).toMatchObject({ ended: true });
    expect(output.entries.at(-1)).toMatchObject({ type: 'turn_completed', content: 'late\n' });
    await tools.call('delete', { worker });
  });

  test('a call that is cancelled stops waiting, and its command ends', { timeout: LONG }, async () => {
    const { value } = await tools.call('create', AGENT);
    const worker = value.worker_id;
    const cancel = new AbortController();
    const running = tools.call(
      'exec',
      { worker, shell: 'echo $$ >pid; exec sleep 300' },
      { signal: cancel.signal },
    );
    const ended = running.then(
      () => 'answered',
      () => 'cancelled',
    );
    const isRunning = async () =>
      (await tools.call('exec', { worker, shell: 'kill -0 "$(cat pid)"' })).value.exit_code === 0;
    await expect.poll(isRunning, { timeout: 20_000 }).toBe(true);
    cancel.abort();
    expect(await ended).toBe('cancelled');
    await expect.poll(isRunning, { timeout: 20_000 }).toBe(false);
    await tools.call('delete', { worker });
  });

  test('only workers that came from the tools are seen', { timeout: LONG }, async () => {
    const response = await fetch(`${manager.url}/v1/workers`, {
      method: 'POST',
      headers: { ...manager.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ agent_type: 'CUSTOM', command_line: ['cat'] }),
    });
    const { worker_id: worker } = (await response.json()) as { worker_id: string };
    for (const [name, more] of [
      ['status', {}],
      ['send', { prompt: 'x' }],
      ['exec', { shell: 'true' }],
      ['output', {}],
      ['read_file', { path: 'x' }],
      ['write_file', { path: 'x', content: '' }],
      ['delete', {}],
    ] as const)
      expect(await tools.call(name, { worker, ...more }), name).toMatchObject({
        isError: true,
        value: { error: { code: 'not_found' } },
      });
    expect(JSON.stringify(await tools.call('list'))).not.toContain(worker);
    await fetch(`${manager.url}/v1/workers/${worker}`, { method: 'DELETE', headers: manager.headers });
  });

  test('the limits hold, also for calls at the same time', { timeout: LONG }, async () => {
    const cat = { agent_type: 'CUSTOM', command_line: ['cat'] };
    for (const [wrong, path] of [
      [{ secrets: ['DEPLOY_KEY'] }, 'secrets'],
      [{ image: 'alpine' }, 'image'],
      [{ ttl_seconds: 601 }, 'ttl_seconds'],
      [{ modules: ['DOCKER'] }, 'modules'],
    ] as const)
      expect(await tools.call('create', { ...cat, ...wrong })).toMatchObject({
        isError: true,
        value: { error: { code: 'unsupported', issues: [{ path }] } },
      });
    for (const unknown of [{ runtime: 'process' }, { labels: {} }, { env: {} }, { webhooks: [] }])
      expect((await tools.call('create', { ...cat, ...unknown })).isError).toBe(true);
    const all = await Promise.all(Array.from({ length: 6 }, () => tools.call('create', cat)));
    expect(all.filter(({ isError }) => !isError)).toHaveLength(3);
    expect(all.filter(({ value }) => value.error?.code === 'capacity')).toHaveLength(3);
    for (const { value } of all) if (value.worker_id) await tools.call('delete', { worker: value.worker_id });
    expect((await tools.call('list', { status: 'RUNNING' })).value.workers).toEqual([]);
  });

  test('an agent in a worker creates workers of its own, and sees no others', { timeout: LONG }, async () => {
    const { value: parent } = await tools.call('create', {
      ...AGENT,
      secrets: ['WM_TOKEN'],
      ttl_seconds: 300,
    });
    const { value: other } = await tools.call('create', AGENT);
    const { value: read } = await tools.call('exec', {
      worker: parent.worker_id,
      shell: 'cat "$SECRETS_PATH/WM_TOKEN"',
    });
    const token = read.stdout;
    expect(token).toMatch(/^wmw_/);
    const denied = await fetch(`${manager.url}/v1/workers`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(denied.status).toBe(401);
    const own = await connectTools({ ...manager, token }, era);
    expect((await own.call('list')).value.workers).toEqual([]);
    for (const worker of [parent.worker_id, other.worker_id])
      expect((await own.call('exec', { worker, shell: 'true' })).value.error).toMatchObject({
        code: 'not_found',
      });
    expect((await own.call('create', { ...AGENT, ttl_seconds: 400 })).value.error).toMatchObject({
      issues: [{ path: 'ttl_seconds' }],
    });
    const { value: child } = await own.call('create', { ...AGENT, secrets: ['WM_TOKEN'] });
    expect((await own.call('list')).value.workers).toMatchObject([
      { worker_id: child.worker_id, parent: parent.worker_id },
    ]);
    const { value: childRead } = await own.call('exec', {
      worker: child.worker_id,
      shell: 'cat "$SECRETS_PATH/WM_TOKEN"',
    });
    const childs = await connectTools({ ...manager, token: childRead.stdout }, era);
    expect((await childs.call('create', AGENT)).value.error.message).toContain('MCP_MAX_DEPTH is 1');
    const deleted = await tools.call('delete', { worker: parent.worker_id });
    expect(deleted.value).toEqual({
      worker_id: parent.worker_id,
      deleted: true,
      children: [child.worker_id],
    });
    const { value: left } = await tools.call('list');
    expect(left.workers.map(({ worker_id }: { worker_id: string }) => worker_id)).toEqual([other.worker_id]);
    await expect(own.call('list')).rejects.toThrow();
    await Promise.all([own.close(), childs.close()]);
    await tools.call('delete', { worker: other.worker_id });
  });
});
