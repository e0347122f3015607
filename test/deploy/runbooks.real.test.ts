/** Every command of the runbooks works as it is printed, against a manager with the worker and the pool that they name. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pLimit from 'p-limit';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cleanCell, MAIN, managerEnv, newCell, startManager } from '../support/manager.ts';

const run = promisify(execFile);
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
  const host = inject('dockerHost');
  const dockerHost = host.startsWith('/') ? `unix://${host}` : host;
  const env = { RUNTIME: 'auto', DOCKER_HOST: dockerHost, HANDLERS_DIR: join(ROOT, 'examples/handlers') };
  const options = { redisUrl: inject('redisUrl'), cell: newCell(), env };
  const manager = await startManager(options);
  onTestFinished(async () => {
    await manager.stop();
    await cleanCell({ ...options, home: manager.home });
  });
  const around = { cwd: ROOT, env: managerEnv({ ...options, home: manager.home }) };
  const bash = async (command: string) => {
    const text = command.replaceAll('http://127.0.0.1:8080', manager.url);
    const script = `set -o pipefail\nwm() { '${process.execPath}' '${MAIN}' "$@"; }\n${text}`;
    await run('bash', ['-c', script], { ...around, maxBuffer: 16 * 1024 ** 2 });
  };
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
