/** Sends streams of events from this thread. Loaded with the first of them: most of it is not needed for anything else here. */
import type { ServerResponse } from 'node:http';
import { type StreamOrder, sendStream } from '../http/stream-order.ts';
import { connectCommands, createWorkerStreams, Store, StreamHub } from '../store/index.ts';

/** It has connections of its own, so that a long reply never delays a renewal of the lease. */
export function openStreams(redisUrl: string, cell: string) {
  const redis = connectCommands(redisUrl);
  // Reads report the error.
  redis.on('error', () => {});
  const hub = new StreamHub(redis, redisUrl);
  const streams = createWorkerStreams({ store: new Store(redis, cell), hub });
  return {
    send: (order: StreamOrder, response: ServerResponse) => sendStream(streams, order, response),
    close(): void {
      hub.close();
      redis.disconnect();
    },
  };
}
