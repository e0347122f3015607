/** The official conformance suite, with its scenarios that need no tools of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cleanCell, type Manager, newCell, startManager } from '../support/manager.ts';

const LONG = 120_000;
const PROGRAM = join(import.meta.dirname, '../../node_modules/.bin/conformance');
const [redisUrl, cell] = [inject('redisUrl'), newCell()];
let manager: Manager;
let folder: string;

/** Adds the token, which the suite cannot send; all other headers pass unchanged. */
const proxy = createServer((request, response) => {
  const headers = { ...request.headers, ...manager.headers };
  const passed = ask(
    new URL(request.url ?? '/', manager.url),
    { method: request.method, headers },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  passed.on('error', () => response.destroy());
  request.pipe(passed);
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wm-conformance-'));
  manager = await startManager({ redisUrl, cell });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
}, LONG);
afterAll(async () => {
  proxy.close();
  await manager.stop();
  await cleanCell({ redisUrl, cell, home: manager.home });
  await rm(folder, { recursive: true, force: true });
});

test.each(['server-initialize', 'ping', 'tools-list', 'dns-rebinding-protection'])(
  'the scenario %s passes',
  { timeout: LONG },
  async (scenario) => {
    const { port } = proxy.address() as AddressInfo;
    const args = ['server', '--url', `http://127.0.0.1:${port}/mcp`, '--scenario', scenario];
    const { stdout } = await promisify(execFile)(PROGRAM, args, { cwd: folder });
    expect(stdout).toMatch(/Passed: ([1-9]\d*)\/\1, 0 failed/);
  },
);
