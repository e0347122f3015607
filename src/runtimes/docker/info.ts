import { versionAdvice } from '../../model/index.ts';
import type { RuntimeInfo } from '../runtime.ts';
import type { DockerClient } from './client.ts';

/** The fields of `docker info` that are read. */
export interface EngineInfo {
  ServerVersion?: string;
  MemoryLimit?: boolean;
  CpuCfsQuota?: boolean;
  PidsLimit?: boolean;
  CgroupVersion?: string;
  NCPU?: number;
  MemTotal?: number;
  Name?: string;
  OperatingSystem?: string;
}

/** The engine's capabilities, in the terms of a runtime. Pure. */
export function toInfo(info: EngineInfo, here: { hostname: string; memory_bytes: number }): RuntimeInfo {
  const cgroup = `cgroup v${info.CgroupVersion ?? '1'}`;
  const limit = (supported: boolean | undefined, controller: string) =>
    supported === true
      ? { supported, how: `${cgroup}, ${controller}`, adjustable: true }
      : { supported: false, how: `the engine's kernel has no ${controller} controller (docker info)` };
  return {
    name: 'docker',
    version: `docker ${info.ServerVersion ?? 'unknown'}`,
    advice: versionAdvice('Docker', info.ServerVersion ?? 'unknown'),
    limits: {
      memory: limit(info.MemoryLimit, 'memory'),
      cpus: limit(info.CpuCfsQuota, 'cpu'),
      pids: limit(info.PidsLimit, 'pids'),
    },
    machine: toMachine(info, here),
  };
}

/** A local engine reports this machine's name and memory; one in a virtual machine or elsewhere does not. */
function toMachine(
  { NCPU, MemTotal, Name }: EngineInfo,
  here: { hostname: string; memory_bytes: number },
): RuntimeInfo['machine'] {
  if (!NCPU || !MemTotal) return undefined;
  const local = Name === here.hostname && MemTotal === here.memory_bytes;
  return { cores: NCPU, memory_bytes: MemTotal, local };
}

/** Requests the engine's information. */
export function readInfo(client: DockerClient): Promise<EngineInfo> {
  return client.call(
    'info',
    (docker, abortSignal) => docker.info({ abortSignal } as never) as unknown as Promise<EngineInfo>,
  );
}
