import type { ResourceUsage } from '../../model/index.ts';
import { readCgroupUsage } from './cgroups.ts';
import { readTable, selectBodyProcesses, type Table, type Trace } from './members.ts';
import { readMemory } from './process-table.ts';

/** How long consecutive measurements share one process table. */
const SHARED_MS = 500;

/** Reads the table once for many bodies. */
export function sharedTable(): () => Promise<Table> {
  let last: { at: number; table: Promise<Table> } | undefined;
  return () => {
    const now = performance.now();
    if (!last || now - last.at > SHARED_MS) last = { at: now, table: readTable() };
    return last.table;
  };
}

/** The usage of a running body, from its cgroups, or else summed over its live processes. */
export async function measure(trace: Trace, table: () => Promise<Table>): Promise<ResourceUsage> {
  const usage = await readCgroupUsage(trace.cgroups);
  if (usage.cpu_seconds !== undefined && usage.memory_bytes !== undefined && usage.pids !== undefined)
    return usage;
  const members = await selectBodyProcesses(await table(), trace);
  const memory = await Promise.all(members.map(readMemory));
  return {
    cpu_seconds: sum(members.map(({ cpu_seconds }) => cpu_seconds)),
    memory_bytes: sum(memory),
    pids: sum(members.map(({ threads }) => threads)),
    ...usage,
  };
}

const sum = (figures: number[]) => figures.reduce((total, figure) => total + figure, 0);
