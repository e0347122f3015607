/** URLs of workers that try to reach private addresses, and receivers whose answer is endless. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPublicLookup } from '../../src/webhooks/addresses.ts';
import { type Post, type PostResult, Sender } from '../../src/webhooks/send.ts';
import { startDnsServer } from './dns-server.ts';
import { startReceiver } from './receiver.ts';

const PUBLIC = '93.184.215.14';
const SOON = { timeout: 10_000, interval: 20 };

function openSender(dnsServers?: readonly string[]) {
  const sender = new Sender({ ...(dnsServers && { dnsServers }) });
  onTestFinished(() => sender.close());
  return (url: string, more: Partial<Post> = {}): Promise<PostResult> =>
    sender.post({
      ...{ url, headers: {}, body: '{}', timeoutMs: 1000, publicOnly: true },
      signal: new AbortController().signal,
      ...more,
    });
}

const resolve = (servers: readonly string[], name: string) =>
  new Promise<unknown>((done) =>
    createPublicLookup(servers)(name, { all: true }, (error, found) => done(error ? error.message : found)),
  );

test('a name that turns from a public to a private address is not followed', async () => {
  const receiver = await startReceiver();
  const dns = await startDnsServer((_, type, count) =>
    type === 'AAAA' ? [] : [count === 1 ? PUBLIC : '127.0.0.1'],
  );
  const name = 'rebind.example.com';
  // Each resolution is one question for each type: no second answer comes between the check and the connection.
  expect(await resolve([dns.address], name)).toEqual([{ address: PUBLIC, family: 4 }]);
  expect(dns.questions.sort()).toEqual([`${name} A`, `${name} AAAA`]);
  expect(await resolve([dns.address], name)).toBe(`${name} has the private address 127.0.0.1`);
  const post = openSender([dns.address]);
  const result = await post(`http://${name}:${receiver.port}/`);
  expect(result).toMatchObject({ error: `${name} has the private address 127.0.0.1` });
  expect(receiver.received).toEqual([]);
});

test.each([
  ['the metadata of a cloud', ['169.254.169.254'], []],
  ['loopback beside a public address', [PUBLIC, '127.0.0.1'], []],
  ['IPv6 loopback beside a public address', [PUBLIC], ['::1']],
  ['loopback mapped to IPv6', [], ['::ffff:7f00:1']],
  ['loopback translated to IPv6', [], ['::ffff:0:7f00:1']],
  ['NAT64 of the metadata', [], ['64:ff9b::a9fe:a9fe']],
  ['a unique local address', [PUBLIC], ['fd00:ec2::254']],
] as const)('a name of %s is refused', async (_, four, six) => {
  const receiver = await startReceiver();
  const dns = await startDnsServer((__, type) => (type === 'A' ? four : six));
  const result = await openSender([dns.address])(`http://hook.example.com:${receiver.port}/`);
  expect(result).toMatchObject({ error: expect.stringContaining('has the private address'), away: true });
  expect(result.status).toBeUndefined();
  expect(receiver.received).toEqual([]);
});

test.each([301, 302, 303, 307, 308])('a redirect with status %d is not followed', async (status) => {
  const inside = await startReceiver();
  const outside = await startReceiver((response) =>
    response.writeHead(status, { location: inside.url }).end(),
  );
  const result = await openSender()(outside.url, { publicOnly: false });
  expect(result).toMatchObject({ status, error: `status ${status}; redirects are not followed` });
  expect(outside.received).toHaveLength(1);
  expect(inside.received).toEqual([]);
});

/** A receiver of bytes: answers each connection itself. Returns its URL and the connections that are open. */
async function startRaw(answer: (socket: Socket) => void): Promise<{ url: string; open: Set<Socket> }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
    socket.once('data', () => answer(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}/`, open };
}

/** Writes for as long as the connection is open. */
function flood(socket: Socket, text: string): void {
  const write = () => {
    while (socket.writable && socket.write(text));
    if (socket.writable) socket.once('drain', write);
  };
  write();
}

test('an endless body is cut off, and the message counts as delivered', async () => {
  let sent = 0;
  const { url, open } = await startRaw((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
    flood(socket, `10000\r\n${'x'.repeat(65_536)}\r\n`);
    socket.once('close', () => {
      sent = socket.bytesWritten;
    });
  });
  const before = process.memoryUsage().rss;
  expect(await openSender()(url, { publicOnly: false })).toMatchObject({ status: 200, away: false });
  await vi.waitFor(() => expect(open.size).toBe(0), SOON);
  // What the kernel had buffered, at most.
  expect(sent).toBeLessThan(32 * 1024 ** 2);
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 ** 2);
});

test('a body that never ends keeps its connection only until the timeout', async () => {
  const { url, open } = await startRaw((socket) => {
    drip(socket, 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n');
  });
  const began = performance.now();
  const result = await openSender()(url, { publicOnly: false, timeoutMs: 3000 });
  expect(result).toMatchObject({ status: 200 });
  expect(performance.now() - began).toBeLessThan(2700);
  await vi.waitFor(() => expect(open.size).toBe(0), SOON);
});

test.each([
  [
    'headers that drip',
    (socket: Socket): void => drip(socket, 'HTTP/1.1 200 OK\r\nx: ', 'y'),
    /no response in 1 s/,
  ],
  [
    'endless headers',
    (socket: Socket): void => {
      socket.write('HTTP/1.1 200 OK\r\n');
      flood(socket, `x: ${'y'.repeat(1000)}\r\n`);
    },
    /Header overflow|header/i,
  ],
  ['what is not HTTP', (socket: Socket): void => void socket.write('SSH-2.0-x\r\n'), /Parse Error/],
] as const)('a receiver that sends %s has failed in time', async (_, answer, why) => {
  const { url, open } = await startRaw(answer);
  const result = await openSender()(url, { publicOnly: false });
  expect(result).toMatchObject({ error: expect.stringMatching(why), away: true, gone: false });
  await vi.waitFor(() => expect(open.size).toBe(0), SOON);
});

function drip(socket: Socket, start: string, more: string): void {
  socket.write(start);
  const timer = setInterval(() => socket.write(more), 20);
  socket.once('close', () => clearInterval(timer));
}
