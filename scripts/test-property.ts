/**
 * `npm run test:property`: the property tests with 100,000 runs each instead of 1,000. It prints the seed that it used;
 * `FC_SEED=… FC_RUNS=… npm run test:property` repeats a run. Arguments, such as a file, are passed to vitest.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { join } from 'node:path';

const runs = process.env.FC_RUNS || '100000';
const seed = process.env.FC_SEED || String(randomInt(2 ** 31));
const how = `FC_SEED=${seed} FC_RUNS=${runs} npm run test:property`;
console.log(`${runs} runs of each property; seed ${seed}. To repeat: ${how}`);
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'scripts/property-tests.config.ts',
    ...process.argv.slice(2),
  ],
  {
    cwd: join(import.meta.dirname, '..'),
    stdio: 'inherit',
    env: { ...process.env, FC_RUNS: runs, PROPERTY_RUNS: runs, FC_SEED: seed },
  },
);
console.log(`The seed was ${seed}. To repeat: ${how}`);
process.exitCode = status ?? 1;
