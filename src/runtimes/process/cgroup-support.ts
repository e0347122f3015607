import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorMessage } from '../../model/index.ts';
import type { RuntimeInfo } from '../runtime.ts';
import { errnoCode, writtenAt } from './safe-file.ts';

type Limit = keyof RuntimeInfo['limits'];

/** What this process can create under its own cgroup, so that no body escapes the manager's limits. */
export interface CgroupSupport {
  version: 'v1' | 'v2' | undefined;
  /** Parent directories of the bodies' cgroups, by controller; v2 has one for all. */
  bases: Partial<Record<'memory' | 'cpu' | 'cpuacct' | 'pids' | 'unified', string>>;
  limits: RuntimeInfo['limits'];
}

/** Our directory under the manager's own cgroup. */
const FOLDER = 'worker-manager';
/** systemd's `DelegateSubgroup=`, with which the manager leaves the delegated cgroup to its children. */
const SUBGROUP = '/manager';

/** Detects what is writable by creating the cell's own directories, which `dismantleCgroups` removes. */
export async function findCgroups(cell: string): Promise<CgroupSupport> {
  const none = { version: undefined, bases: {} };
  if (process.platform !== 'linux')
    return { ...none, limits: unsupported(`cgroups need Linux, and this is ${process.platform}`) };
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const own = parseOwn(await readFile('/proc/self/cgroup', 'utf8'));
  const v2 = await tryV2(mounts, own, cell);
  const v1 = v2.version ? v2 : await tryV1(mounts, own, cell);
  return v1.version ? v1 : { ...none, limits: v2.limits };
}

/** Age after which an empty cgroup of a body counts as left by a dead manager. */
const LEFT_MS = 60_000;

/** Removes the cell's directories, and ours if no other cell has one left. */
export async function dismantleCgroups(support: CgroupSupport): Promise<void> {
  for (const base of new Set(Object.values(support.bases))) {
    const children = await readdir(base, { withFileTypes: true }).catch(() => []);
    const bodies = children.filter((it) => it.isDirectory()).map(({ name }) => join(base, name));
    // A new one may belong to a cell of the same name in another home, whose body is about to join it.
    const left = bodies.filter((dir) => Date.now() - (writtenAt(dir) ?? Date.now()) > LEFT_MS);
    for (const dir of [...left, base, dirname(base)]) await rmdir(dir).catch(() => undefined);
  }
}

/** The cgroups of a body of this cell under the manager's own cgroup: derived, never read from a file. */
export function deriveCgroups({ bases }: CgroupSupport, bodyId: string): string[] {
  return [...new Set(Object.values(bases))].map((base) => join(base, bodyId));
}

/**
 * The cgroups of a body whose manager ran in another cgroup than this one, as the kernel reports them for a
 * process of the body. Only a path with our suffix counts.
 */
export async function cgroupsOfProcess(pid: number, cell: string, bodyId: string): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
  const suffix = `/${FOLDER}/${cell}/${bodyId}`;
  const own = [...parseOwn(text)].filter(([, path]) => path.endsWith(suffix));
  if (own.length === 0) return [];
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
  const dirs = own.flatMap(([controller, path]) => {
    const mount = mounts.find(({ type, options }) =>
      controller === '' ? type === 'cgroup2' : type === 'cgroup' && options.includes(controller),
    );
    return mount ? [locate(mount, path)] : [];
  });
  return [...new Set(dirs)].filter((dir) => dir.endsWith(suffix));
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

/** Maps a path of a hierarchy through a mount, which may show only a part of it. */
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
        ? { supported: true, how: `cgroup v1 ${files[controller]}`, adjustable: true }
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
  // Fails with EBUSY if the cgroup has processes; then the already enabled controllers must suffice.
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
        ? { supported: true, how: `cgroup v2 ${files[limit]}`, adjustable: true }
        : { supported: false, how: advice };
  }
  if (!any)
    await rmdir(base)
      .then(() => rmdir(dirname(base)))
      .catch(() => undefined);
  return { version: any ? 'v2' : undefined, bases: any ? { unified: base } : {}, limits };
}

/** Why no body can have a cgroup with this file under `base`; `undefined` if one can. */
async function tryBase(base: string, file: string): Promise<string | undefined> {
  // The shim receives the paths as words of a shell list.
  if (/\s/.test(base)) return `the path ${base} contains a space`;
  try {
    await mkdir(base, { recursive: true });
    await readFile(join(base, file));
    return undefined;
  } catch (error) {
    return errnoCode(error) === 'ENOENT'
      ? `the cgroup ${dirname(dirname(base))} has no ${file} for its children`
      : errorMessage(error);
  }
}

const unsupported = (how: string): RuntimeInfo['limits'] => ({
  memory: { supported: false, how },
  cpus: { supported: false, how },
  pids: { supported: false, how },
});

/** For a manager that must not use cgroups. */
export const NO_CGROUPS: CgroupSupport = {
  version: undefined,
  bases: {},
  limits: unsupported('cgroups are switched off'),
};
