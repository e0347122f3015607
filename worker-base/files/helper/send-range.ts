import { read as readFd } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { promisify } from 'node:util';

const read = promisify(readFd);
/** Bytes that are read at once. */
const CHUNK_BYTES = 512 * 1024;

/**
 * Sends a part of an opened file, as fast as the client reads. Uses two buffers again and again: new ones would be collected so late that
 * a large file takes 100 MB. Returns false if the file has become shorter, or the client has gone.
 */
export async function sendRange(
  response: ServerResponse,
  fd: number,
  { from, to }: { from: number; to: number },
): Promise<boolean> {
  const size = Math.min(CHUNK_BYTES, to - from + 1);
  let [next, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  let sending = Promise.resolve(true);
  for (let at = from; at <= to; ) {
    const { bytesRead } = await read(fd, next, 0, Math.min(size, to - at + 1), at);
    // The other buffer is free once it was sent.
    if (!(await sending) || bytesRead === 0) return false;
    sending = send(response, next.subarray(0, bytesRead));
    at += bytesRead;
    [next, other] = [other, next];
  }
  return sending;
}

/** Resolves when the system has taken the bytes; false if the client has gone. */
function send(response: ServerResponse, bytes: Buffer): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const gone = () => resolve(false);
    response.once('close', gone);
    response.write(bytes, (error) => {
      response.off('close', gone);
      resolve(!error);
    });
  });
}
