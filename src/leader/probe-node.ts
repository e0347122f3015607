import { request } from 'node:http';

/**
 * A node that accepts a request and sends nothing for this long is mute; the node API answers within
 * milliseconds.
 */
const ANSWER_MS = 3000;

/**
 * Checks a task worker's health without Redis. Only a worker that accepts the connection and does not respond
 * is `mute`: its process exists and does nothing. If no connection is made, nothing is known: the network may
 * be at fault.
 */
export function probeNode(
  host: string,
  port: number,
  answerMs = ANSWER_MS,
): Promise<'answers' | 'mute' | 'unknown'> {
  return new Promise((resolve) => {
    let connected = false;
    const clientRequest = request({ host, port, path: '/health', agent: false, timeout: answerMs });
    const end = (found: 'answers' | 'mute' | 'unknown') => {
      clearTimeout(late);
      resolve(found);
      clientRequest.destroy();
    };
    const late = setTimeout(() => end(connected ? 'mute' : 'unknown'), answerMs);
    clientRequest.on('socket', (socket) =>
      socket.on('connect', () => {
        connected = true;
      }),
    );
    clientRequest.on('response', () => end('answers'));
    clientRequest.on('error', () => end('unknown'));
    clientRequest.end();
  });
}
