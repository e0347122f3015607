/** Upgrades to another protocol: who may ask for one, and which route handles it. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { Fault } from '../model/values/fault.ts';
import { toRedisFault } from '../model/values/redis-outage.ts';
import { rejectForeignUpgrade, rejectHost, rejectHostCount, rejectToken } from './access/access.ts';
import type { HostPolicy } from './access/hosts.ts';
import { formatResponse } from './format-response.ts';
import { type ApiResponse, errorResponse } from './route.ts';

export interface UpgradeOptions {
  hosts: HostPolicy;
  token: string | undefined;
  /** Takes over the socket; a Fault becomes the response. */
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  log: { error(message: string, fields: object): void };
}

/** Answers all upgrades of a server; those that may not be asked for get an error response. */
export function serveUpgrades(server: Server, { hosts, token, handle, log }: UpgradeOptions): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '/').replace(/[?#].*$/s, '').slice(0, 400);
    const { headers } = request;
    const rejected =
      rejectHostCount(request) ??
      rejectHost(headers, hosts) ??
      rejectToken(request, token, path) ??
      rejectForeignUpgrade(headers);
    if (rejected) {
      writeResponse(socket, rejected);
      return;
    }
    handle(request, socket, head).catch((error: unknown) => {
      const thrown = toRedisFault(error) ?? error;
      if (thrown instanceof Fault && thrown.code !== 'internal') {
        writeResponse(socket, errorResponse(thrown));
        return;
      }
      if (!socket.destroyed) log.error('HTTP upgrade failed', { err: thrown, path });
      writeResponse(socket, errorResponse(new Fault('internal', 'Internal error; see the log.')));
    });
  });
}

/** Writes a response on a connection that has no HTTP server any more, and ends it. */
function writeResponse(socket: Duplex, response: ApiResponse): void {
  if (socket.writable) socket.end(formatResponse(response), () => socket.destroy());
}
