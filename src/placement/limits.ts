/** Limits that the machine of a runtime cannot enforce are refused before anything is created. */

import { Fault, formatSize, parseMemory, type RuntimeName, type WorkerSpec } from '../model/index.ts';
import type { Machine } from '../runtimes/runtime.ts';
import type { PlacementContext } from './context.ts';

/** Throws a Fault that names each limit that the runtime cannot enforce on this machine. */
export function rejectUnenforcedLimits(
  requested: WorkerSpec['resources'],
  name: RuntimeName,
  context: PlacementContext,
): void {
  const info = context.runtimes.find((runtime) => runtime.name === name)?.info;
  if (!info || !requested) return;
  const issues = (['memory', 'cpus', 'pids'] as const)
    .filter((limit) => requested[limit] !== undefined && !info.limits[limit].supported)
    .map((limit) => ({
      path: `resources.${limit}`,
      message: `cannot be enforced: ${info.limits[limit].how}`,
    }));
  if (issues.length === 0) {
    rejectTooMuch(requested, name, info.machine);
    return;
  }
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new Fault('unsupported', `The ${name} runtime on this machine cannot limit that: ${list}.`, {
    issues,
  });
}

/** A limit above the machine's capacity has no effect, or its engine refuses it when the body is created. */
function rejectTooMuch(
  { memory, cpus }: NonNullable<WorkerSpec['resources']>,
  name: RuntimeName,
  machine: Machine | undefined,
): void {
  if (!machine) return;
  const { memory_bytes, cores } = machine;
  const issues = [
    ...((parseMemory(memory ?? '') ?? 0) > memory_bytes
      ? [
          {
            path: 'resources.memory',
            message: `is ${memory}, but the machine has ${formatSize(memory_bytes)}`,
          },
        ]
      : []),
    ...((cpus ?? 0) > cores
      ? [{ path: 'resources.cpus', message: `is ${cpus}, but the machine has ${cores}` }]
      : []),
  ];
  if (issues.length === 0) return;
  const list = issues.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new Fault('capacity', `The machine of the ${name} runtime is too small: ${list}.`, { issues });
}
