/** Clients that are slow, or many: each holds a descriptor, and none may hold the last one. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import { boundConnections } from '../../../src/http/listener/connections.ts';

const MOST = 8;

/** A server that answers at once, and at `/wait` only when the test says so. */
async function serve() {
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const answer = () => response.end('answered');
    if (request.url === '/wait') waiting.push(answer);
    else answer();
  });
  boundConnections(server, MOST);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
  });
  /** A client that sends this and nothing more. */
  const client = async (text: string) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(text);
    return socket;
  };
  const ask = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get({ port, path, agent: false }, (response) => resolve(response.resume())).on('error', reject);
    });
  const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
  return { client, ask, count, waiting, port };
}

test.each([
  ['no request', ''],
  ['half a header', 'GET / HTTP/1.1\r\nHo'],
  ['half a body', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf'],
  ['an answer that was read, and no other request', 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'],
])('clients that have sent %s make room for one that asks', async (_, text) => {
  const { client, ask, count } = await serve();
  for (let sent = 0; sent < 5 * MOST; sent += 1) await client(text);
  for (let asked = 0; asked < 3; asked += 1) expect((await ask('/')).statusCode).toBe(200);
  await vi.waitFor(async () => expect(await count()).toBeLessThanOrEqual(MOST), { timeout: 15_000 });
});

test('a running request is never dropped, and one above the limit is answered with a time to retry', async () => {
  const { ask, client, waiting, port } = await serve();
  const working = Array.from({ length: MOST }, () => ask('/wait'));
  await vi.waitFor(() => expect(waiting).toHaveLength(MOST), { timeout: 15_000 });
  const refused = await ask('/');
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
  const { error } = (await (await fetch(`http://127.0.0.1:${port}/`)).json()) as { error: { code: string } };
  expect(error.code).toBe('capacity');
  await client('GET / HTTP/1.1\r\nHo');
  for (const answer of waiting) answer();
  for (const response of await Promise.all(working)) expect(response.statusCode).toBe(200);
  expect((await ask('/')).statusCode).toBe(200);
});

test('a quarter of the descriptors of a process may be connections', async () => {
  const file = join(import.meta.dirname, '../../../src/http/listener/connections.ts');
  const script = `import(${JSON.stringify(file)}).then(({ connectionLimit }) => console.log(connectionLimit()))`;
  const limit = async (descriptors: number) => {
    const shell = `ulimit -n ${descriptors}; exec "$0" -e "$1"`;
    return Number((await promisify(execFile)('sh', ['-c', shell, process.execPath, script])).stdout);
  };
  expect(await limit(1024)).toBe(256);
  expect(await limit(48)).toBe(16);
});
