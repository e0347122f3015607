import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** A server that refuses connections is not asked again sooner. */
const PAUSE_MS = 500;

/**
 * Calls `gone` whenever the server on a port of loopback closes the connection that this keeps open to it, and watches
 * it again when that has returned. The kernel closes the connection of a killed server, so nothing is polled.
 */
export function watchServer(
  port: number,
  gone: (signal: AbortSignal) => Promise<void>,
): { stop(): Promise<void> } {
  let socket: Socket | undefined;
  const end = new AbortController();
  const closed = () =>
    new Promise<void>((resolve) => {
      socket = connect({ host: '127.0.0.1', port, keepAlive: true });
      socket.unref();
      socket.on('error', () => {});
      socket.resume();
      socket.on('close', () => resolve());
    });
  const run = async () => {
    while (!end.signal.aborted) {
      await closed();
      if (end.signal.aborted) return;
      await gone(end.signal);
      await delay(PAUSE_MS, undefined, { signal: end.signal }).catch(() => {});
    }
  };
  const running = run();
  return {
    stop() {
      end.abort();
      socket?.destroy();
      return running;
    },
  };
}
