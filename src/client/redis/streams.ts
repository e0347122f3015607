/** Reads the streams of a cell from Redis, with the same beginnings and ends as over HTTP. */
import type { SourceEntry } from '../../http/streams/event-stream.ts';
import { getStart } from '../../http/streams/stream-start.ts';
import { readUntilGone } from '../../http/workers/read-until-gone.ts';
import type { WorkerService } from '../../http/workers/worker-service.ts';
import { missingWorker, type WorkerStream } from '../../model/index.ts';
import { parseEntryData } from '../stream-data.ts';
import type { StreamItem, StreamSource, StreamStart } from '../transport.ts';

/** Yields the entries of a stream. With `follow`, output ends with its worker, and events with its record. */
export async function* readRedisStream(
  service: WorkerService,
  { kind, workerId: worker_id }: StreamSource,
  start: StreamStart,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<StreamItem> {
  if (worker_id !== undefined && !(await service.isKnown(worker_id))) throw missingWorker(worker_id);
  const stream: WorkerStream = worker_id === undefined ? { of: 'all events' } : { worker_id, of: kind };
  const from = await findPosition(service, stream, start);
  onOpen();
  const entries =
    start.follow && 'worker_id' in stream
      ? readUntilGone(service, stream, from, signal)
      : service.read(stream, { from, follow: start.follow, signal });
  for await (const batch of entries) yield* batch.map(toItem);
  signal.throwIfAborted();
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

const toItem = ({ id, data }: SourceEntry): StreamItem => ({ id, data: parseEntryData(data) });
