import { parseMemory, type WorkerSpec } from '../../model/index.ts';
import { BodyRefused, type RuntimeInfo } from '../runtime.ts';

/** What a spec asks for, in the units of the kernel. */
export interface Limits {
  memory_bytes?: number | undefined;
  /** Cores. */
  cpus?: number | undefined;
  /** Processes and threads. */
  pids?: number | undefined;
}

export function limitsOf({ resources }: WorkerSpec): Limits {
  const memory_bytes = resources?.memory === undefined ? undefined : parseMemory(resources.memory);
  return { memory_bytes, cpus: resources?.cpus, pids: resources?.pids };
}

/** Without a memory cgroup, Linux can still limit each process by itself; macOS takes such a limit and ignores it. */
export function withRlimit(limits: RuntimeInfo['limits']): RuntimeInfo['limits'] {
  if (limits.memory.supported || process.platform !== 'linux') return limits;
  const how = `ulimit -d, for each process by itself (no cgroup: ${limits.memory.how})`;
  return { ...limits, memory: { supported: true, how } };
}

/** Throws `BodyRefused` for a limit that this machine can't keep: none is ever ignored. */
export function refuseUnsupported(limits: Limits, support: RuntimeInfo['limits']): void {
  const wanted = { memory: limits.memory_bytes, cpus: limits.cpus, pids: limits.pids };
  for (const limit of ['memory', 'cpus', 'pids'] as const) {
    if (wanted[limit] === undefined || support[limit].supported) continue;
    throw new BodyRefused(
      'Unsupported',
      `A limit of ${limit} can't be kept on this machine: ${support[limit].how}.`,
    );
  }
}
