/** The door's routes of terminals: open, list, view and close them. */

import { sendJson } from '../../../src/http/send-json.ts';
import { Fault } from '../../../src/model/values/fault.ts';
import { readTerminalRequest } from '../../terminal/terminal-request.ts';
import type { Terminals } from '../../terminal/terminals.ts';
import { readJson } from '../json.ts';
import type { DoorBody, DoorRoute, DoorUpgrade } from '../route.ts';

export const ptyRoutes: DoorRoute[] = [
  {
    method: 'POST',
    path: '/ptys',
    async handle({ body, request, response }) {
      const wanted = readTerminalRequest(await readJson(request));
      sendJson(response, 201, await (await open(body)).start(wanted));
    },
  },
  {
    method: 'GET',
    path: '/ptys',
    handle: async ({ body, response }) => sendJson(response, 200, { items: await (await open(body)).list() }),
  },
  {
    method: 'GET',
    path: '/ptys/:pty_id',
    handle: async ({ body, params, response }) =>
      sendJson(response, 200, await (await open(body)).get(params.pty_id ?? '')),
  },
  {
    method: 'DELETE',
    path: '/ptys/:pty_id',
    handle: async ({ body, params, response }) =>
      sendJson(response, 200, await (await open(body)).remove(params.pty_id ?? '')),
  },
  { method: 'GET', path: '/pty', upgrade: view },
];

/** Views the terminal `id`, or a new one. */
async function view({ body, query, request, socket, head }: DoorUpgrade): Promise<void> {
  const { upgrade = '' } = request.headers;
  if (upgrade.toLowerCase() !== 'websocket')
    throw new Fault('invalid_command', 'A terminal is viewed over WebSocket: send "Upgrade: websocket".');
  const terminals = await open(body);
  const [cols, rows] = [readNumber(query, 'cols'), readNumber(query, 'rows')];
  const id = query.get('id') ?? (await terminals.start(toRequest(query, cols, rows))).pty_id;
  if (socket.destroyed) return;
  await terminals.attach({ id, cols, rows, headers: request.headers, head }, socket);
}

/** One `command` is a line for the shell, several are a program and its arguments. */
function toRequest(query: URLSearchParams, cols: number | undefined, rows: number | undefined) {
  const words = query.getAll('command');
  const [line] = words;
  const cwd = query.get('cwd') ?? undefined;
  return readTerminalRequest({
    ...(line !== undefined && { command: words.length === 1 ? ['/bin/sh', '-c', line] : words }),
    ...(cwd !== undefined && { cwd }),
    ...(cols !== undefined && { cols }),
    ...(rows !== undefined && { rows }),
    linger_seconds: readNumber(query, 'linger_seconds'),
  });
}

function readNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null ? undefined : Number(text);
}

async function open({ environment, settings, spec, signal }: DoorBody): Promise<Terminals> {
  const { getTerminals } = await import('../../terminal/terminals.ts');
  return getTerminals(await environment(), { settings, spec, signal });
}
