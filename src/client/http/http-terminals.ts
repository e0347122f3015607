import { encodeName } from '../check-values.ts';
import type { TerminalConnection, TerminalTransport } from '../door-transports.ts';
import { ManagerError } from '../errors.ts';
import type { TerminalEnd, TerminalInfo } from '../types.ts';
import { type HttpRequester, jsonBody } from './request.ts';

const pathOf = (id: string, rest: string) => `/v1/workers/${encodeName(id)}${rest}`;
const ptyPath = (id: string, ptyId: string) => pathOf(id, `/ptys/${encodeName(ptyId)}`);

/** The token as a subprotocol, because a WebSocket of a browser can send no headers; and one that the answer has. */
const TOKEN_PROTOCOL = 'base64url.bearer.authorization.worker-manager.';
const PROTOCOL = 'terminal.worker-manager';
const NORMAL = 1000;

export const createHttpTerminals = (requester: HttpRequester): TerminalTransport => ({
  // Once: a repetition would open another one.
  openTerminal: (id, request, options) =>
    requester.once<TerminalInfo>(
      { method: 'POST', path: pathOf(id, '/ptys'), body: jsonBody(request) },
      options,
    ),
  listTerminals: async (id, options) =>
    (await requester.get<{ items: TerminalInfo[] }>(pathOf(id, '/ptys'), options)).items,
  async closeTerminal(id, ptyId, options) {
    await requester.once({ method: 'DELETE', path: ptyPath(id, ptyId) }, options);
  },
  async viewTerminal(id, ptyId, size) {
    const { url, token } = requester.endpoint;
    const address = new URL(`${url.replace(/\/+$/, '').replace(/^http/, 'ws')}${pathOf(id, '/pty')}`);
    for (const [name, value] of Object.entries({ id: ptyId, ...size }))
      address.searchParams.set(name, String(value));
    const own = token === undefined ? [] : [`${TOKEN_PROTOCOL}${toBase64Url(token)}`];
    const socket = new WebSocket(address, [...own, PROTOCOL]);
    socket.binaryType = 'arraybuffer';
    const connection = new SocketConnection(socket);
    if (await connection.opened) return connection;
    // A WebSocket does not say why it was refused.
    await requester.get(ptyPath(id, ptyId), {});
    throw new ManagerError('unavailable', `The connection to the terminal ${ptyId} was cut.`);
  },
  getPortUrl: (id, port, path) =>
    `${requester.endpoint.url.replace(/\/+$/, '')}${pathOf(id, `/ports/${port}`)}${path.startsWith('/') ? path : `/${path}`}`,
  createPortLink: (id, port, options) =>
    requester.once({ method: 'POST', path: pathOf(id, `/ports/${port}:link`) }, options),
});

class SocketConnection implements TerminalConnection {
  /** Whether it was established. */
  readonly opened: Promise<boolean>;
  readonly #socket: WebSocket;
  readonly #ended: Promise<TerminalEnd | undefined>;
  /** What arrived before the first read. */
  #early: (() => void)[] | undefined = [];
  #onData: (bytes: Uint8Array) => void = () => {};
  #onResize: (size: { cols: number; rows: number }) => void = () => {};

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.opened = new Promise((resolve) => {
      socket.addEventListener('open', () => resolve(true));
      socket.addEventListener('close', () => resolve(false));
    });
    this.#ended = new Promise((resolve) => {
      socket.addEventListener('message', ({ data }: { data: unknown }) => {
        if (typeof data !== 'string') {
          const bytes = new Uint8Array(data as ArrayBuffer);
          return this.#deliver(() => this.#onData(bytes));
        }
        const { exit, resize } = JSON.parse(data) as {
          exit?: TerminalEnd;
          resize?: { cols: number; rows: number };
        };
        if (resize) this.#deliver(() => this.#onResize(resize));
        if (exit) resolve(exit);
      });
      socket.addEventListener('close', () => resolve(undefined));
    });
    socket.addEventListener('error', () => {});
  }

  send(data: Uint8Array | string): void {
    if (this.#socket.readyState === WebSocket.OPEN)
      this.#socket.send(data as Uint8Array<ArrayBuffer> | string);
  }

  read(
    onData: (bytes: Uint8Array) => void,
    onResize: (size: { cols: number; rows: number }) => void,
  ): Promise<TerminalEnd | undefined> {
    this.#onData = onData;
    this.#onResize = onResize;
    for (const deliver of this.#early ?? []) deliver();
    this.#early = undefined;
    return this.#ended;
  }

  #deliver(call: () => void): void {
    if (this.#early) this.#early.push(call);
    else call();
  }

  close(): void {
    this.#socket.close(NORMAL);
  }
}

function toBase64Url(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
