/** The real Claude Code with the tools, as docs/mcp.md configures it; a stand-in for the model decides what it calls. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { claude } from '../../src/agents/claude.ts';
import { cleanCell, MAIN, type Manager, managerEnv, newCell, startManager } from '../support/manager.ts';
import { type Model, startModel } from '../support/model/index.ts';
import { installFromNpm } from '../support/npm-tool.ts';

const LONG = 300_000;
const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const [redisUrl, cell] = [inject('redisUrl'), newCell()];
const CAT = { agent_type: 'CUSTOM', command_line: ['cat'] };
let home: string;
let folder: string;
let manager: Manager;
let model: Model;

/** The pinned version. Returns the folder of its program. */
function installClaude(): Promise<string> {
  const { package: name, version } = claude.cli ?? { package: '', version: '' };
  return installFromNpm(name, version, (cwd) => run(process.execPath, ['install.cjs'], { cwd }));
}

/** Runs a shell command as a user of Claude Code and of `wm`. */
let bash: (command: string) => Promise<string>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'wm-home-'));
  folder = await mkdtemp(join(tmpdir(), 'wm-claude-'));
  manager = await startManager({ redisUrl, cell, home });
  model = await startModel();
  const programs = join(folder, 'bin');
  await mkdir(programs);
  await writeFile(join(programs, 'wm'), `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`, {
    mode: 0o755,
  });
  const path = [programs, await installClaude(), dirname(process.execPath), process.env.PATH];
  const { REDIS_URL: _, ...own } = managerEnv({ redisUrl, cell, home });
  const env = {
    ...own,
    HOME: folder,
    PATH: path.join(delimiter),
    ANTHROPIC_BASE_URL: model.url,
    ANTHROPIC_API_KEY: 'sk-test',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  };
  bash = async (command) => {
    const { stdout } = await run('bash', ['-c', command], { cwd: folder, env, maxBuffer: 2 ** 26 });
    return stdout;
  };
  const page = readFileSync(join(ROOT, 'docs/mcp.md'), 'utf8');
  const [, block = ''] = /<!-- mcp:[^\n]*-->\n```console\n([\s\S]*?)\n```/.exec(page) ?? [];
  const commands = block.split('\n').map((line) => line.replace(/^\$ /, ''));
  expect(commands).toHaveLength(3);
  let printed = '';
  for (const command of commands) printed = await bash(command.replace('http://127.0.0.1:8080', manager.url));
  expect(printed).toMatch(/workers: wm mcp .*Connected/);
  expect(printed).toMatch(/workers-http: http.*Connected/);
}, LONG);
afterAll(async () => {
  await model.close();
  await manager.stop();
  await cleanCell({ redisUrl, cell, home });
  await rm(folder, { recursive: true, force: true });
});

test.each(['workers', 'workers-http'])(
  'Claude Code creates a worker, uses it and deletes it with the tools of %s',
  { timeout: LONG },
  async (server) => {
    const name = `made-${server}`;
    const tool = (which: string, input: object) =>
      `[[tool mcp__${server}__${which} ${JSON.stringify(input)}]]`;
    const prompt = [
      tool('create', { ...CAT, name }),
      tool('exec', { worker: name, command: ['echo', `hello from ${name}`] }),
      tool('send', { worker: name, prompt: 'good morning', wait_seconds: 0 }),
      tool('output', { worker: name, wait_seconds: 30 }),
      tool('create', { ...CAT, modules: ['DOCKER'] }),
      tool('delete', { worker: name }),
      '[[say All done.]]',
    ].join(' ');
    const words = [prompt, '--allowedTools', `mcp__${server}`, '--output-format', 'stream-json', '--verbose'];
    const printed = await bash(`claude -p ${words.map((word) => `'${word}'`).join(' ')} </dev/null`);
    const messages = printed
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const results = messages
      .filter(({ type }) => type === 'user')
      .flatMap(({ message }) => message.content)
      .filter(({ type }) => type === 'tool_result')
      .map(({ content }) => (typeof content === 'string' ? content : content[0].text));
    expect(results).toHaveLength(6);
    const [created, executed, sent, output, refused, deleted] = results.map((text) =>
      // Claude Code adds a remark to an error.
      JSON.parse(text.split('\n')[0]),
    );
    expect(created).toMatchObject({ name, ready: true });
    expect(executed).toMatchObject({ exit_code: 0, stdout: `hello from ${name}\n` });
    expect(sent).toMatchObject({ worker_id: created.worker_id });
    expect(JSON.stringify(output.entries)).toContain('ready');
    expect(refused.error).toMatchObject({ code: 'unsupported', issues: [{ path: 'modules' }] });
    expect(deleted).toEqual({ worker_id: created.worker_id, deleted: true });
    expect(messages.at(-1)).toMatchObject({ type: 'result', is_error: false, result: 'All done.' });
  },
);
