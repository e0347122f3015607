/** A client of a terminal that shows it on an emulated screen. */
import headless from '@xterm/headless';
import { WebSocket } from 'ws';
import { readCells, readScreen } from './screen.ts';

export interface TerminalClient {
  socket: WebSocket;
  /** Text frames, in order. */
  frames: any[];
  /** All bytes so far. */
  bytes(): Buffer;
  /** The lines of the screen, without spaces at their ends, once all that arrived is drawn. */
  screen(): Promise<string[]>;
  /** The colors and attributes of the screen as well. */
  cells(): Promise<string>;
  type(text: string | Buffer): void;
  resize(cols: number, rows: number): void;
  /** Resolves with the frame `exit`, or rejects if the connection is closed before. */
  exit: Promise<{ exit_code: number; signal: string | null }>;
  close(): void;
}

/** Rejects with the response if the upgrade is refused. */
export async function openTerminal(
  url: string,
  {
    cols = 80,
    rows = 24,
    headers = {},
  }: { cols?: number; rows?: number; headers?: Record<string, string> } = {},
): Promise<TerminalClient> {
  const socket = new WebSocket(url, { headers });
  const terminal = new headless.Terminal({ cols, rows, allowProposedApi: true });
  const frames: any[] = [];
  const parts: Buffer[] = [];
  const exited = Promise.withResolvers<{ exit_code: number; signal: string | null }>();
  exited.promise.catch(() => {});
  const opened = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) {
      parts.push(data);
      terminal.write(data);
      return;
    }
    const frame = JSON.parse(data.toString());
    frames.push(frame);
    if (frame.terminal) opened.resolve();
    if (frame.resize) terminal.resize(frame.resize.cols, frame.resize.rows);
    if (frame.exit) exited.resolve(frame.exit);
  });
  terminal.onData((answer) => socket.send(Buffer.from(answer)));
  await new Promise<void>((resolve, reject) => {
    opened.promise.then(resolve);
    socket.once('error', reject);
    socket.once('unexpected-response', (_request, response) => {
      let body = '';
      response.on('data', (part: Buffer) => {
        body += part.toString();
      });
      response.on('end', () => reject(Object.assign(new Error(body), { status: response.statusCode })));
    });
  });
  socket.on('error', () => {});
  socket.once('close', (code) => exited.reject(new Error(`closed with ${code}`)));
  return {
    socket,
    frames,
    bytes: () => Buffer.concat(parts),
    screen: () => readScreen(terminal),
    cells: () => readCells(terminal),
    type: (text) => socket.send(Buffer.from(text)),
    resize(cols, rows) {
      socket.send(JSON.stringify({ resize: { cols, rows } }));
    },
    exit: exited.promise,
    close: () => socket.close(),
  };
}
