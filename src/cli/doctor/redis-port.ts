import { connect } from 'node:net';
import { errorMessage } from '../../model/index.ts';

const WAIT_MS = 2000;

/**
 * Sends PING to an address without credentials: returns `undefined` if a Redis answers, otherwise the reason. A Redis
 * that requires a password counts as well. With TLS only the port is checked.
 */
export function probeRedisAt(at: { host: string; port: number; tls: boolean }): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: at.host.replace(/^\[|\]$/g, ''), port: at.port });
    const end = (why: string | undefined) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(WAIT_MS, () => end(`did not answer in ${WAIT_MS / 1000} s`));
    socket.on('error', (error) => end(`cannot be reached: ${errorMessage(error)}`));
    socket.on('end', () => end('closed the connection'));
    socket.on('connect', () => (at.tls ? end(undefined) : socket.write('PING\r\n')));
    socket.on('data', (bytes) => {
      const text = bytes.toString('utf8').split('\r\n')[0] ?? '';
      end(/^(\+PONG|-NOAUTH)/.test(text) ? undefined : `refused: ${text.slice(0, 200)}`);
    });
  });
}
