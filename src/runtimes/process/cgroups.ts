import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf, type Usage } from '../../model/index.ts';
import type { RuntimeInfo } from '../runtime.ts';
import { codeOf, nothing } from './body-directory.ts';

export interface Limits {
  memory_bytes?: number | undefined;
  cpus?: number | undefined;
  pids?: number | undefined;
}
type Limit = keyof RuntimeInfo['limits'];

/** What this process may make under its own cgroup, so that no body escapes the limits that the manager is under. */
export interface CgroupSupport {
  version: 'v1' | 'v2' | undefined;
  /** Directories under which a body gets one of its own, by controller; v2 has one for all. */
  bases: Partial<Record<'memory' | 'cpu' | 'cpuacct' | 'pids' | 'unified', string>>;
  limits: RuntimeInfo['limits'];
}

/** Our directory under the manager's own cgroup. */
const FOLDER = 'worker-manager';
const PERIOD_US = 100_000;
/** systemd's `DelegateSubgroup=`, by which the manager leaves the delegated cgroup to its children. */
const SUBGROUP = '/manager';

/** Finds what is writable, by trying: makes the cell's own directories, which `dismantleCgroups` removes. */
export async function findCgroups(cell: string): Promise<CgroupSupport> {
  const none = { version: undefined, bases: {} };
  if (process.platform !== 'linux')
    return { ...none, limits: unsupported(`cgroups are of Linux, this is ${process.platform}`) };
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const own = parseOwn(await readFile('/proc/self/cgroup', 'utf8'));
  const v2 = await tryV2(mounts, own, cell);
  const v1 = v2.version ? v2 : await tryV1(mounts, own, cell);
  return v1.version ? v1 : { ...none, limits: v2.limits };
}

/** Makes the cgroups of a body and sets its limits; a limit that can't be set is an error. */
export async function makeCgroups(dirs: string[], limits: Limits): Promise<void> {
  for (const dir of dirs) await mkdir(dir, { recursive: true });
  const set = async (file: string, value: number | string) => {
    for (const dir of dirs) {
      const path = join(dir, file);
      if ((await readFile(path).catch(nothing)) !== undefined)
        await writeFile(path, String(value), { flag: 'r+' });
    }
  };
  const { memory_bytes, cpus, pids } = limits;
  if (memory_bytes !== undefined) {
    await set('memory.limit_in_bytes', memory_bytes);
    await set('memory.memsw.limit_in_bytes', memory_bytes);
    await set('memory.max', memory_bytes);
    await set('memory.swap.max', 0);
  }
  if (cpus !== undefined) {
    await set('cpu.cfs_period_us', PERIOD_US);
    await set('cpu.cfs_quota_us', Math.round(cpus * PERIOD_US));
    await set('cpu.max', `${Math.round(cpus * PERIOD_US)} ${PERIOD_US}`);
  }
  if (pids !== undefined) await set('pids.max', pids);
}

/** Removes a body's cgroups; what is gone is gone. Answers those that still hold a process. */
export async function removeCgroups(dirs: string[]): Promise<string[]> {
  const busy: string[] = [];
  for (const dir of dirs) {
    await rmdir(dir).catch((error) => {
      if (codeOf(error) === 'EBUSY') busy.push(dir);
      else nothing(error);
    });
  }
  return busy;
}

/** Removes the cell's directories, and ours where no other cell has one left. */
export async function dismantleCgroups(support: CgroupSupport): Promise<void> {
  for (const base of new Set(Object.values(support.bases))) {
    const children = await readdir(base, { withFileTypes: true }).catch(() => []);
    const bodies = children.filter((it) => it.isDirectory()).map(({ name }) => join(base, name));
    for (const dir of [...bodies, base, dirname(base)]) await rmdir(dir).catch(() => undefined);
  }
}

/** The pids in a body's cgroups. */
export async function pidsIn(dirs: string[]): Promise<number[]> {
  const lists = await Promise.all(
    dirs.map((dir) => readFile(join(dir, 'cgroup.procs'), 'utf8').catch(nothing)),
  );
  const pids = lists.flatMap((text) => (text ?? '').split('\n').map(Number));
  return [...new Set(pids.filter((pid) => pid > 0))];
}

/** Whether the kernel has killed a process of the body because its memory limit was reached. */
export async function wasOomKilled(dirs: string[]): Promise<boolean> {
  for (const dir of dirs) {
    for (const file of ['memory.oom_control', 'memory.events']) {
      const text = await readFile(join(dir, file), 'utf8').catch(nothing);
      if (Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0) > 0) return true;
    }
  }
  return false;
}

/** What the cgroups tell of the use; a figure that they don't tell is absent. */
export async function usageOf(dirs: string[]): Promise<Usage> {
  const read = async (file: string) => {
    for (const dir of dirs) {
      const text = await readFile(join(dir, file), 'utf8').catch(nothing);
      if (text !== undefined) return text;
    }
    return undefined;
  };
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const [v1Cpu, v2Cpu, v1Memory, v2Memory, stat, pids] = await Promise.all(
    [
      'cpuacct.usage',
      'cpu.stat',
      'memory.usage_in_bytes',
      'memory.current',
      'memory.stat',
      'pids.current',
    ].map(read),
  );
  const usage: Usage = {};
  const v2Micros = /^usage_usec (\d+)$/m.exec(v2Cpu ?? '')?.[1];
  if (v1Cpu !== undefined) usage.cpu_seconds = Number(v1Cpu) / 1e9;
  else if (v2Micros !== undefined) usage.cpu_seconds = Number(v2Micros) / 1e6;
  const memory = number(v1Memory ?? v2Memory);
  // As `docker stats` counts: without the file cache that can be given back at once.
  const cache = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat ?? '')?.[1] ?? 0);
  if (memory !== undefined) usage.memory_bytes = Math.max(0, memory - cache);
  if (pids !== undefined) usage.pids = Number(pids);
  return usage;
}

