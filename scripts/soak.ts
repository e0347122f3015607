/** `npm run soak -- --connections 10000`: very many connections through the doors of workers, more than `npm test` has. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { connections: { type: 'string', default: '10000' } } });
if (!/^\d+$/.test(values.connections))
  throw new Error(`--connections must be a whole number, not "${values.connections}".`);
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), '--project', 'real', 'test/doors/soak'],
  { stdio: 'inherit', env: { ...process.env, DOOR_CONNECTIONS: values.connections } },
);
process.exitCode = status ?? 1;
