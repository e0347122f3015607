/** Ends connections whose other side stopped reading. */
import type { Socket } from 'node:net';

const CHECKS = 3;

/**
 * Destroys the socket if nothing of what waits to be sent has been read for `ms`. A connection on which there is nothing
 * to say stays open. Returns the function that ends the watch.
 */
export function endWhenStalled(socket: Socket, ms: number): () => void {
  let last = -1;
  let same = 0;
  const timer = setInterval(() => {
    const { writableLength, bytesWritten } = socket;
    // Of what was handed to the kernel, a part may wait there; only the queue here shows that it is full.
    const sent = bytesWritten - writableLength;
    same = writableLength > 0 && sent === last ? same + 1 : 0;
    last = sent;
    if (same >= CHECKS) socket.destroy();
  }, ms / CHECKS);
  timer.unref();
  const stop = () => {
    clearInterval(timer);
    socket.off('close', stop);
  };
  socket.once('close', stop);
  return stop;
}
