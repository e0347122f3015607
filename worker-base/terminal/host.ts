/**
 * The terminals of one body, in a process of their own: an addon that fails or a flood of output does not reach the
 * wrapper, and no other program inherits a terminal's descriptor. Started with the first terminal; ends with the wrapper,
 * and its terminals with it.
 *
 * Invariant: it starts only what the wrapper requests, and accepts no connections of its own.
 */
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { FromHost, TerminalAttach, TerminalStart, ToHost } from './messages.ts';
import { Terminal } from './terminal.ts';

/** Terminals at once, and ended ones that can still be asked for. */
const MOST = 32;
const KEPT = 16;
/** Bytes of one frame of a client. */
const FRAME_BYTES = 1024 ** 2;
const ACTIVE_MS = 1000;

const terminals = new Map<string, Terminal>();
const server = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: FRAME_BYTES,
});
let activeAt = 0;

function send(message: FromHost): void {
  if (process.connected) process.send?.(message);
}

function reportActive(): void {
  const now = performance.now();
  if (now - activeAt < ACTIVE_MS) return;
  activeAt = now;
  send({ type: 'active' });
}

function start(call: number, wanted: TerminalStart): void {
  if ([...terminals.values()].filter(({ ended }) => !ended).length >= MOST) {
    const message = `${MOST} terminals are already open in this worker. Try again later.`;
    send({ type: 'failed', call, code: 'capacity', message });
    return;
  }
  try {
    const terminal = new Terminal(wanted, {
      active: reportActive,
      expired: () => send({ type: 'expired', id: wanted.id }),
      ended: sweep,
    });
    terminals.set(wanted.id, terminal);
    send({ type: 'answer', call, terminals: [terminal.report()] });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ERR_DLOPEN_FAILED' || code === 'MODULE_NOT_FOUND';
    const why = isMissing
      ? `This worker cannot have terminals: there is no addon for its system (${process.platform} ${process.arch}).`
      : `The terminal could not be opened: ${message}.`;
    send({ type: 'failed', call, code: isMissing ? 'unsupported' : 'internal', message: why });
  }
}

function attach({ id, cols, rows, headers, head }: TerminalAttach, socket: Socket): void {
  const terminal = terminals.get(id);
  socket.on('error', () => socket.destroy());
  if (!terminal) {
    socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
    return;
  }
  socket.setNoDelay(true);
  const request = { method: 'GET', url: '/', headers, socket } as never;
  server.handleUpgrade(
    request,
    socket,
    Buffer.from(head),
    (client) => void terminal.attach(client, { cols, rows }),
  );
}

/** Deletes the oldest ended terminals. */
function sweep(): void {
  const ended = [...terminals].filter(([, terminal]) => terminal.ended);
  for (const [id] of ended.slice(0, Math.max(0, ended.length - KEPT))) terminals.delete(id);
}

process.on('message', (message: ToHost, socket?: Socket) => {
  if (message.type === 'start') start(message.call, message.terminal);
  else if (message.type === 'attach') {
    if (socket) attach(message.viewer, socket);
  } else {
    const all = [...terminals.values()].map((terminal) => terminal.report());
    send({ type: 'answer', call: message.call, terminals: all });
  }
});
process.on('disconnect', () => process.exit());
