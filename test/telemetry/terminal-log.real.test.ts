/** The log of a real manager: lines for people on a terminal, and JSON with the same fields elsewhere. */
import { spawn, spawnSync } from 'node:child_process';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { cleanCell, MAIN, managerEnv, newCell, startManager } from '../support/manager.ts';

const SOON = { timeout: 30_000, interval: 50 };
const TOKEN = 'token-of-the-log';
const KEY = 'hidden-key';
const redisUrl = inject('redisUrl');
/** Of the package bsdutils; it gives a program a terminal. */
const hasScript = spawnSync('script', ['--version']).status === 0;

async function createWorker(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/workers`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'x-request-id': 'from-the-test' },
    body: JSON.stringify({
      agent_type: 'CUSTOM',
      command_line: ['sh', '-c', 'exit 3'],
      env: { API_KEY: KEY },
    }),
  });
  return ((await response.json()) as { worker_id: string }).worker_id;
}

test.skipIf(!hasScript)(
  'on a terminal, each change of a worker is one line that a person can read',
  async () => {
    const cell = newCell();
    const port = await freePort();
    const env = managerEnv({ redisUrl, cell, env: { API_TOKEN: TOKEN, HTTP_PORT: String(port) } });
    const home = `/tmp/wm-home-${cell}`;
    const child = spawn('script', ['-qfec', `'${process.execPath}' '${MAIN}' serve`, '/dev/null'], {
      env: { ...env, WORKER_MANAGER_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    onTestFinished(async () => {
      if (child.pid && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await cleanCell({ redisUrl, cell, home });
    });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    await vi.waitFor(() => expect(text).toMatch(/leading/), SOON);
    const id = await createWorker(`http://127.0.0.1:${port}`);
    await vi.waitFor(() => expect(text).toMatch(/FAILED finished|FAILED cleaning/), SOON);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colors of a terminal.
    const lines = text.replace(/\u001b\[[\d;]*m/g, '').split(/\r?\n/);
    const changes = lines.filter((line) => line.includes(`INFO: worker ${id.slice(0, 8)} `));
    expect(changes[0]).toMatch(
      /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: worker [0-9a-f]{8} STARTING creating {2}→ create body 1/,
    );
    expect(changes.some((line) => /FAILED \w+ {2}Error: It exited with code 3\./.test(line))).toBe(true);
    for (const line of changes) expect(line).not.toMatch(/[{}]/);
    expect(text).not.toMatch(new RegExp(`${KEY}|${TOKEN}`));
  },
);

test('elsewhere, each line is JSON with the IDs of the request, the worker and the trace', async () => {
  const cell = newCell();
  // The traces are not received, and still have IDs.
  const env = { API_TOKEN: TOKEN, OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', LOG_LEVEL: 'debug' };
  const manager = await startManager({ redisUrl, cell, env });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl, cell, home: manager.home });
  });
  const worker_id = await createWorker(manager.url);
  await vi.waitFor(() => expect(manager.log()).toMatch(/"status":"FAILED"/), SOON);
  const lines = manager
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const ids = { worker_id, trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) };
  expect(lines.find(({ msg }) => msg === 'command settled')).toMatchObject({
    ...ids,
    request_id: expect.any(String),
    command: 'create',
  });
  const changes = lines.filter(({ msg, worker_id: id }) => msg === 'worker changed' && id === worker_id);
  expect(changes.length).toBeGreaterThanOrEqual(2);
  for (const change of changes) expect(change).toMatchObject(ids);
  expect(new Set(changes.map(({ trace_id }) => trace_id)).size).toBe(1);
  expect(lines.find(({ msg }) => msg === 'HTTP request handled')).toMatchObject({
    http_request_id: 'from-the-test',
    status: 201,
  });
  expect(manager.log()).not.toMatch(new RegExp(`${KEY}|${TOKEN}`));
});
