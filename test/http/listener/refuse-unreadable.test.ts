/** What is not a request gets an error as any other. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { rejectHostCount } from '../../../src/http/access/access.ts';
import { refuseUnreadable } from '../../../src/http/listener/refuse-unreadable.ts';

/** Sends these bytes to a server that answers `ok`; resolves with all that comes back. */
async function send(bytes: string): Promise<string> {
  const server = createServer((_request, response) => void setImmediate(() => response.end('ok')));
  refuseUnreadable(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  let answer = '';
  socket.on('data', (part) => {
    answer += part.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(bytes, 'latin1');
  await once(socket, 'close');
  return answer;
}

const GET = 'GET / HTTP/1.1\r\nhost: a\r\n';

test.each([
  ['no HTTP', 'GARBAGE\r\n\r\n', '400'],
  ['TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '400'],
  ['two lengths', `${GET}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`, '400'],
  ['too many headers', `${GET}x: ${'x'.repeat(20_000)}\r\n\r\n`, '431'],
  ['an unknown expectation', `${GET}expect: 200-ok\r\n\r\n`, '417'],
  ['far too many headers', `${GET}x: ${'x'.repeat(2_000_000)}\r\n\r\n`, '431'],
])('%s', async (_what, bytes, status) => {
  const [head = '', body = ''] = (await send(bytes)).split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(head).toContain(`content-length: ${body.length}`);
  expect(JSON.parse(body)).toMatchObject({ error: { code: 'invalid_command' }, detail: expect.any(String) });
});

test.each([
  ['ends', 'content-length: 9\r\n\r\nhalf', false],
  ['breaks off', 'content-length: 9\r\n\r\nhalf', true],
  ['ends between chunks', 'transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n', false],
  ['sends a chunk that is none', 'transfer-encoding: chunked\r\n\r\nZZ\r\n', false],
])('a body that %s in the middle is cut for its reader at once', async (_what, rest, resets) => {
  const cut = Promise.withResolvers<void>();
  const server = createServer((request) => {
    request.resume();
    request.once('close', () => cut.resolve());
  });
  refuseUnreadable(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`PUT / HTTP/1.1\r\nhost: a\r\n${rest}`);
  await once(server, 'request');
  if (resets) socket.resetAndDestroy();
  else socket.end();
  await cut.promise;
});

test('garbage after a request does not affect its response, and is not answered', async () => {
  const answer = await send(`${GET}\r\nGARBAGE\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 200 [\s\S]*ok$/);
});

test.each([
  ['1.1', ['Host', 'a'], undefined],
  ['1.0', [], undefined],
  ['1.1', [], 'The request has no Host header; send one.'],
  ['1.1', ['host', 'a', 'x', 'host', 'HOST', 'b'], 'The request has several Host headers; send one.'],
])('HTTP/%s with the headers %j: %s', (httpVersion, rawHeaders, why) => {
  const refused = rejectHostCount({ httpVersion, rawHeaders });
  expect(refused && [refused.status, JSON.parse(refused.body).detail]).toEqual(why && [400, why]);
});
