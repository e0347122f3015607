/** Hostile WebSockets at the doors of a worker: refused with a code, or closed with one. */
import { randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { openAttacked, testUnharmed } from './attacked.ts';

const subject = openAttacked();

describe('a WebSocket', () => {
  /** Opens one and calls `act`; resolves with the status of a refusal, or the code that the other side closes with. */
  const open = (path: string, act: (socket: WebSocket) => void = () => {}): Promise<unknown> =>
    new Promise((resolve) => {
      const url = `${subject.manager.url.replace('http', 'ws')}/v1/workers/${subject.worker.id}/${path}`;
      const socket = new WebSocket(url, { headers: subject.manager.headers });
      socket.on('unexpected-response', (_request, response) => {
        void text(response).then((body) => resolve([response.statusCode, JSON.parse(body).error.code]));
      });
      socket.on('open', () => act(socket));
      socket.on('error', () => {});
      socket.on('close', (code) => resolve(code));
    });
  /** Bytes on the connection itself. */
  const write =
    (...bytes: number[]) =>
    (socket: WebSocket) =>
      void (socket as unknown as { _socket: { write(bytes: Buffer): void } })._socket.write(
        Buffer.from(bytes),
      );

  test.each([
    'cols=0&rows=0',
    'cols=100000&rows=100000',
    'cols=-1',
    'cols=1.5',
    'cols=',
    'cols=80&cols=90',
    'linger_seconds=-1',
    'command=%00',
    'unknown=1',
    'wait_seconds=Infinity',
  ])('for a terminal with %s is refused', async (query) => {
    expect(await open(`pty?${query}`)).toEqual([400, 'invalid_command']);
  });

  test.each<[string, number, (socket: WebSocket) => void]>([
    ['a size of 0', 1007, (socket) => socket.send('{"resize":{"cols":0,"rows":0}}')],
    ['a size of 100,000', 1007, (socket) => socket.send('{"resize":{"cols":100000,"rows":100000}}')],
    ['a size of 1e400', 1007, (socket) => socket.send('{"resize":{"cols":1e400,"rows":1}}')],
    ['null', 1007, (socket) => socket.send('null')],
    ['half of a document', 1007, (socket) => socket.send('{"resize":')],
    [
      'a text that is not UTF-8',
      1007,
      (socket) => socket.send(randomBytes(100).fill(0xff), { binary: false }),
    ],
    ['a frame of 20 MB', 1009, (socket) => socket.send(Buffer.alloc(20_000_000))],
    [
      'a frame of 2^63 bytes',
      1009,
      write(0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4),
    ],
    ['a reserved opcode', 1002, write(0x83, 0x80, 1, 2, 3, 4)],
    ['a frame without a mask', 1002, write(0x82, 0x01, 0x61)],
  ])('for a terminal that sends %s is closed with %i', async (_what, code, act) => {
    expect(await open('pty?command=cat&linger_seconds=0.1', act)).toBe(code);
  });
});

testUnharmed(subject);
