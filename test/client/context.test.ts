import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connect } from '../../src/client/connect.ts';
import { findEndpoint } from '../../src/client/context.ts';
import { contextPath } from '../../src/config/context-file.ts';

let home: string;
let file: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'wm-home-'));
  file = contextPath({ home, cell: 'c' });
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, JSON.stringify({ url: 'http://127.0.0.1:1', token: 'of the file' }), { mode: 0o600 });
  for (const [name, value] of Object.entries({
    WORKER_MANAGER_HOME: home,
    CELL: 'c',
    WM_URL: '',
    WM_TOKEN: '',
  }))
    vi.stubEnv(name, value);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(home, { recursive: true });
});

test('arguments win over variables, and variables over the context file', () => {
  expect(findEndpoint({})).toEqual({ url: 'http://127.0.0.1:1', token: 'of the file' });
  vi.stubEnv('WM_URL', 'http://127.0.0.1:2');
  // The token of the file is not sent to another manager.
  expect(findEndpoint({})).toEqual({ url: 'http://127.0.0.1:2', token: undefined });
  vi.stubEnv('WM_TOKEN', 'of the variable');
  expect(findEndpoint({})).toEqual({ url: 'http://127.0.0.1:2', token: 'of the variable' });
  expect(findEndpoint({ url: 'http://127.0.0.1:3' })).toEqual({
    url: 'http://127.0.0.1:3',
    token: undefined,
  });
  expect(findEndpoint({ url: 'http://127.0.0.1:1/' })).toEqual({
    url: 'http://127.0.0.1:1/',
    token: 'of the file',
  });
});

test.each(['nowhere', '127.0.0.1:8080', 'localhost:8080', 'ftp://x', ''])(
  'the URL %j is refused at once, and not as a manager that is away',
  async (url) => {
    await expect(connect({ url, token: 'x' }).workers.list()).rejects.toMatchObject({
      code: 'invalid_command',
      message: `The manager's URL must be one such as http://127.0.0.1:8080, not ${JSON.stringify(url)}.`,
    });
  },
);

test('so is a token with a line break, as of a file that was read whole', async () => {
  const { workers } = connect({ url: 'http://127.0.0.1:1', token: 'secret\n' });
  await expect(workers.list()).rejects.toMatchObject({
    code: 'invalid_command',
    message: expect.not.stringContaining('secret'),
  });
});

test('a file that other users can write is ignored, and a missing one is named', async () => {
  await chmod(file, 0o622);
  expect(() => findEndpoint({})).toThrow(file);
  await chmod(file, 0o600);
  expect(findEndpoint({}).token).toBe('of the file');
  await rm(file);
  expect(() => findEndpoint({})).toThrow(/Start a manager with `wm serve`, or set WM_URL\.$/);
});
