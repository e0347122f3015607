#!/usr/bin/env node
/** What `wm` runs in the npm package: the program, compiled once instead of at each start. */
import * as modules from 'node:module';
import { isAbsolute, join } from 'node:path';
import { getUserHome } from '../src/config/user-home.ts';

/** `engines` of package.json: the major version, and the minor version of that one. */
const OLDEST = [22, 12] as const;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  const needed = OLDEST.join('.');
  console.error(`worker-manager needs Node ${needed} or newer; this is Node ${process.versions.node}.`);
  process.exit(1);
}
const { XDG_CACHE_HOME: base } = process.env;
const cache = base && isAbsolute(base) ? base : join(getUserHome(process.env), '.cache');
// In a folder of the user's own, because its content is executed; Node's default is shared by all users of the machine.
modules.enableCompileCache(join(cache, 'worker-manager', 'compiled'));
await import('../src/main.ts');
