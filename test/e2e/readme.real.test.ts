import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { cleanCell, startManager } from '../support/manager.ts';
import { type ManagerShell, startManagerShell } from '../support/manager-shell.ts';
import { startRedis } from '../support/redis.ts';
import { readSessions } from './sessions.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..');

const session = (page: string, name: string) => readSessions(readFileSync(join(ROOT, page), 'utf8'), name);

/** Values that differ between runs: IDs from Redis, and timestamps. */
const plain = (text: string) =>
  text
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uuid>')
    .replace(/\b\d{13}-\d+\b/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<instant>');

/** As on a terminal: with what a command prints on stderr, whatever its exit code. */
const asPrinted =
  ({ bash }: ManagerShell) =>
  (command: string) =>
    bash(`{ ${command}; } 2>&1 || true`);

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
  const bash = asPrinted(await startManagerShell({ HANDLERS_DIR: join(ROOT, 'examples', 'handlers') }));
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
  const bash = asPrinted(await startManagerShell({ RUNTIME: 'process' }));
  for (const { command, printed } of lines) {
    // The answer of the worker comes a moment after the prompt.
    if (!command.startsWith('wm logs')) expect(plain(await bash(command)), command).toBe(plain(printed));
    else await expect.poll(() => bash(command), { timeout: 20_000 }).toBe(printed);
  }
});
