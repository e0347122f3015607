/**
 * A terminal of a worker in the terminal of this process.
 *
 * Invariants: the modes of this terminal are restored whatever happens; a broken connection is opened again, and the program
 * in the worker notices nothing; the exit code is that of the program.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { RawData, WebSocket } from 'ws';
import type { TerminalReport } from '../../model/doors/terminal-report.ts';
import { Fault } from '../../model/values/fault.ts';
import { requestJson, requireApi, toWorkerPath } from '../api/door-api.ts';
import { openSocket } from '../api/door-socket.ts';
import type { Context } from '../context.ts';
import type { ManagerApi } from '../deps.ts';
import { usageError } from '../exit.ts';
import type { CliOutput } from '../print/output.ts';
import { matchPrefix } from '../worker-id.ts';

/** A manager that was killed is replaced within this time. Milliseconds. */
const RECONNECT_MS = 60_000;
const RETRY_MS = 250;
/** Input that waits for the manager, in bytes. */
const WAITING_BYTES = 1024 ** 2;
/** The exit code of a command that may not be executed. */
const REFUSED = 126;
const CTRL_C = 0x03;
const CTRL_P = 0x10;
const CTRL_Q = 0x11;
/** Leaves what a program may have switched on: the other screen, a hidden cursor, reports of the mouse and of pastes. */
const RESTORE =
  '\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[m';

/** How one connection ended. */
type Outcome = { exit: number } | 'detached' | 'cut';

/** Opens a terminal for a command, or for a shell, and shows it. */
export async function openTerminal(
  context: Context,
  api: ManagerApi,
  path: string,
  {
    command,
    cwd,
    env,
  }: { command: string[]; cwd?: string | undefined; env?: Record<string, string> | undefined },
): Promise<void> {
  const { columns: cols, rows } = requireTerminal();
  const body = {
    ...(command.length > 0 && { command }),
    ...(cwd !== undefined && { cwd }),
    ...(env && { env }),
    cols,
    rows,
  };
  try {
    const { pty_id } = await requestJson<TerminalReport>(api, { method: 'POST', path: `${path}/ptys` }, body);
    await show(context, api, path, pty_id);
  } catch (error) {
    if (!(error instanceof Fault && error.issues?.some((issue) => issue.path === 'command'))) throw error;
    context.out.note(`error: ${error.message}`);
    context.exitWith(REFUSED);
  }
}

/** Shows a terminal that is open: the one with that ID or prefix, or the last one. */
export async function attachTerminal(
  context: Context,
  ref: string,
  prefix: string | undefined,
): Promise<void> {
  requireTerminal();
  const api = requireApi(context);
  const path = await toWorkerPath(api, ref);
  const { items } = await requestJson<{ items: TerminalReport[] }>(api, {
    method: 'GET',
    path: `${path}/ptys`,
  });
  const running = items.filter(({ status }) => status === 'running').map(({ pty_id }) => pty_id);
  const found = prefix === undefined ? running.slice(-1) : matchPrefix(running, prefix);
  if (found.length > 1)
    throw new Fault('conflict', `More than one terminal has the ID ${prefix}…; use a longer prefix.`);
  const [id] = found;
  if (id === undefined)
    throw new Fault(
      'not_found',
      `The worker ${ref} has no open terminal${prefix === undefined ? '' : ` ${prefix}`}. Open one with \`wm exec -it ${ref}\`.`,
    );
  await show(context, api, path, id);
}

function requireTerminal(): NodeJS.WriteStream {
  if (process.stdin.isTTY && process.stdout.isTTY) return process.stdout;
  throw usageError('-t needs a terminal for input and output; without -t, the command gets pipes.');
}

async function show(context: Context, api: ManagerApi, path: string, id: string): Promise<void> {
  const { stdin, stdout } = process;
  const { out } = context;
  stdin.setRawMode(true);
  let outcome: Outcome = 'cut';
  try {
    for (let lostAt: number | undefined; outcome === 'cut'; ) {
      try {
        const size = `cols=${stdout.columns}&rows=${stdout.rows}`;
        const socket = await openSocket(api, `${path}/pty?id=${id}&wait_seconds=0&${size}`);
        lostAt = undefined;
        outcome = await join(socket, out);
      } catch (error) {
        const isPassing = error instanceof Fault && error.code === 'unavailable';
        if (!isPassing || performance.now() - (lostAt ?? performance.now()) > RECONNECT_MS) throw error;
      }
      if (outcome !== 'cut') break;
      lostAt ??= performance.now();
      if (await isInterrupted(RETRY_MS)) throw new Fault('unavailable', `The manager at ${api.url} is away.`);
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    if (outcome === 'detached' || outcome === 'cut') await out.bytes(`${RESTORE}\r\n`);
  }
  if (outcome === 'detached') out.note(`Detached; \`wm attach -t\` with terminal ${id} shows it again.`);
  else context.exitWith(outcome.exit);
}

/** Whether Ctrl-C is typed within that time; nothing else reads it while the connection is cut. */
async function isInterrupted(ms: number): Promise<boolean> {
  const { stdin } = process;
  let interrupted = false;
  const read = (bytes: Buffer) => {
    interrupted ||= bytes.includes(CTRL_C);
  };
  stdin.on('data', read);
  stdin.resume();
  await delay(ms);
  stdin.off('data', read);
  stdin.pause();
  return interrupted;
}

/** Joins this terminal with a connection, until one of them ends. */
function join(socket: WebSocket, out: CliOutput): Promise<Outcome> {
  const { stdin, stdout } = process;
  return new Promise((resolve) => {
    let outcome: Outcome = 'cut';
    let last = 0;
    const type = (bytes: Buffer) => {
      const previous = [last, ...bytes.subarray(0, -1)];
      last = bytes.at(-1) ?? 0;
      const at = bytes.findIndex((byte, index) => byte === CTRL_Q && previous[index] === CTRL_P);
      if (at >= 0) {
        outcome = 'detached';
        socket.close();
        return;
      }
      socket.send(bytes, () => socket.bufferedAmount < WAITING_BYTES && stdin.resume());
      if (socket.bufferedAmount > WAITING_BYTES) stdin.pause();
    };
    const resize = () => socket.send(JSON.stringify({ resize: { cols: stdout.columns, rows: stdout.rows } }));
    socket.on('message', (data: RawData, isBinary) => {
      if (!isBinary) {
        const { exit } = JSON.parse(data.toString()) as { exit?: { exit_code: number } };
        if (exit) outcome = { exit: exit.exit_code };
        return;
      }
      socket.pause();
      void out.bytes(data as Buffer).then(() => socket.resume());
    });
    socket.once('close', () => {
      stdin.off('data', type);
      stdin.pause();
      stdout.off('resize', resize);
      resolve(outcome);
    });
    stdin.on('data', type);
    stdin.resume();
    stdout.on('resize', resize);
    socket.resume();
  });
}
