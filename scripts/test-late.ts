/**
 * `npm run test:late`: the tests that need Redis and Docker, with what they and their managers read from sockets late at
 * random. Arguments are handed to vitest, such as a file.
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
