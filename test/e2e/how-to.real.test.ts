/** Every session of the how-to pages works, page by page, against one manager. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startManagerShell, withDocker } from '../support/manager-shell.ts';

const PAGES = join(import.meta.dirname, '../../docs/how-to');

function readCommands(file: string): string[] {
  const text = readFileSync(join(PAGES, file), 'utf8');
  const lines = [...text.matchAll(/^ *```console\n([\s\S]*?)^ *```$/gm)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
  for (const line of lines) expect(line, `${file}: every line of a session is a command`).toMatch(/^ *\$ /);
  return lines.map((line) => line.trim().slice(2));
}

test('every session of the how-to pages works', { timeout: 240_000 }, async () => {
  const { bash } = await startManagerShell(withDocker());
  const failures: string[] = [];
  let count = 0;
  for (const file of readdirSync(PAGES))
    for (const command of readCommands(file)) {
      count += 1;
      await bash(command).catch((error) => {
        const output = `${error.stdout ?? ''}${error.stderr ?? ''}`.trim().slice(-500);
        failures.push(`${file}: ${command} exits with ${error.code}: ${output}`);
      });
    }
  expect(failures).toEqual([]);
  expect(count).toBeGreaterThan(20);
});
