/** How many bodies may boot at once, and the message for waiting workers. Pure. */
import { formatSize } from '../../model/index.ts';
import type { QueuePosition } from './start-queue.ts';

/** Memory that a start is expected to take: a plain wrapper takes about 25 MB, and an agent comes with it. */
export const START_BYTES = 64 * 1024 ** 2;
/** The share of memory that starts leave free. */
export const FREE_SHARE = 0.1;

export interface MemoryObservation {
  total_bytes: number;
  available_bytes: number;
}

export interface StartsObservation {
  /** Bodies of this runtime that boot. */
  starting: number;
  /** Bodies of this runtime that may boot at the same time. */
  slots: number;
  /** Bodies of all runtimes that boot: what they will take is not measured yet. */
  booting: number;
  memory: MemoryObservation | undefined;
}

/** What holds up those that must wait. */
export type HoldReason =
  | { why: 'slots'; slots: number }
  | { why: 'memory'; available_bytes: number; keep_bytes: number }
  | { why: 'recovering' };

/** How many more may start, and what holds up the next one after them. */
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

/** Why a worker waits, and at which place. */
export function formatQueuedMessage({ position, length }: QueuePosition, held: HoldReason): string {
  return `Position ${position} of ${length} in the start queue: ${formatHoldReason(held)}.`;
}

function formatHoldReason(held: HoldReason): string {
  if (held.why === 'recovering') return 'the manager has just started and is listing all workers';
  if (held.why === 'slots') return `${held.slots} bodies may boot at the same time (MAX_CONCURRENT_STARTS)`;
  const { available_bytes, keep_bytes } = held;
  return `${formatSize(available_bytes)} of memory are available, and ${formatSize(keep_bytes)} are reserved`;
}
