// A program in a worker: HTTP that shows its requests, WebSocket without a library (echo of raw bytes), and raw TCP.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';

const [http = '0', tcp = '0'] = process.argv.slice(-2);
const server = createServer((request, response) => {
  const hash = createHash('sha256');
  if (request.url === '/hang') return;
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: one\n\n');
    request.on('close', () => console.log('events closed'));
    return;
  }
  if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('part', () => response.destroy());
    return;
  }
  if (request.url === '/big') {
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    let left = 64;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!response.write(Buffer.alloc(1024 ** 2, left))) return void response.once('drain', write);
      }
      response.end();
    };
    write();
    return;
  }
  request.on('data', (bytes) => hash.update(bytes));
  request.on('end', () => {
    const { method, url, headers } = request;
    response.writeHead(202, {
      'content-type': 'application/json',
      'set-cookie': ['own=1; Path=/'],
      'content-security-policy': "default-src 'self'",
      'clear-site-data': '"*"',
    });
    response.end(JSON.stringify({ method, url, headers, sha256: hash.digest('hex') }));
  });
});
server.on('upgrade', (_request, socket, head) => {
  socket.on('error', () => {});
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\nset-cookie: up=1\r\n\r\n',
  );
  socket.write(head);
  socket.pipe(socket);
});
server.listen(Number(http), '127.0.0.1', () => console.log('http', server.address().port));
// Says how much it got only after the end of its input.
const raw = createTcp({ allowHalfOpen: true }, (socket) => {
  const hash = createHash('sha256');
  let bytes = 0;
  socket.on('error', () => {});
  socket.on('data', (part) => {
    bytes += part.length;
    hash.update(part);
  });
  socket.on('end', () => socket.end(`${bytes} ${hash.digest('hex')}`));
});
raw.listen(Number(tcp), '127.0.0.1', () => console.log('tcp', raw.address().port));
