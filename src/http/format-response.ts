import { STATUS_CODES } from 'node:http';
import type { ApiResponse } from './route.ts';

/** A response as it is on the wire, for connections that Node's server does not answer, or not any more. It ends the connection. */
export function formatResponse({ status, type, headers, body }: ApiResponse): string {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    `content-type: ${type ?? 'application/json; charset=utf-8'}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}
