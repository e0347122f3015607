import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { cleanCell, startManager } from '../support/manager.ts';
import { startRedis } from '../support/redis.ts';

const run = promisify(execFile);
const README = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');

interface Line {
  command: string;
  printed: string;
}

/** The commands of the session in the README, each with what is printed below it. */
function session(): Line[] {
  const block = /<!-- session:[^\n]*-->\n```console\n([\s\S]*?)\n```/.exec(README)?.[1] ?? '';
  return block
    .split(/^\$ /m)
    .filter(Boolean)
    .map((part) => {
      const [command = '', ...printed] = part.trimEnd().split('\n');
      return { command, printed: printed.join('\n') };
    });
}

/** What differs from one run to the next: ids that Redis makes, and instants. */
const plain = (text: string) =>
  text.replace(/\b\d{13}-\d+\b/g, '<id>').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<instant>');

test('the session of the README works as it is printed', async () => {
  const lines = session();
  expect(lines.length).toBeGreaterThan(6);
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  // The keys of the README are those of the default cell, so it gets a Redis of its own.
  const manager = await startManager({ redisUrl: redis.url, cell: 'default' });
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ redisUrl: redis.url, cell: 'default', home: manager.home });
  });

  let variables = '';
  const bash = async (command: string) => {
    // As on a terminal, where redis-cli prints for people.
    const shell = `redis-cli() { command redis-cli --no-raw -u '${redis.url}' "$@"; }\n${variables}${command}`;
    return (await run('bash', ['-c', shell])).stdout.trimEnd();
  };
  for (const { command, printed } of lines) {
    if (/^\w+=/.test(command)) {
      variables += `${command}\n`;
      continue;
    }
    // A reader takes a moment between two commands; asking again stands for it. Writing is done once.
    const answer = async () => plain(await bash(command));
    if (command.includes('XADD')) expect(await answer(), command).toBe(plain(printed));
    else await expect.poll(answer, { timeout: 20_000, message: command }).toBe(plain(printed));
  }
});
