/** The official inspector's command line as a client of both servers: `/mcp`, and `wm mcp` on standard input and output. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { cleanCell, MAIN, type Manager, newCell, startManager } from '../support/manager.ts';
import { installFromNpm } from '../support/npm-tool.ts';

const LONG = 180_000;
const VERSION = '2.12.0';
const TOOLS = ['create', 'delete', 'exec', 'list', 'output', 'read_file', 'send', 'status', 'write_file'];
const [redisUrl, cell] = [inject('redisUrl'), newCell()];
let manager: Manager;
let folder: string;
let programs: string | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wm-inspector-'));
  [programs, manager] = await Promise.all([
    installFromNpm('@modelcontextprotocol/inspector', VERSION).catch((error: Error) => {
      console.error(`[mcp] the inspector is skipped: npm cannot install it (${error.message.slice(0, 300)})`);
      return undefined;
    }),
    startManager({ redisUrl, cell }),
  ]);
}, LONG);
afterAll(async () => {
  await manager?.stop();
  if (manager) await cleanCell({ redisUrl, cell, home: manager.home });
  await rm(folder, { recursive: true, force: true });
});

type Answer = {
  tools?: { name: string; inputSchema: object }[];
  content?: { text: string }[];
  isError?: boolean;
};

/** The two servers, as arguments of the inspector. */
const servers = () => ({
  http: [`${manager.url}/mcp`, '--header', `Authorization: Bearer ${manager.token}`],
  stdio: [
    ...['-e', `WM_URL=${manager.url}`, '-e', `WM_TOKEN=${manager.token}`],
    ...[process.execPath, MAIN, 'mcp'],
  ],
});

test.for(['http', 'stdio'] as const)(
  'lists the tools and calls them over %s',
  { timeout: LONG },
  async (transport, { skip }) => {
    skip(programs === undefined, 'the inspector cannot be installed');
    const ask = async (method: string, ...more: string[]): Promise<Answer> => {
      const args = [join(programs ?? '', 'mcp-inspector'), '--cli', ...servers()[transport]];
      const env = { PATH: process.env.PATH, HOME: folder, WORKER_MANAGER_HOME: folder };
      const own = ['--method', method, ...more];
      const { stdout } = await promisify(execFile)(process.execPath, [...args, ...own], { env });
      return JSON.parse(stdout) as Answer;
    };
    const call = async (tool: string, fields: object) => {
      const args = Object.entries(fields).flatMap(([name, value]) => [
        '--tool-arg',
        `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      ]);
      const { content, isError } = await ask('tools/call', '--tool-name', tool, ...args);
      expect(isError ?? false, content?.[0]?.text).toBe(false);
      return JSON.parse(content?.[0]?.text ?? '') as Record<string, unknown>;
    };
    const { tools = [] } = await ask('tools/list');
    expect(tools.map(({ name }) => name).sort()).toEqual(TOOLS);
    const name = `inspected-${transport}`;
    await call('create', { agent_type: 'CUSTOM', command_line: ['cat'], name });
    expect(await call('exec', { worker: name, command: ['echo', 'from the inspector'] })).toMatchObject({
      exit_code: 0,
      stdout: 'from the inspector\n',
    });
    await call('delete', { worker: name });
  },
);
