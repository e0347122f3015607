import type { WaitObservation, WorkerStream } from '../../model/index.ts';
import type { SourceEntry } from '../streams/event-stream.ts';
import type { WorkerService } from './worker-service.ts';

/**
 * Follows the output of a worker until the worker has ended, or its events until it was deleted; returns what was observed
 * then, or `undefined` if the signal fired before.
 */
export async function* readUntilGone(
  service: Pick<WorkerService, 'read' | 'waitFor'>,
  stream: WorkerStream & { worker_id: string },
  from: string,
  signal: AbortSignal,
): AsyncGenerator<SourceEntry[], WaitObservation | undefined> {
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const goal = stream.of === 'output' ? 'ended' : 'deleted';
  const over = service.waitFor(stream.worker_id, goal, either).finally(() => done.abort());
  over.catch(() => {});
  let last = from;
  try {
    // The second time for entries between the end and its detection here.
    for (const follow of [true, false]) {
      const reading = follow ? either : signal;
      for await (const entries of service.read(stream, { from: last, follow, signal: reading })) {
        last = entries.at(-1)?.id ?? last;
        yield entries;
      }
    }
    return signal.aborted ? undefined : (await over).observation;
  } finally {
    done.abort();
  }
}
