import { connect, createServer, type Server, type Socket } from 'node:net';
import { freePort } from './free-port.ts';

/** Stands before a server and behaves badly on demand; the server itself is not touched. */
export interface TcpProxy {
  port: number;
  /** Ends all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Takes connections again after `cut`, and passes everything again after the others. */
  heal(): Promise<void>;
  /** Connections stay open and take bytes, and nothing passes either way until it is healed. */
  stall(): void;
  /** What is asked still arrives, the answers do not; `cut` and `heal` end it. */
  dropReplies(): void;
  /** Bytes that were asked since `dropReplies`. */
  swallowed(): number;
  close(): Promise<void>;
}

/** A proxy on loopback to a port on loopback. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let mode: 'pass' | 'stall' | 'drop' = 'pass';
  let swallowed = 0;
  const server: Server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (bytes) => {
        if (mode === 'drop' && from === client) swallowed += bytes.length;
        if (mode === 'drop' && from === upstream) return;
        if (!to.write(bytes)) from.pause();
      });
      to.on('drain', () => mode !== 'stall' && from.resume());
      from.on('error', () => {});
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
    if (mode === 'stall') for (const socket of [client, upstream]) socket.pause();
  });
  const port = await freePort();
  const listen = () => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const cut = async () => {
    const closed = new Promise<void>((resolve) =>
      server.listening ? server.close(() => resolve()) : resolve(),
    );
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await listen();
  return {
    port,
    cut,
    heal: async () => {
      mode = 'pass';
      for (const socket of sockets) socket.resume();
      if (!server.listening) await listen();
    },
    stall: () => {
      mode = 'stall';
      for (const socket of sockets) socket.pause();
    },
    dropReplies: () => {
      mode = 'drop';
      swallowed = 0;
    },
    swallowed: () => swallowed,
    close: cut,
  };
}
