/** Reads the streams of a cell from Redis, with the same beginnings and ends as over HTTP. */
import { getStart, type SourceEntry } from '../../http/event-stream.ts';
import type { WorkerService, WorkerStream } from '../../http/worker-service.ts';
import { Fault } from '../../model/index.ts';
import type { StreamItem, StreamSource, StreamStart } from '../transport.ts';

/** Yields the entries of a stream. With `follow`, output ends with its worker, and events with its record. */
export async function* readRedisStream(
  service: WorkerService,
  { kind, workerId: worker_id }: StreamSource,
  start: StreamStart,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<StreamItem> {
  if (worker_id !== undefined && !(await service.isKnown(worker_id)))
    throw new Fault('not_found', `There is no worker ${worker_id}.`);
  const stream: WorkerStream = worker_id === undefined ? { of: 'all events' } : { worker_id, of: kind };
  let from = await findPosition(service, stream, start);
  onOpen();
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  if (worker_id !== undefined && start.follow)
    service
      .waitFor(worker_id, kind === 'output' ? 'ended' : 'deleted', either)
      .catch(() => {})
      .finally(() => done.abort());
  try {
    // The second time for entries between the end of the worker and its detection here.
    for (const follow of start.follow ? [true, false] : [false]) {
      const reading = follow ? either : signal;
      for await (const entries of service.read(stream, { from, follow, signal: reading })) {
        from = entries.at(-1)?.id ?? from;
        yield* entries.map(toItem);
      }
    }
    signal.throwIfAborted();
  } finally {
    done.abort();
  }
}

async function findPosition(
  service: WorkerService,
  stream: WorkerStream,
  { after, since, tail }: StreamStart,
): Promise<string> {
  const headers = after === undefined ? {} : { 'last-event-id': after };
  const from = getStart({ headers }, { since, tail }, service.now());
  if (from === undefined) return '0';
  return 'tail' in from ? service.before(stream, from.tail) : from.after;
}

const toItem = ({ id, data }: SourceEntry): StreamItem => ({
  id,
  data: JSON.parse(data) as StreamItem['data'],
});
