/** Sends streams of events from this thread. */
import type { ServerResponse } from 'node:http';
import { type StreamOrder, sendStream } from '../http/listener/stream-order.ts';
import { connectCommands } from '../store/connect.ts';
import { getKeys } from '../store/keys.ts';
import { shareWaits } from '../store/streams/share-waits.ts';
import { StreamHub } from '../store/streams/stream-hub.ts';
import { createWorkerStreams } from '../store/streams/worker-streams.ts';

/** It has connections of its own, opened with the first stream, so that a long reply never delays a renewal of the lease. */
export function createStreamServer(redisUrl: string, cell: string) {
  let opened: ReturnType<typeof open> | undefined;
  function open() {
    const redis = connectCommands(redisUrl);
    // Reads report the error.
    redis.on('error', () => {});
    const hub = new StreamHub(redis, redisUrl);
    const streams = createWorkerStreams({ redis, keys: getKeys(cell), hub });
    return { redis, hub, streams: { ...streams, waitFor: shareWaits(streams.waitFor) } };
  }
  return {
    send(order: StreamOrder, response: ServerResponse): Promise<void> {
      opened ??= open();
      return sendStream(opened.streams, order, response);
    },
    close(): void {
      opened?.hub.close();
      opened?.redis.disconnect();
    },
  };
}
