/**
 * `npm run test:late`: the tests that need Redis and Docker, with random delays of what they and their managers read
 * from sockets. Arguments, such as a file, are passed to vitest.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const late = pathToFileURL(join(import.meta.dirname, '../test/support/late.ts')).href;
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), '--project', 'real', ...process.argv.slice(2)],
  { stdio: 'inherit', env: { ...process.env, NODE_OPTIONS: `--import ${late}` } },
);
process.exitCode = status ?? 1;
