/**
 * The processes of a direct body, from its own cgroup: a few files, regardless of the machine's other
 * processes.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MOUNT = '/sys/fs/cgroup';
/** Maximum number of cgroups that a body may have created in its own; a real program creates a few. */
const CHILDREN_LIMIT = 1000;

/**
 * The pids in the cgroup of this body and in those below it; `undefined` if the body has none of its own. The runtime
 * names a body's cgroup after the body. A process that has left it, which requires root, is not included.
 * `proc` and `mount` are the system's, or a test's own trees.
 */
export function pidsOfBody(
  bodyId: string | undefined,
  { proc = '/proc', mount = MOUNT, self = process.pid } = {},
): number[] | undefined {
  if (bodyId === undefined) return undefined;
  for (const line of read(join(proc, 'self/cgroup')).split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || !path?.endsWith(`/${bodyId}`)) continue;
    // At the usual mount point, and confirmed by the wrapper's own pid; otherwise the next hierarchy is
    // tried.
    const pids = pidsIn(join(mount, controllers, path));
    if (pids.includes(self)) return pids;
  }
  return undefined;
}

function pidsIn(top: string): number[] {
  const dirs = [top];
  const pids = new Set<number>();
  for (let at = 0; at < dirs.length; at += 1) {
    const dir = dirs[at] as string;
    for (const line of read(join(dir, 'cgroup.procs')).split('\n')) if (line !== '') pids.add(Number(line));
    if (dirs.length < CHILDREN_LIMIT) dirs.push(...listChildren(dir));
  }
  return [...pids];
}

function listChildren(dir: string): string[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name));
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
