import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, MAIN, managerEnv, newCell, startManager } from '../support/manager.ts';
import { startRedis } from '../support/redis.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

interface Line {
  command: string;
  printed: string;
}

/** The commands of a session in a page, each with its printed output. */
function session(page: string, name: string): Line[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const block =
    new RegExp(`<!-- ${name}:[^\\n]*-->\\n\`\`\`console\\n([\\s\\S]*?)\\n\`\`\``).exec(text)?.[1] ?? '';
  return block
    .split(/^\$ /m)
    .filter(Boolean)
    .map((part) => {
      const [command = '', ...printed] = part.trimEnd().split('\n');
      return { command, printed: printed.join('\n') };
    });
}

/** Values that differ between runs: IDs from Redis, and timestamps. */
const plain = (text: string) =>
  text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/\b\d{13}-\d+\b/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<instant>');

/** Starts a manager, and returns what runs a command of a page in its environment, in the folder of the repository. */
async function startShell(
  env: Record<string, string>,
): Promise<{ bash: (command: string) => Promise<string> }> {
  const options = { redisUrl: inject('redisUrl'), cell: newCell() };
  const manager = await startManager({ ...options, env });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ ...options, home: manager.home });
  });
  const wm = `wm() { '${process.execPath}' '${MAIN}' "$@" 2>&1; }`;
  const around = { cwd: ROOT, env: managerEnv({ ...options, home: manager.home }) };
  return {
    bash: async (command) =>
      (await run('bash', ['-c', `${wm}\n${command} || true`], around)).stdout.trimEnd(),
  };
}

test('the session of the wire protocol works as it is printed', async () => {
  const lines = session('docs/wire.md', 'session');
  expect(lines.length).toBeGreaterThan(6);
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  // The session uses the keys of the default cell, so the test uses its own Redis.
  const manager = await startManager({ redisUrl: redis.url, cell: 'default' });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl: redis.url, cell: 'default', home: manager.home });
  });

  let variables = '';
  const bash = async (command: string) => {
    // Like on a terminal, where redis-cli prints for people.
    const shell = `redis-cli() { command redis-cli --no-raw -u '${redis.url}' "$@"; }\n${variables}${command}`;
    return (await run('bash', ['-c', shell])).stdout.trimEnd();
  };
  for (const { command, printed } of lines) {
    if (/^\w+=/.test(command)) {
      // Read it once: it may change each time.
      const [name] = command.split('=');
      variables += `${name}=${await bash(`${command}; echo "$${name}"`)}\n`;
      continue;
    }
    // A reader pauses between two commands; retrying a read stands for that. Writes run once.
    const answer = async () => plain(await bash(command));
    if (command.includes('XADD')) expect(await answer(), command).toBe(plain(printed));
    else await expect.poll(answer, { timeout: 20_000, message: command }).toBe(plain(printed));
  }
});

test('the jobs of the README work as they are printed', { timeout: 120_000 }, async () => {
  const lines = session('README.md', 'jobs');
  expect(lines.length).toBeGreaterThan(4);
  const { bash } = await startShell({ HANDLERS_DIR: join(ROOT, 'examples', 'handlers') });
  for (const { command, printed } of lines) {
    // The age of a pool differs in every run.
    const timeless = (text: string) => text.replace(/\b\d+s\b/g, '<age>').replace(/ +/g, ' ');
    if (!command.endsWith('pools')) expect(await bash(command), command).toBe(printed);
    else
      await expect
        .poll(async () => timeless(await bash(command)), { timeout: 30_000 })
        .toBe(timeless(printed));
  }
});

test('the sixty seconds of the README work as they are printed', { timeout: 60_000 }, async () => {
  const lines = session('README.md', 'sixty seconds');
  expect(lines.length).toBeGreaterThan(4);
  const { bash } = await startShell({ RUNTIME: 'process' });
  for (const { command, printed } of lines) {
    // The answer of the worker comes a moment after the prompt.
    if (!command.startsWith('wm logs')) expect(plain(await bash(command)), command).toBe(plain(printed));
    else await expect.poll(() => bash(command), { timeout: 20_000 }).toBe(printed);
  }
});
