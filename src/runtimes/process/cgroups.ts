import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ResourceUsage } from '../../model/index.ts';
import { ActFailed, BodyRefused } from '../runtime.ts';
import type { BodyLimits } from './limits.ts';
import { errnoCode, nothing } from './safe-file.ts';

/** Period of a CPU quota; the kernel's default. */
const PERIOD_US = 100_000;
const REMOVE_ROUNDS = 100;

/** Errors for a limit that the kernel rejects permanently: more than the parent's, or out of range. */
const REJECTED: ReadonlySet<string> = new Set(['EINVAL', 'ERANGE', 'EDOM', 'EOVERFLOW', 'EBUSY']);

/** Creates a body's cgroups and sets its limits. Throws `BodyRefused` for a limit that the kernel rejects. */
export async function makeCgroups(dirs: string[], limits: BodyLimits): Promise<void> {
  for (const dir of dirs) await mkdir(dir, { recursive: true });
  const set = async (file: string, value: number | string) => {
    for (const dir of dirs) {
      const path = join(dir, file);
      if ((await readFile(path).catch(nothing)) !== undefined)
        await writeFile(path, String(value), { flag: 'r+' }).catch((error) =>
          rejectLimit(file, value, error),
        );
    }
  };
  const { memory_bytes, cpus, pids } = limits;
  if (memory_bytes !== undefined) {
    // v1 requires memory <= memory with swap, so the order of the two writes matters.
    const both = ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes'] as const;
    const raised = dirs.some((dir) => memory_bytes > Number(readText(join(dir, both[1])) ?? memory_bytes));
    for (const file of raised ? both.toReversed() : both) await set(file, memory_bytes);
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

function rejectLimit(file: string, value: number | string, error: unknown): never {
  const code = errnoCode(error) ?? '';
  if (!REJECTED.has(code)) throw error;
  throw new BodyRefused('LimitRefused', `The kernel refuses the limit ${value} for ${file} (${code}).`);
}

/**
 * Removes a body's cgroups after they are empty; the kernel may take a moment to release killed processes.
 */
export async function removeCgroups(dirs: string[]): Promise<void> {
  for (let round = 0; round < REMOVE_ROUNDS; round += 1) {
    // Remove nested cgroups of the body first.
    const busy = [];
    for (const dir of withChildren(dirs).reverse()) busy.push(await isBusy(dir));
    if (!busy.some(Boolean)) return;
    await delay(20);
  }
  throw new ActFailed(`Its cgroups still contain processes: ${dirs.join(', ')}`);
}

/** Removes one; returns whether it still contains a process. */
async function isBusy(dir: string): Promise<boolean> {
  try {
    await rmdir(dir);
    return false;
  } catch (error) {
    if (errnoCode(error) !== 'EBUSY') nothing(error);
    return errnoCode(error) === 'EBUSY';
  }
}

/**
 * The text of a cgroup file; `undefined` if the cgroup is removed before the file is opened, or (ENODEV)
 * while it is read. Synchronous: the kernel generates it in memory, and a promise costs five times as much as
 * the read.
 */
function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return errnoCode(error) === 'ENODEV' ? undefined : nothing(error);
  }
}

/** Maximum number of nested cgroups that are examined; a real program makes a few. */
const CHILDREN_LIMIT = 1000;

/** The cgroups and all that the body has nested in them, parents first. */
function withChildren(dirs: string[]): string[] {
  const all = [...dirs];
  for (let at = 0; at < all.length && all.length < CHILDREN_LIMIT; at += 1) {
    const dir = all[at] as string;
    try {
      const entries = readdirSync(dir, { withFileTypes: true });
      all.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name)));
    } catch (error) {
      if (errnoCode(error) !== 'ENODEV') nothing(error);
    }
  }
  return all;
}

/**
 * Has the kernel kill everything in a v2 cgroup in one step that no fork escapes. If another program has
 * moved one of the `spared` processes (such as the manager) into the cgroup, it is left to signals.
 */
export function killCgroups(dirs: string[], spared: Set<number>): void {
  for (const dir of dirs) {
    if (pidsIn([dir]).some((pid) => spared.has(pid))) continue;
    try {
      writeFileSync(join(dir, 'cgroup.kill'), '1', { flag: 'r+' });
    } catch {
      // v1, or a kernel before 5.14; signals follow.
    }
  }
}

/** The pids in a body's cgroups, including nested ones. */
export function pidsIn(dirs: string[]): number[] {
  const lists = withChildren(dirs).map((dir) => readText(join(dir, 'cgroup.procs')));
  const pids = lists.flatMap((text) => (text ?? '').split('\n').map(Number));
  return [...new Set(pids.filter((pid) => pid > 0))];
}

/** Whether the kernel has killed a process of the body at its memory limit. */
export function wasOomKilled(dirs: string[]): boolean {
  for (const dir of dirs) {
    for (const file of ['memory.oom_control', 'memory.events']) {
      const text = readText(join(dir, file));
      if (Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0) > 0) return true;
    }
  }
  return false;
}

/** The usage that the cgroups report; values that they do not report are absent. */
export async function readCgroupUsage(dirs: string[]): Promise<ResourceUsage> {
  const read = async (file: string) => {
    for (const dir of dirs) {
      const text = readText(join(dir, file));
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
  const usage: ResourceUsage = {};
  const v2Micros = /^usage_usec (\d+)$/m.exec(v2Cpu ?? '')?.[1];
  if (v1Cpu !== undefined) usage.cpu_seconds = Number(v1Cpu) / 1e9;
  else if (v2Micros !== undefined) usage.cpu_seconds = Number(v2Micros) / 1e6;
  const memory = number(v1Memory ?? v2Memory);
  // Like `docker stats`: without the file cache that can be reclaimed immediately.
  const cache = Number(/^(?:total_)?inactive_file (\d+)$/m.exec(stat ?? '')?.[1] ?? 0);
  if (memory !== undefined) usage.memory_bytes = Math.max(0, memory - cache);
  if (pids !== undefined) usage.pids = Number(pids);
  return usage;
}
