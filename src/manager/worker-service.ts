/** The records and streams of workers for the manager's HTTP API. */
import type { WorkerService } from '../http/workers/worker-service.ts';
import {
  type CommandClient,
  createWorkerStreams,
  type Link,
  readWorkerPage,
  readWorkerViews,
  type Store,
  type StreamHub,
  sendInput,
} from '../store/index.ts';

export function openWorkerService(options: {
  redis: Link;
  store: Store;
  hub: StreamHub;
  commandClient: CommandClient;
  explain: WorkerService['explain'];
  now: () => number;
}): WorkerService {
  const { redis, store, hub, commandClient, explain, now } = options;
  const { keys } = store;
  return {
    ...createWorkerStreams({ redis, keys, hub }),
    sendCommand: (command) => commandClient.send(command),
    get: async (id) => (await readWorkerViews(redis, keys, [id]))[0],
    findId: (name) => store.findId(name),
    isKnown: async (id) => (await store.status(id)) !== undefined,
    page: (of) => readWorkerPage(redis, keys, of),
    spec: async (id) => (await store.load(id))?.record.desired.spec,
    explain,
    sendInput: (id, input) => sendInput(redis, keys, id, input),
    now,
  };
}
