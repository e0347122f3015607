/** Reads the streams of workers, and waits for their states, for the HTTP API and the thread that sends them. */
import type { WorkerStream } from '../../model/worker/worker-stream.ts';
import type { StreamHub } from './stream-hub.ts';
import { type WaitDeps, waitForGoal } from './wait-for-goal.ts';

export function createWorkerStreams(deps: WaitDeps) {
  const { keys, hub } = deps;
  const getKey = (stream: WorkerStream) =>
    stream.of === 'all events' ? keys.allEvents : keys[stream.of](stream.worker_id);
  type Wait = Parameters<typeof waitForGoal>;
  return {
    read: (stream: WorkerStream, of: Parameters<StreamHub['read']>[1]) => hub.read(getKey(stream), of),
    before: (stream: WorkerStream, count: number) => hub.before(getKey(stream), count),
    waitFor: (id: Wait[1], goal: Wait[2], signal: Wait[3]) => waitForGoal(deps, id, goal, signal),
  };
}
