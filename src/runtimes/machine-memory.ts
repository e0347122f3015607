/** The available memory of this machine, or of the manager's container. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface MachineMemory {
  total_bytes: number;
  /** Available without swapping: free memory and droppable caches. */
  available_bytes: number;
}

/** A cgroup without a limit reports a number near 2^63. */
const UNLIMITED = 2 ** 60;

/**
 * Reads the kernel's figures; `undefined` if it has none (macOS). A memory limit of the manager's own cgroup,
 * or of a parent, counts as well, because direct workers run below it. `root` is `/`, or a test's own tree.
 */
export function readMachineMemory(root = '/'): MachineMemory | undefined {
  const meminfo = read(join(root, 'proc/meminfo')) ?? '';
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1]) * 1024;
  let total_bytes = kib('MemTotal');
  let available_bytes = kib('MemAvailable');
  if (!(total_bytes > 0 && available_bytes >= 0)) return undefined;
  for (const dir of ownCgroups(root)) {
    const limit = number(join(dir, 'memory.max')) ?? number(join(dir, 'memory.limit_in_bytes'));
    const usage = number(join(dir, 'memory.current')) ?? number(join(dir, 'memory.usage_in_bytes'));
    if (limit === undefined || usage === undefined || limit >= UNLIMITED) continue;
    const stat = read(join(dir, 'memory.stat')) ?? '';
    // Including child cgroups; v1 also has a line for the cgroup alone.
    const [, cache = 0] =
      /^total_inactive_file (\d+)$/m.exec(stat) ?? /^inactive_file (\d+)$/m.exec(stat) ?? [];
    total_bytes = Math.min(total_bytes, limit);
    available_bytes = Math.min(available_bytes, Math.max(0, limit - usage + Number(cache)));
  }
  return { total_bytes, available_bytes };
}

/** The manager's memory cgroup and its parents, if they are mounted in the usual places. */
function ownCgroups(root: string): string[] {
  const dirs = new Set<string>();
  for (const line of (read(join(root, 'proc/self/cgroup')) ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || !(controllers === '' || controllers?.split(',').includes('memory'))) continue;
    const mount = join(root, controllers === '' ? 'sys/fs/cgroup' : 'sys/fs/cgroup/memory');
    for (let at = path; ; at = dirname(at)) {
      dirs.add(join(mount, at));
      if (at === '/') break;
    }
  }
  return [...dirs];
}

function number(path: string): number | undefined {
  const text = read(path)?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
