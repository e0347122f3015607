import { encodeName } from '../check-values.ts';
import { ManagerError } from '../errors.ts';
import { parseEntryData } from '../stream-data.ts';
import type { StreamItem, StreamSource, StreamStart, WorkerTransport } from '../transport.ts';
import { readEventStream } from './event-stream.ts';
import { type HttpRequest, type HttpRequester, jsonBody } from './request.ts';

/** Name of the event that ends a stream. */
const END = 'end';
/** Extra time for a request in which the manager waits. */
const WAIT_MARGIN_MS = 15_000;

const workerPath = (ref: string, rest = '') => `/v1/workers/${encodeName(ref)}${rest}`;

export const createHttpWorkers = (requester: HttpRequester): WorkerTransport => ({
  createWorker: (input, options) =>
    requester.change('POST', '/v1/workers', options, { body: jsonBody(input) }),
  getWorker: (ref, options) => requester.get(workerPath(ref), options),
  listWorkers({ label = {}, ...query }, { limit, cursor, ...options }) {
    const labels = Object.entries(label).map(([key, value]) => `${key}=${value}`);
    return requester.get('/v1/workers', options, { ...query, label: labels, limit, cursor });
  },
  async deleteWorker(id, { reason, ...options }) {
    await requester.change('DELETE', workerPath(id), options, { query: { reason } });
  },
  actOnWorker: (id, action, options) => requester.change('POST', workerPath(id, `/${action}`), options),
  waitForWorker(id, wait, seconds, options) {
    const timeoutMs = seconds * 1000 + WAIT_MARGIN_MS;
    return requester.get(workerPath(id), { ...options, timeoutMs }, { wait, timeout_seconds: seconds });
  },
  sendPrompt: (id, prompt, options) =>
    requester.change('POST', workerPath(id, '/prompt'), options, { body: jsonBody(prompt) }),
  async interruptWorker(id, options) {
    await requester.change('POST', workerPath(id, '/interrupt'), options);
  },
  explainWorker: (id, options) => requester.get(workerPath(id, '/explain'), options),
  getWorkerSpec: (id, options) => requester.get(workerPath(id, '/spec'), options),
  getWorkerDockerfile: (id, options) => requester.get(workerPath(id, '/dockerfile'), options),
  openStream: (source, start, signal, onOpen) => openHttpStream(requester, source, start, signal, onOpen),
});

async function* openHttpStream(
  requester: HttpRequester,
  { kind, workerId }: StreamSource,
  { after, since, tail, follow }: StreamStart,
  signal: AbortSignal,
  onOpen: () => void,
): AsyncGenerator<StreamItem> {
  const request: HttpRequest = {
    method: 'GET',
    path: workerId === undefined ? `/v1/${kind}` : workerPath(workerId, `/${kind}`),
    query: { since, tail, follow },
    headers: { accept: 'text/event-stream', 'last-event-id': after },
  };
  const response = await requester.open(request, signal);
  onOpen();
  for await (const { event, id, data } of readEventStream(response.body, signal)) {
    if (event === END) return;
    if (id !== undefined) yield { id, data: parseEntryData(data) };
  }
  // Without its last event, a stream that follows was cut by the manager's shutdown or by a proxy.
  if (follow) throw new ManagerError('unavailable', 'The manager closed the stream.');
}
