/**
 * A TCP connection over WebSocket: binary frames are bytes, and a text frame ends one direction. Used at both ends. Must not
 * import any other folder, because the wrapper bundles it.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';

/** The text frame that ends a direction. */
const END = '{"end":true}';
/** Bytes that wait for a client, above which nothing more is read for it. */
const WAITING_BYTES = 1024 ** 2;
/** Codes of RFC 6455 for the end of a connection. */
const NORMAL = 1000;
const BROKEN = 1011;

/** Passes everything between the two, each direction to its end, as fast as the slower side reads. */
export function joinSocket(client: WebSocket, connection: Socket): void {
  let ends = 0;
  const ended = () => {
    ends += 1;
    if (ends === 2) client.close(NORMAL);
  };
  connection.on('data', (bytes: Buffer) => {
    client.send(bytes, { binary: true }, () => {
      if (client.bufferedAmount < WAITING_BYTES / 2) connection.resume();
    });
    if (client.bufferedAmount > WAITING_BYTES) connection.pause();
  });
  connection.once('end', () => {
    client.send(END);
    ended();
  });
  connection.on('drain', () => client.resume());
  connection.on('error', () => client.close(BROKEN, 'The connection was reset.'));
  connection.once('close', (isBroken) => {
    if (isBroken) client.close(BROKEN, 'The connection was reset.');
  });
  client.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) {
      if (!connection.write(data)) client.pause();
    } else if (data.toString() === END) {
      connection.end();
      ended();
    }
  });
  client.on('error', () => {});
  client.once('close', () => {
    if (ends < 2) connection.resetAndDestroy();
  });
  connection.resume();
}
