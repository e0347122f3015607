/** Every command of the runbooks works as it is printed, against a manager with the worker and the pool that they name. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { expect, test } from 'vitest';
import { startManagerShell, withDocker } from '../support/manager-shell.ts';

const ROOT = join(import.meta.dirname, '../..');
const BOOKS = join(ROOT, 'docs/runbooks');
/** The names in the pages. */
const PREPARE = [
  `wm create --name fix --runtime process --wait -- sh -c 'echo hello; sleep 600'`,
  'wm apply -f examples/text.yaml --wait',
];

/** Each command, with the pages that have it. */
function readCommands(): Map<string, string[]> {
  const commands = new Map<string, string[]>();
  for (const file of readdirSync(BOOKS)) {
    const text = readFileSync(join(BOOKS, file), 'utf8');
    for (const [, block = ''] of text.matchAll(/^```console\n([\s\S]*?)^```$/gm))
      for (const line of block.trim().split('\n')) {
        expect(line, `${file}: every line of a session is a command`).toMatch(/^\$ /);
        const command = line.slice(2);
        commands.set(command, [...(commands.get(command) ?? []), file]);
      }
  }
  return commands;
}

test('every command of the runbooks works', async () => {
  const { bash } = await startManagerShell({
    ...withDocker(),
    HANDLERS_DIR: join(ROOT, 'examples/handlers'),
  });
  for (const command of PREPARE) await bash(command);

  const commands = readCommands();
  expect(commands.size).toBeGreaterThan(40);
  const failures: string[] = [];
  const limit = pLimit(2);
  await Promise.all(
    [...commands].map(([command, pages]) =>
      limit(() =>
        bash(command).catch((error) => {
          const said = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().slice(-500);
          failures.push(`${command} (${pages}) exits with ${error.code}: ${said}`);
        }),
      ),
    ),
  );
  expect(failures).toEqual([]);
}, 240_000);
