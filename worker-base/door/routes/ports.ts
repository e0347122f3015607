/** The door's routes of ports: HTTP and changes of its protocol, and TCP over WebSocket. */
import { Fault } from '../../../src/model/values/fault.ts';
import type { BodyPorts } from '../../ports/body-ports.ts';
import type { DoorBody, DoorRequest, DoorRoute, DoorUpgrade } from '../route.ts';

export const portRoutes: DoorRoute[] = [
  {
    method: 'ANY',
    path: '/ports/:port/*',
    async handle(call) {
      const { passHttp } = await loadPassing();
      await passHttp(call.request, call.response, await toPortRequest(call));
    },
    async upgrade(call) {
      const { passUpgrade } = await loadPassing();
      await passUpgrade(call.request, call.socket, { ...(await toPortRequest(call)), head: call.head });
    },
  },
  {
    method: 'GET',
    path: '/tcp/:port',
    async upgrade({ body, params, request, socket, head }: DoorUpgrade) {
      if (request.headers.upgrade?.toLowerCase() !== 'websocket')
        throw new Fault('invalid_command', 'TCP is passed over WebSocket: send "Upgrade: websocket".');
      const [ports, { passTcp }] = await Promise.all([open(body), import('../../ports/pass-tcp.ts')]);
      const connection = await ports.connect(ports.check(params.port ?? ''));
      if (socket.destroyed) connection.destroy();
      else passTcp(request, socket, head, connection);
    },
  },
];

let passing: Promise<typeof import('../../ports/pass-http.ts')> | undefined;

/** Loaded with the first request, and kept: an import of what is loaded takes a part of the time of a short request. */
function loadPassing() {
  passing ??= import('../../ports/pass-http.ts');
  return passing;
}

async function toPortRequest({ body, params, rest, request }: DoorRequest | DoorUpgrade) {
  const ports = await open(body);
  const port = ports.check(params.port ?? '');
  const query = /\?.*$/s.exec(request.url ?? '')?.[0] ?? '';
  return { ports, port, path: `/${rest}${query}` };
}

const bodies = new WeakMap<DoorBody, BodyPorts>();

/** The ports of a body, whose connections end with it. */
async function open(body: DoorBody): Promise<BodyPorts> {
  const known = bodies.get(body);
  if (known) return known;
  const { BodyPorts } = await import('../../ports/body-ports.ts');
  // Another request may have been faster.
  const made = bodies.get(body);
  if (made) return made;
  const ports = new BodyPorts(body.settings, body.spec);
  bodies.set(body, ports);
  body.signal.addEventListener('abort', () => ports.close(), { once: true });
  return ports;
}
