/** Terminals through the door, on this machine. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { bundleWrapper } from '../../../scripts/bundle-wrapper.ts';
import type { WorkerSpec } from '../../../src/model/worker/spec.ts';
import { openTerminal, type TerminalClient } from '../../support/terminal-client.ts';
import { type ExecDoor, openExecDoor } from '../exec/exec-door.ts';

const doors: ExecDoor[] = [];
const clients: TerminalClient[] = [];
/** For tests that leave no program behind which takes time, and do not end the body. */
let door: ExecDoor;
beforeAll(async () => {
  // The terminals' program is a part of the bundle.
  await bundleWrapper();
  door = await openExecDoor();
});
afterAll(() => door.close());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  for (const door of doors.splice(0)) door.close();
});

async function open(spec: Partial<WorkerSpec> = {}): Promise<ExecDoor> {
  const door = await openExecDoor(spec);
  doors.push(door);
  return door;
}

async function view(
  door: ExecDoor,
  query: Record<string, string | string[] | number>,
  size: { cols?: number; rows?: number } = {},
): Promise<TerminalClient> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(size)) search.append(name, String(value));
  for (const [name, value] of Object.entries(query))
    for (const one of [value].flat()) search.append(name, String(one));
  const client = await openTerminal(`ws+unix:${door.socketPath}:/pty?${search}`, size);
  clients.push(client);
  return client;
}

const soon = { timeout: 10_000, interval: 20 };
const shows = (client: TerminalClient, text: string | RegExp) =>
  vi.waitFor(async () => expect((await client.screen()).join('\n')).toMatch(text), soon);

