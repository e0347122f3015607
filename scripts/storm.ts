/**
 * `npm run storm -- --kills 1000 --seed 7`: the storms of kills over agents that write files, with more kills than `npm test`
 * has, or in the order of an earlier run.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '1000' }, seed: { type: 'string' } },
});
for (const [name, value] of Object.entries(values))
  if (!/^\d+$/.test(value)) throw new Error(`--${name} must be a whole number, not "${value}".`);
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'test.ts'), '--project', 'real', 'test/faults/kill-storm'],
  {
    stdio: 'inherit',
    env: { ...process.env, STORM_KILLS: values.kills, ...(values.seed && { STORM_SEED: values.seed }) },
  },
);
process.exitCode = status ?? 1;
