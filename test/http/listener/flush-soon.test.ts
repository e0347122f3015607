import { createServer, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { flushSoon } from '../../../src/http/listener/flush-soon.ts';
import { PATIENCE } from '../../support/patience.ts';

/** Sends a request to a handler; returns what the system would be given, one text for each call. */
function serve(handle: (response: ServerResponse) => void): string[] {
  const writes: string[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-length': 4 });
    flushSoon(response);
    handle(response);
  });
  const socket = new Duplex({
    read() {},
    write(chunk, _encoding, done) {
      writes.push(String(chunk));
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => String(chunk)).join(''));
      done();
    },
  });
  server.emit('connection', socket);
  socket.push('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  return writes;
}

test('headers are sent together with a body that is there', async () => {
  const writes = serve((response) => process.nextTick(() => response.end('body')));
  await vi.waitFor(() => expect(writes.join('')).toContain('body'), PATIENCE);
  expect(writes).toEqual([expect.stringMatching(/^HTTP\/1.1 200 OK\r\n.*\r\n\r\nbody$/s)]);
});

test('headers are sent without a body that is not there yet', async () => {
  let end = () => {};
  const writes = serve((response) => {
    end = () => response.end('body');
  });
  await vi.waitFor(() => expect(writes).toEqual([expect.stringMatching(/^HTTP\/1.1 200 OK\r\n/)]), PATIENCE);
  expect(writes[0]).not.toContain('body');
  end();
  await vi.waitFor(() => expect(writes.slice(1)).toEqual(['body']), PATIENCE);
});

test('headers of a response that was cut are not sent', async () => {
  let cut: ServerResponse | undefined;
  const writes = serve((response) => {
    response.destroy();
    cut = response;
  });
  await vi.waitFor(() => expect(cut?.destroyed).toBe(true), PATIENCE);
  expect(writes).toEqual([]);
});
