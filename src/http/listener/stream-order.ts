/**
 * A stream of events that the API has accepted. It is sent by the thread that owns the client's connection: passing on each
 * event from another thread would cost as much time as the event itself.
 */
import type { WorkerStream } from '../../model/index.ts';
import { type SourceEnd, type SourceEntry, sendEvents } from '../streams/event-stream.ts';
import { readUntilGone } from '../workers/read-until-gone.ts';
import type { WorkerService } from '../workers/worker-service.ts';

export interface StreamOrder {
  stream: WorkerStream;
  /** The ID of the entry before the first one. */
  from: string;
  /** Whether to wait for new entries at the present end. */
  follow: boolean;
}

/** The content type of a response that is an order. */
export const ORDER_TYPE = 'application/vnd.worker-manager.stream+json';
/** The paths whose responses may be orders: what a worker serves at its own paths is never one. */
export const ORDER_PATHS = /^\/v1\/(?:events|workers\/[^/?]+\/(?:output|events))(?:\?|$)/;

/** Carries out an order; resolves when the stream has ended or the client has gone. */
export const sendStream = (
  service: Pick<WorkerService, 'read' | 'waitFor'>,
  { stream, from, follow }: StreamOrder,
  response: Parameters<typeof sendEvents>[0],
): Promise<void> =>
  sendEvents(response, (signal) =>
    follow && 'worker_id' in stream
      ? untilGone(service, stream, from, signal)
      : service.read(stream, { from, follow, signal }),
  );

/** Ends with `event: end` when the worker has ended (its output) or was deleted (its events). */
async function* untilGone(
  service: Pick<WorkerService, 'read' | 'waitFor'>,
  stream: WorkerStream & { worker_id: string },
  from: string,
  signal: AbortSignal,
): AsyncGenerator<SourceEntry[] | SourceEnd> {
  const observation = yield* readUntilGone(service, stream, from, signal);
  if (!observation) return;
  const { deleted, status } = observation;
  const { status: state, phase, reason, message, exit_code } = status ?? {};
  yield { end: { worker_id: stream.worker_id, deleted, status: state, phase, reason, message, exit_code } };
}