function runs(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a terminal', () => {
  test('has a size, a name and 24-bit color, and reports the exit code of its program', async () => {
    const client = await view(
      door,
      { command: 'tty; stty size; echo $TERM $COLORTERM; exit 7' },
      { cols: 101, rows: 31 },
    );
    expect(await client.exit).toEqual({ exit_code: 7, signal: null });
    const text = client.bytes().toString();
    expect(text).toMatch(/^\/dev\/pts\/\d+\r\n31 101\r\nxterm-256color truecolor\r\n$/);
    expect(client.frames[0].terminal).toMatchObject({ status: 'running', cols: 101, rows: 31 });
  });

  test('passes bytes on as they are: UTF-8 that is split, and no text at all', async () => {
    const client = await view(door, { command: 'stty raw -echo; echo go; head -c 12 | od -An -tx1; exit 0' });
    await shows(client, /go/);
    const text = Buffer.from('ä€😀');
    for (const byte of text) client.type(Buffer.from([byte]));
    client.type(Buffer.from([0xff, 0x00, 0x80]));
    expect(await client.exit).toEqual({ exit_code: 0, signal: null });
    expect(client.bytes().toString()).toContain('c3 a4 e2 82 ac f0 9f 98 80 ff 00 80');
  });

  test('sends all output of a program that ends at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const client = await view(door, { command: 'seq 1 50000' });
      await client.exit;
      expect(client.bytes().toString().trimEnd().split('\r\n').at(-1)).toBe('50000');
      expect(client.bytes().length).toBe(338_894);
    }
  });

  test('reports the signal that ended its program, a real-time one too', async () => {
    const client = await view(door, { command: 'kill -9 $$' });
    expect(await client.exit).toEqual({ exit_code: 137, signal: 'SIGKILL' });
    const other = await view(door, { command: 'kill -35 $$' });
    expect(await other.exit).toEqual({ exit_code: 163, signal: 'SIGRTMIN+1' });
  });

  test('passes Ctrl-C on to the program in the foreground, and a new size', async () => {
    const command =
      'trap "stty size" WINCH; trap "echo stopped; exit 3" INT; echo go; while :; do sleep 0.02; done';
    const client = await view(door, { command: ['bash', '-c', command] }, { cols: 80, rows: 24 });
    await shows(client, /go/);
    client.resize(132, 43);
    await shows(client, /43 132/);
    client.type('\x03');
    expect(await client.exit).toEqual({ exit_code: 3, signal: null });
  });

  test('gives a second viewer the same screen, with colors, and the smaller size of both', async () => {
    const door = await open();
    const one = await view(door, { command: ['bash', '--norc', '-i'] }, { cols: 100, rows: 30 });
    one.type(
      "PS1='$ '; clear; printf '\\033[38;2;10;200;30mgr\\303\\274n\\033[0m \\033[1mbold\\033[0m\\n'\r",
    );
    await shows(one, /^grün bold$/m);
    const id = one.frames[0].terminal.pty_id;
    const two = await view(door, { id }, { cols: 90, rows: 40 });
    await vi.waitFor(async () => expect(await two.cells()).toBe(await one.cells()), soon);
    expect(one.frames.at(-1)).toEqual({ resize: { cols: 90, rows: 30 } });
    two.type('echo both\r');
    await shows(one, /^both$/m);
    await vi.waitFor(async () => expect(await two.cells()).toBe(await one.cells()), soon);
    two.close();
    await vi.waitFor(() => expect(one.frames.at(-1)).toEqual({ resize: { cols: 100, rows: 30 } }), soon);
    expect((await door.ask('GET', '/ptys')).body.items).toMatchObject([
      { pty_id: id, viewers: 1, cols: 100 },
    ]);
  });

  test('shows a full-screen program to a client that attaches later', async () => {
    const program = `import curses
def main(s):
    curses.start_color(); curses.use_default_colors(); curses.init_pair(1, 3, 4)
    curses.curs_set(0)
    for y in range(5): s.addstr(y * 2, y * 3, f"Zeile {y} – ✓", curses.color_pair(1) | curses.A_BOLD)
    s.refresh()
    while s.getkey() != "q": pass
curses.wrapper(main)`;
    const one = await view(door, { command: ['python3', '-c', program] }, { cols: 80, rows: 24 });
    await shows(one, /Zeile 4 – ✓/);
    const two = await view(door, { id: one.frames[0].terminal.pty_id }, { cols: 80, rows: 24 });
    await shows(two, /Zeile 4 – ✓/);
    await vi.waitFor(async () => expect(await two.cells()).toBe(await one.cells()), soon);
    one.type('q');
    expect(await two.exit).toEqual({ exit_code: 0, signal: null });
  });

  test('outlives its client, and reports its end to one that attaches after it', async () => {
    const one = await view(door, { command: 'echo first; read x; echo "got $x"; exit 5' });
    await shows(one, /first/);
    const { pty_id: id, pid } = one.frames[0].terminal;
    one.socket.terminate();
    await vi.waitFor(async () => expect((await door.ask('GET', `/ptys/${id}`)).body.viewers).toBe(0), soon);
    expect(runs(pid)).toBe(true);
    const two = await view(door, { id });
    two.type('x\r');
    expect(await two.exit).toEqual({ exit_code: 5, signal: null });
    const three = await view(door, { id });
    await three.exit;
    expect((await three.screen()).slice(0, 3)).toEqual(['first', 'x', 'got x']);
    expect((await door.ask('GET', `/ptys/${id}`)).body).toMatchObject({ status: 'ended', exit_code: 5 });
  });

  test('is closed when it had no viewers for its time', async () => {
    const { body } = await door.ask('POST', '/ptys', { command: ['sleep', '600'], linger_seconds: 0.2 });
    await vi.waitFor(() => expect(runs(body.pid)).toBe(false), soon);
  });

  test('is killed with what has left its session', async () => {
    const client = await view(door, { command: 'setsid sleep 600 & echo pid $!; read x' });
    await shows(client, /pid \d+/);
    const { pty_id: id, pid } = client.frames[0].terminal;
    const left = Number(/pid (\d+)/.exec(client.bytes().toString())?.[1]);
    expect(runs(left)).toBe(true);
    expect((await door.ask('DELETE', `/ptys/${id}`)).status).toBe(200);
    expect(await client.exit).toEqual({ exit_code: 137, signal: 'SIGKILL' });
    expect(runs(pid)).toBe(false);
    expect(runs(left)).toBe(false);
  });

  test('ends with its body', async () => {
    const door = await open();
    const client = await view(door, { command: 'echo go; sleep 600' });
    await shows(client, /go/);
    door.end();
    await expect(client.exit).rejects.toThrow(/closed/);
    await vi.waitFor(() => expect(runs(client.frames[0].terminal.pid)).toBe(false), soon);
  });

  test('does not wait for a client that reads nothing while another reads', async () => {
    const door = await open();
    const one = await view(door, { command: 'read x; seq 1 2000000; echo done; read y' });
    const slow = await view(door, { id: one.frames[0].terminal.pty_id });
    slow.socket.pause();
    one.type('\r');
    await vi.waitFor(async () => expect((await one.screen()).join('\n')).toMatch(/^done$/m), {
      ...soon,
      timeout: 20_000,
    });
    slow.socket.resume();
    await shows(slow, /^2000000\ndone$/m);
    await vi.waitFor(async () => expect(await slow.cells()).toBe(await one.cells()), soon);
  });

  test('makes its program wait for its only client', async () => {
    const door = await open();
    const one = await view(door, { command: 'seq 1 20000000' });
    one.socket.pause();
    const read = () => readFileSync(`/proc/${one.frames[0].terminal.pid}/stat`, 'utf8').split(' ')[13];
    let before = '';
    await vi.waitFor(
      () => {
        const now = read() ?? '';
        const same = now === before;
        before = now;
        expect(same).toBe(true);
      },
      { timeout: 15_000, interval: 300 },
    );
    expect(runs(one.frames[0].terminal.pid)).toBe(true);
  });
});

