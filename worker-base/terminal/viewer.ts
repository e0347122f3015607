/**
 * One client that views a terminal, over WebSocket: binary frames are bytes, text frames are JSON.
 *
 * Invariants: what waits for a client is bounded; a client that falls behind gets the screen as it is later, never a
 * stream with a hole.
 */
import type { RawData, WebSocket } from 'ws';
import { TERMINAL_CELLS } from '../../src/model/values/limits.ts';
import type { TerminalSize } from './messages.ts';

/** Bytes that wait for a client, above which it is behind. */
const BEHIND_BYTES = 1024 ** 2;
const CHECK_MS = 20;
/** Codes of RFC 6455 for the end of a connection. */
const NORMAL = 1000;
const INVALID = 1007;

export interface ViewerEvents {
  /** Returns whether it takes more now; otherwise `resume` is called later. */
  input(bytes: Buffer): boolean;
  resize(): void;
  /** It has read what waited, and needs the screen. */
  behind(): void;
  leave(): void;
}

export class Viewer {
  cols: number | undefined;
  rows: number | undefined;
  readonly #socket: WebSocket;
  /** Output after the screen that is being drawn. */
  #waiting: Uint8Array[] | undefined;
  #waitingBytes = 0;
  #behind = false;
  #catching: NodeJS.Timeout | undefined;
  readonly #events: ViewerEvents;

  constructor(socket: WebSocket, size: TerminalSize, events: ViewerEvents) {
    this.#socket = socket;
    this.#events = events;
    this.cols = size.cols;
    this.rows = size.rows;
    socket.on('message', (data: RawData, isBinary: boolean) => this.#receive(data as Buffer, isBinary));
    socket.on('error', () => {});
    socket.once('close', () => {
      clearInterval(this.#catching);
      events.leave();
    });
  }

  /** Whether it reads slower than the program writes. */
  get isBehind(): boolean {
    return this.#socket.bufferedAmount > BEHIND_BYTES;
  }

  send(bytes: Uint8Array): void {
    if (this.#behind) return;
    if (this.#waiting) {
      this.#waiting.push(bytes);
      this.#waitingBytes += bytes.length;
      if (this.#waitingBytes > 4 * BEHIND_BYTES) this.skip();
    } else this.#socket.send(bytes, { binary: true });
  }

  report(value: object): void {
    this.#socket.send(JSON.stringify(value));
  }

  /** Sends the screen, and after it what is written meanwhile. */
  async draw(screen: Promise<Uint8Array>): Promise<void> {
    this.#behind = false;
    const waiting: Uint8Array[] = [];
    this.#waiting = waiting;
    this.#waitingBytes = 0;
    const bytes = await screen;
    if (this.#waiting !== waiting) return;
    this.#waiting = undefined;
    this.#socket.send(bytes, { binary: true });
    for (const part of waiting) this.#socket.send(part, { binary: true });
  }

  /** Sends nothing more until it has read what waits for it. */
  skip(): void {
    if (this.#behind) return;
    this.#behind = true;
    this.#waiting = undefined;
    this.#catching = setInterval(() => {
      if (this.#socket.bufferedAmount > 0) return;
      clearInterval(this.#catching);
      this.#events.behind();
    }, CHECK_MS);
  }

  /** The terminal takes input again. */
  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.close(NORMAL);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      if (!this.#events.input(data)) this.#socket.pause();
      return;
    }
    const size = readResize(data.toString());
    if (!size) {
      this.#socket.close(INVALID, 'A text frame must be {"resize": {"cols": N, "rows": N}}.');
      return;
    }
    this.cols = size.cols;
    this.rows = size.rows;
    this.#events.resize();
  }
}

function readResize(text: string): { cols: number; rows: number } | undefined {
  try {
    const { resize } = JSON.parse(text) as { resize?: { cols?: unknown; rows?: unknown } };
    const { cols, rows } = resize ?? {};
    return isSize(cols) && isSize(rows) ? { cols, rows } : undefined;
  } catch {
    return undefined;
  }
}

const isSize = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= TERMINAL_CELLS;
