import type { Usage } from '../../model/index.ts';
import { usageOf } from './cgroups.ts';
import { membersOf, type Trace } from './members.ts';
import { readMemory } from './process-table.ts';

/** What a running body uses: as its cgroups tell, and summed over its live processes where they don't. */
export async function measure(trace: Trace): Promise<Usage> {
  const told = await usageOf(trace.cgroups);
  if (told.cpu_seconds !== undefined && told.memory_bytes !== undefined && told.pids !== undefined)
    return told;
  const members = await membersOf(trace);
  const memory = await Promise.all(members.map(readMemory));
  return {
    cpu_seconds: sum(members.map(({ cpu_seconds }) => cpu_seconds)),
    memory_bytes: sum(memory),
    pids: sum(members.map(({ threads }) => threads)),
    ...told,
  };
}

const sum = (figures: number[]) => figures.reduce((total, figure) => total + figure, 0);