describe('a request for a terminal', () => {
  const refusal = (door: ExecDoor, request: object) => door.ask('POST', '/ptys', request);

  test('is refused with its fields', async () => {
    const door = await open({ allowed_commands: ['git'] });
    expect((await refusal(door, { command: ['curl', 'x'] })).body.error).toMatchObject({
      code: 'invalid_command',
      message: expect.stringContaining('curl is not in allowed_commands'),
    });
    const { status, body } = await refusal(door, { cols: 0, rows: 1001, cwd: '', other: 1 });
    expect(status).toBe(400);
    expect(body.error.issues.map(({ path }: { path: string }) => path)).toEqual(['other', 'cols', 'rows']);
    const free = await open();
    expect((await refusal(free, { cwd: '/no/such' })).body.error.message).toMatch(/does not exist/);
    await expect(view(free, { id: 'unknown' })).rejects.toMatchObject({ status: 404 });
    await expect(view(free, { cols: 'x' })).rejects.toMatchObject({ status: 400 });
  });

  test('is refused above the number of terminals', async () => {
    const door = await open();
    const all = await Promise.all(
      Array.from({ length: 33 }, () => refusal(door, { command: ['sleep', '600'] })),
    );
    expect(all.map(({ status }) => status).sort()).toEqual([...Array(32).fill(201), 429]);
  });

  test('closes a connection that sends no size', async () => {
    const client = await view(door, { command: 'sleep 600' });
    const closed = new Promise((resolve) => client.socket.once('close', resolve));
    client.socket.send('{"resize": {"cols": -1}}');
    expect(await closed).toBe(1007);
  });

  test('opens a new host if the last one was killed', async () => {
    const door = await open();
    const client = await view(door, { command: 'sleep 600' });
    const { pid } = client.frames[0].terminal;
    const host = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    process.kill(host, 'SIGKILL');
    await expect(client.exit).rejects.toThrow(/closed/);
    await vi.waitFor(() => expect(runs(pid)).toBe(false), soon);
    const next = await view(door, { command: 'echo again' });
    expect(await next.exit).toEqual({ exit_code: 0, signal: null });
  });
});
