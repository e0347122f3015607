import { useMemo } from 'preact/hooks';
import { usePoll } from '../live/poll.ts';
import { requester } from '../live/session.ts';
import type { UsageById, WorkerUsage } from './worker-rows.ts';

/** Milliseconds between reads: usage is measured every few seconds, and the answer grows with the workers. */
const EVERY_MS = 5000;
const EVERY_MANY_MS = 20_000;
const MANY = 2000;

interface UsageAnswer {
  items: (WorkerUsage & { worker_id: string })[];
}

/** CPU and memory of all workers. */
export function useUsage(workers: number): UsageById {
  const { value } = usePoll('usage', workers > MANY ? EVERY_MANY_MS : EVERY_MS, (signal) =>
    requester.get<UsageAnswer>('/v1/usage', { signal }),
  );
  return useMemo(() => new Map(value?.items.map((item) => [item.worker_id, item])), [value]);
}
