/** Programs from npm for tests that are too large for everybody's node_modules: installed once, in the folder of caches. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(import.meta.dirname, '../../node_modules/.cache');
const run = promisify(execFile);

/**
 * The folder of a package's programs. `prepare` runs in the package's own folder before others see it. Rejects if npm's registry
 * cannot be reached.
 */
export async function installFromNpm(
  name: string,
  version: string,
  prepare?: (folder: string) => Promise<unknown>,
): Promise<string> {
  const cache = join(CACHE, `${name.replaceAll(/\W+/g, '-').replace(/^-/, '')}-${version}`);
  if (!existsSync(cache)) {
    const fresh = `${cache}-${process.pid}`;
    await mkdir(fresh, { recursive: true });
    await writeFile(join(fresh, 'package.json'), '{}');
    const quiet = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await run('npm', ['install', ...quiet, `${name}@${version}`], { cwd: fresh });
    await prepare?.(join(fresh, 'node_modules', name));
    // Another test may have installed it meanwhile.
    await rename(fresh, cache).catch(() => rm(fresh, { recursive: true }));
  }
  return join(cache, 'node_modules/.bin');
}
