import type { TermOptions } from '../leader/term-options.ts';
import { readMachineMemory } from '../runtimes/machine-memory.ts';
import type { Runtimes } from '../runtimes/registry.ts';

/** A booting body also waits for its disk and for Redis; twice the number of cores keeps them busy. */
const STARTS_PER_CORE = 2;
/** Memory is read again after this time in milliseconds, so that a burst of requests does not read it each time. */
const MEASURED_MS = 200;

/** How many bodies may boot at once on each runtime (`most`, or based on its cores), and the measured memory. */
export function getStartLimits(
  runtimes: Pick<Runtimes, 'states'>,
  most: number | undefined,
): TermOptions['starts'] {
  const machineOf = (name: string) => runtimes.states.find((state) => state.name === name)?.info?.machine;
  let measured: { at: number; memory: ReturnType<typeof readMachineMemory> } | undefined;
  return {
    slotsOf: (name) => most ?? STARTS_PER_CORE * (machineOf(name)?.cores ?? 1),
    memoryOf(name) {
      if (!machineOf(name)?.local) return undefined;
      const at = performance.now();
      if (!measured || at - measured.at >= MEASURED_MS) measured = { at, memory: readMachineMemory() };
      return measured.memory;
    },
  };
}
