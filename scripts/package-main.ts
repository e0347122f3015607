#!/usr/bin/env node
/** What `wm` runs in the npm package: the program, compiled once instead of at each start. */
import * as modules from 'node:module';
import { isAbsolute, join } from 'node:path';

/** `engines` of package.json: the major version, and the minor version of that one. */
const OLDEST = [22, 12] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  const needed = OLDEST.join('.');
  console.error(`worker-manager needs Node ${needed} or newer; this is Node ${process.versions.node}.`);
  process.exit(1);
}
const { XDG_CACHE_HOME: base, HOME: home } = process.env;
const isFolder = (path: string | undefined): path is string => path !== undefined && isAbsolute(path);
const cache = isFolder(base) ? base : isFolder(home) ? join(home, '.cache') : undefined;
// In a folder of the user's own, because its content is executed; Node's default is shared by all users of the machine.
// An import from this project would load the program before that.
if (cache !== undefined) modules.enableCompileCache(join(cache, 'worker-manager', 'compiled'));
await import('../src/main.ts');
