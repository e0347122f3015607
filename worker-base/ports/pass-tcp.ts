/** Passes a TCP connection over WebSocket, and the end of each direction, as fast as the slower side reads. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { joinSocket } from '../../src/http/doors/tcp-frames.ts';

/** Bytes of one frame of a client. */
const FRAME_BYTES = 4 * 1024 ** 2;

const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: FRAME_BYTES,
});

/** Accepts the client and joins it with the connection. */
export function passTcp(request: IncomingMessage, socket: Duplex, head: Buffer, connection: Socket): void {
  connection.pause();
  server.handleUpgrade(request, socket, head, (client) => joinSocket(client, connection));
  socket.once('close', () => connection.destroy());
}
