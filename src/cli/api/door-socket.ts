/** WebSockets into the bodies of workers, over the manager's HTTP API. */
import { text } from 'node:stream/consumers';
import { WebSocket } from 'ws';
import type { ManagerApi } from '../deps.ts';
import { createUnansweredFault, parseRefusal } from './manager-api.ts';
import { toManagerUrl } from './manager-url.ts';

/** Resolves when it is open; what arrives before a listener is added waits. Rejects with a Fault if it is refused. */
export async function openSocket(api: ManagerApi, path: string): Promise<WebSocket> {
  const url = toManagerUrl(api, path);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    ...(api.token !== undefined && { headers: { authorization: `Bearer ${api.token}` } }),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => {
      socket.pause();
      resolve();
    });
    socket.once('unexpected-response', (_request, response) => {
      text(response).then((body) => reject(parseRefusal(api, response.statusCode ?? 0, body)), reject);
    });
    socket.on('error', (cause) => reject(createUnansweredFault(api, cause)));
  });
  return socket;
}