interface Mount {
  root: string;
  point: string;
  type: string;
  options: string[];
}

function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [left, right] = line.split(' - ');
    const [, , , root, point] = left?.split(' ') ?? [];
    const [type, , options] = right?.split(' ') ?? [];
    if (!root || !point || !type?.startsWith('cgroup')) return [];
    return { root, point, type, options: options?.split(',') ?? [] };
  });
}

/** Controller -> our path in it; the v2 hierarchy has an empty name. */
function parseOwn(text: string): Map<string, string> {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line));
  return new Map(
    lines.flatMap((line) => (line?.[1] ?? '').split(',').map((name) => [name, line?.[2] ?? '/'] as const)),
  );
}

/** Where a path of a hierarchy is seen through a mount, which may show only a part of it. */
function locate(mount: Mount, path: string): string {
  const inside =
    mount.root === '/' ? path : path.startsWith(mount.root) ? path.slice(mount.root.length) : '/';
  return join(mount.point, inside);
}

async function tryV1(mounts: Mount[], own: Map<string, string>, cell: string): Promise<CgroupSupport> {
  const support: CgroupSupport = {
    version: undefined,
    bases: {},
    limits: unsupported('there is no such cgroup controller'),
  };
  const files = {
    memory: 'memory.limit_in_bytes',
    cpu: 'cpu.cfs_quota_us',
    cpuacct: 'cpuacct.usage',
    pids: 'pids.max',
  };
  for (const controller of ['memory', 'cpu', 'cpuacct', 'pids'] as const) {
    const mount = mounts.find(({ type, options }) => type === 'cgroup' && options.includes(controller));
    const path = own.get(controller);
    if (!mount || path === undefined) continue;
    const base = join(locate(mount, path), FOLDER, cell);
    const why = await tryBase(base, files[controller]);
    if (why === undefined) {
      support.bases[controller] = base;
      support.version = 'v1';
    }
    const limit = controller === 'cpu' ? 'cpus' : controller;
    if (limit === 'cpuacct') continue;
    support.limits[limit] =
      why === undefined
        ? { supported: true, how: `cgroup v1 ${files[controller]}` }
        : { supported: false, how: why };
  }
  return support;
}

async function tryV2(mounts: Mount[], own: Map<string, string>, cell: string): Promise<CgroupSupport> {
  const mount = mounts.find(({ type }) => type === 'cgroup2');
  const path = own.get('');
  if (!mount || path === undefined)
    return { version: undefined, bases: {}, limits: unsupported('no cgroup v2 hierarchy is mounted') };
  const parent = locate(mount, path.endsWith(SUBGROUP) ? path.slice(0, -SUBGROUP.length) : path);
  const base = join(parent, FOLDER, cell);
  const files: Record<Limit, string> = { memory: 'memory.max', cpus: 'cpu.max', pids: 'pids.max' };
  // Refused with EBUSY where the cgroup holds processes; then what is enabled already has to do.
  for (const dir of [parent, dirname(base)]) {
    for (const controller of ['memory', 'cpu', 'pids']) {
      await mkdir(dirname(base), { recursive: true }).catch(() => undefined);
      await writeFile(join(dir, 'cgroup.subtree_control'), `+${controller}`, { flag: 'r+' }).catch(
        () => undefined,
      );
    }
  }
  const limits = unsupported('');
  let any = false;
  for (const limit of ['memory', 'cpus', 'pids'] as const) {
    const why = await tryBase(base, files[limit]);
    any ||= why === undefined;
    const advice = `${why}; give the manager a delegated cgroup (systemd: Delegate=yes and DelegateSubgroup=manager)`;
    limits[limit] =
      why === undefined
        ? { supported: true, how: `cgroup v2 ${files[limit]}` }
        : { supported: false, how: advice };
  }
  if (!any)
    await rmdir(base)
      .then(() => rmdir(dirname(base)))
      .catch(() => undefined);
  return { version: any ? 'v2' : undefined, bases: any ? { unified: base } : {}, limits };
}

/** Why no body can have a cgroup with this file under `base`; `undefined` where it can. */
async function tryBase(base: string, file: string): Promise<string | undefined> {
  // The shim gets the paths as words of a shell list.
  if (/\s/.test(base)) return `the path ${base} holds a space`;
  try {
    await mkdir(base, { recursive: true });
    await readFile(join(base, file));
    return undefined;
  } catch (error) {
    return codeOf(error) === 'ENOENT'
      ? `the cgroup ${dirname(dirname(base))} has no ${file} for its children`
      : messageOf(error);
  }
}

const unsupported = (how: string): RuntimeInfo['limits'] => ({
  memory: { supported: false, how },
  cpus: { supported: false, how },
  pids: { supported: false, how },
});
