/** An HTTP server for tests of the SDK that answers, refuses and breaks connections as the test says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ScriptedServer {
  url: string;
  /** All requests so far. */
  requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
}

/** Handles one request; the number counts from 0. */
export type ScriptedHandler = (response: ServerResponse, at: number, request: IncomingMessage) => void;

export async function startScriptedServer(handle: ScriptedHandler): Promise<ScriptedServer> {
  const requests: ScriptedServer['requests'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body });
      handle(response, requests.length - 1, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

export function sendJson(response: ServerResponse, status: number, value: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(value));
}

/** One server-sent event. */
export const formatEvent = (id: number, data: object, type = 'stdout') =>
  `id: ${id}-0\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
