/**
 * `npm run test:late`: the tests that need Redis and Docker, with all that their processes read from sockets late at random.
 * It needs the set-up of `npm test`. Arguments are handed to vitest, such as a file.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const late = pathToFileURL(join(root, 'test/support/late.ts')).href;
const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'real'];
const { status } = spawnSync(process.execPath, [...vitest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_OPTIONS: `--import ${late}` },
});
process.exitCode = status ?? 1;
