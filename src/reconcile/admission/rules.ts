/** How many bodies may boot at once, and the message for waiting workers. Pure. */
import { formatSize } from '../../model/index.ts';
import type { QueuePosition } from './start-queue.ts';

/** Memory that a start is expected to need: a plain wrapper uses about 25 MB, and an agent is added to it. */
export const START_BYTES = 64 * 1024 ** 2;
/**
 * The share of memory that starts leave free: a tenth, and a fiftieth for what bodies take after their boot. With a tenth
 * alone, 772 bodies that had started left 9.4 % free.
 */
export const FREE_SHARE = 0.12;

export interface MemoryObservation {
  total_bytes: number;
  available_bytes: number;
}

export interface StartsObservation {
  /** Number of booting bodies of this runtime. */
  starting: number;
  /** Limit of bodies of this runtime that boot at the same time. */
  slots: number;
  /** Number of booting bodies of all runtimes; the measurement does not yet include the memory that they will use. */
  booting: number;
  memory: MemoryObservation | undefined;
}

/** What blocks the workers that must wait. */
export type HoldReason =
  | { why: 'slots'; slots: number }
  | { why: 'memory'; available_bytes: number; keep_bytes: number }
  | { why: 'recovering' };

/** How many more may start, and what blocks the next one after them. */
export function admit({ starting, slots, booting, memory }: StartsObservation): {
  count: number;
  reason: HoldReason;
} {
  const bySlots = Math.max(0, slots - starting);
  const reason: HoldReason = { why: 'slots', slots };
  if (!memory) return { count: bySlots, reason };
  const { available_bytes, total_bytes } = memory;
  const keep_bytes = Math.ceil(total_bytes * FREE_SHARE);
  const byMemory = Math.max(0, Math.floor((available_bytes - keep_bytes) / START_BYTES) - booting);
  return byMemory < bySlots
    ? { count: byMemory, reason: { why: 'memory', available_bytes, keep_bytes } }
    : { count: bySlots, reason };
}

/** Why a worker waits, and its position. */
export function formatQueuedMessage({ position, length }: QueuePosition, held: HoldReason): string {
  return `Position ${position} of ${length} in the start queue: ${formatHoldReason(held)}.`;
}

function formatHoldReason(held: HoldReason): string {
  if (held.why === 'recovering') return 'the manager has just started and is listing all workers';
  if (held.why === 'slots') return `${held.slots} bodies may boot at the same time (MAX_CONCURRENT_STARTS)`;
  const { available_bytes, keep_bytes } = held;
  return `${formatSize(available_bytes)} of memory are available, and ${formatSize(keep_bytes)} are reserved`;
}
