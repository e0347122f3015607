import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { probeNode } from '../../src/leader/probe-node.ts';

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('a node that responds with an error is not mute', async () => {
  const port = await portOf(createHttp((_, response) => response.writeHead(503).end()));
  expect(await probeNode('127.0.0.1', port)).toBe('answers');
});

test('a node that accepts a request and sends nothing is mute', async () => {
  const port = await portOf(createServer((socket) => socket.on('error', () => undefined).unref()));
  expect(await probeNode('127.0.0.1', port, 100)).toBe('mute');
});

test('if nothing listens, nothing is known', async () => {
  const server = createServer();
  const port = await portOf(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await probeNode('127.0.0.1', port)).toBe('unknown');
});
