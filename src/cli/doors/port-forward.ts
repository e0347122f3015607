import { createServer, type Server, type Socket } from 'node:net';
import { Command, InvalidArgumentError } from 'commander';
import { joinSocket } from '../../http/doors/tcp-frames.ts';
import { errorMessage } from '../../model/values/fault.ts';
import { requestJson, requireApi, toWorkerPath } from '../api/door-api.ts';
import { openSocket } from '../api/door-socket.ts';
import type { Context } from '../context.ts';
import type { ManagerApi } from '../deps.ts';
import { parsePort } from '../values.ts';

interface PortPair {
  local: number;
  remote: number;
}

export function portForwardCommand(context: Context): Command {
  return new Command('port-forward')
    .summary('make a port of a worker a port of this machine')
    .description(
      'Listen on a port of this machine and connect each client with a port of the worker, through the manager, until Ctrl-C.',
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .argument('<ports...>', 'PORT, LOCAL:PORT, or :PORT for a free local port', addPorts)
    .option('--address <address>', 'address of this machine to listen on', '127.0.0.1')
    .addHelpText(
      'after',
      '\nExamples:\n  $ wm port-forward 3f2a 5173\n  $ wm port-forward 3f2a 15432:5432 :8080',
    )
    .action((ref: string, pairs: PortPair[], { address }: { address: string }) =>
      forwardPorts(context, ref, pairs, address),
    );
}

export function urlCommand(context: Context): Command {
  return new Command('url')
    .summary('print a link to a port of a worker, for a browser')
    .description(
      'Print a URL that opens a port of a worker in a browser. It is valid for a minute and once; after that, the browser has access to this port for 12 hours.',
    )
    .argument('<id>', 'worker ID, unique ID prefix, or name')
    .argument('<port>', 'port of the worker', parsePort)
    .addHelpText('after', '\nExample:\n  $ wm url 3f2a 5173')
    .action(async (ref: string, port: number) => {
      const api = requireApi(context);
      const path = `${await toWorkerPath(api, ref)}/ports/${port}:link`;
      const { url } = await requestJson<{ url: string }>(api, { method: 'POST', path });
      await context.out.line(url);
    });
}

async function forwardPorts(
  context: Context,
  ref: string,
  pairs: PortPair[],
  address: string,
): Promise<void> {
  const api = requireApi(context);
  const path = await toWorkerPath(api, ref);
  const servers: Server[] = [];
  try {
    for (const { local, remote } of pairs) {
      const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
        forward(context, api, `${path}/ports/${remote}:tcp`, socket),
      );
      servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error) =>
          reject(new Error(`Cannot listen on ${address}:${local}: ${error.message}. Use LOCAL:${remote}.`)),
        );
        server.listen(local, address, resolve);
      });
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : local;
      await context.out.line(`${address}:${port} -> ${remote}`);
    }
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
    });
  } finally {
    for (const server of servers) server.close();
  }
  // Connections that are open would keep this process.
  process.exit(0);
}

function forward({ out }: Context, api: ManagerApi, path: string, socket: Socket): void {
  socket.on('error', () => {});
  openSocket(api, path).then(
    (client) => {
      if (socket.destroyed) return client.terminate();
      joinSocket(client, socket);
      client.resume();
      socket.resume();
    },
    (error: unknown) => {
      out.note(`error: ${errorMessage(error)}`);
      socket.resetAndDestroy();
    },
  );
}

const addPorts = (text: string, before: PortPair[] = []): PortPair[] => [...before, parsePair(text)];

function parsePair(text: string): PortPair {
  const [, local, port = ''] = /^(?:(\d*):)?(\d+)$/.exec(text) ?? [];
  if (port === '' || Number(local ?? 0) > 65_535)
    throw new InvalidArgumentError('It must be PORT, LOCAL:PORT or :PORT.');
  const remote = parsePort(port);
  return { local: local === undefined ? remote : Number(local), remote };
}
