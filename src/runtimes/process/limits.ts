import { parseMemory, type WorkerSpec } from '../../model/index.ts';
import { BodyRefused, type DefaultLimits, type RuntimeInfo } from '../runtime.ts';

/** The limits of a spec, in the kernel's units. */
export interface BodyLimits {
  memory_bytes?: number | undefined;
  /** Cores. */
  cpus?: number | undefined;
  /** Processes and threads. */
  pids?: number | undefined;
  /** Per process. */
  open_files?: number | undefined;
}

export function toBodyLimits({ resources }: WorkerSpec): BodyLimits {
  const memory_bytes = resources?.memory === undefined ? undefined : parseMemory(resources.memory);
  return { memory_bytes, cpus: resources?.cpus, pids: resources?.pids };
}

/**
 * Adds the operator's default limits for bodies without their own, if cgroups can enforce them. A default
 * that cannot be enforced is dropped, whereas a requested limit is rejected.
 */
export function withDefaultLimits(
  limits: BodyLimits,
  defaults: DefaultLimits,
  support: RuntimeInfo['limits'],
): BodyLimits {
  const { memory_bytes, pids, open_files } = defaults;
  return {
    ...limits,
    memory_bytes: limits.memory_bytes ?? (support.memory.supported ? memory_bytes : undefined),
    pids: limits.pids ?? (support.pids.supported ? pids : undefined),
    open_files,
  };
}

/**
 * Without a memory cgroup, Linux can still limit each process separately; macOS accepts that limit and
 * ignores it.
 */
export function withRlimit(limits: RuntimeInfo['limits']): RuntimeInfo['limits'] {
  if (limits.memory.supported || process.platform !== 'linux') return limits;
  const how = `ulimit -d, for each process separately (no cgroup: ${limits.memory.how})`;
  return { ...limits, memory: { supported: true, how } };
}

/** Throws `BodyRefused` for a limit that this machine cannot enforce; no limit is ever ignored. */
export function rejectUnsupportedLimits(limits: BodyLimits, support: RuntimeInfo['limits']): void {
  const wanted = { memory: limits.memory_bytes, cpus: limits.cpus, pids: limits.pids };
  for (const limit of ['memory', 'cpus', 'pids'] as const) {
    if (wanted[limit] === undefined || support[limit].supported) continue;
    throw new BodyRefused('Unsupported', `${limit} can't be limited on this machine: ${support[limit].how}.`);
  }
}
