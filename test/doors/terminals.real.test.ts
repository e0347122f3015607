/** Terminals of real workers, over a real manager: as a client of the API, and as `wm` in a terminal. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { connect, type WorkerHandle } from '../../src/client/index.ts';
import { freePort } from '../support/free-port.ts';
import { type LocalTerminal, openLocalTerminal } from '../support/local-terminal.ts';
import { cleanCell, MAIN, type Manager, managerEnv, newCell, startManager } from '../support/manager.ts';
import { openTerminal, type TerminalClient } from '../support/terminal-client.ts';

const LONG = 120_000;
const soon = { timeout: 30_000, interval: 20 };
const CURSES = `import curses
def main(s):
    curses.start_color(); curses.use_default_colors(); curses.init_pair(1, 3, 4); n = 0
    while True:
        s.erase(); rows, cols = s.getmaxyx()
        s.addstr(0, 0, f"{cols} x {rows} – ✓ {n}", curses.color_pair(1) | curses.A_BOLD)
        s.addstr(rows - 2, cols - 6, "Ecke"); s.refresh(); n += 1
        k = s.getch()
        if k == ord("q"): return
curses.wrapper(main)`;

describe.each(['process', 'docker'])('terminals of workers on %s', (runtime) => {
  const cell = newCell();
  const redisUrl = inject('redisUrl');
  const host = inject('dockerHost');
  const clients: TerminalClient[] = [];
  const locals: LocalTerminal[] = [];
  let home: string;
  let env: Record<string, string>;
  let manager: Manager;
  let worker: WorkerHandle;
  const options = () => ({ redisUrl, cell, home, env });

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'wm-home-'));
    env = {
      RUNTIME: runtime,
      HTTP_PORT: String(await freePort()),
      WORKER_REDIS_URL: runtime === 'docker' ? inject('bodyRedisUrl') : redisUrl,
      DOCKER_HOST: host.startsWith('/') ? `unix://${host}` : host,
      WORKER_IMAGE: inject('image'),
    };
    manager = await startManager(options());
    const client = connect({ url: manager.url, token: manager.token });
    worker = await client.workers.create(
      { agent_type: 'CUSTOM', name: 'seat', command_line: ['cat'] },
      { wait: 'ready', timeoutSeconds: 90 },
    );
  }, LONG);
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
    for (const local of locals.splice(0)) local.kill();
  });
  afterAll(async () => {
    await worker?.delete();
    await vi.waitFor(async () => {
      const response = await fetch(`${manager.url}/v1/workers/${worker.id}`, { headers: manager.headers });
      expect(response.status).toBe(404);
    }, soon);
    await manager.stop();
    await cleanCell({ redisUrl, cell, home });
  }, LONG);

  const view = async (query: string, size: { cols?: number; rows?: number } = {}) => {
    const sizes = Object.entries(size).map(([name, value]) => `&${name}=${value}`);
    const url = `${manager.url.replace('http', 'ws')}/v1/workers/seat/pty?${query}${sizes.join('')}`;
    const client = await openTerminal(url, { ...size, headers: manager.headers });
    clients.push(client);
    return client;
  };
  const wm = (...args: string[]) => {
    const local = openLocalTerminal([process.execPath, MAIN, ...args], {
      env: { ...managerEnv(options()), WM_URL: manager.url, WM_TOKEN: manager.token },
    });
    locals.push(local);
    return local;
  };
  /** The terminal that was opened last. */
  const newest = async () => {
    const response = await fetch(`${manager.url}/v1/workers/seat/ptys`, { headers: manager.headers });
    const { items } = (await response.json()) as { items: object[] };
    return items.at(-1);
  };
  const shows = (shown: { screen(): Promise<string[]> }, text: RegExp) =>
    vi.waitFor(async () => expect((await shown.screen()).join('\n')).toMatch(text), soon);

  test('a full-screen program looks as in a terminal of this machine, at every size', {
    timeout: LONG,
  }, async () => {
    const args = ['python3', '-c', CURSES].map((word) => `command=${encodeURIComponent(word)}`).join('&');
    const there = await view(args, { cols: 80, rows: 24 });
    const here = openLocalTerminal(['/usr/bin/env', 'python3', '-c', CURSES], {
      env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' },
    });
    locals.push(here);
    for (const [cols, rows] of [
      [80, 24],
      [132, 43],
      [40, 10],
    ] as const) {
      there.resize(cols, rows);
      here.resize(cols, rows);
      await shows(there, new RegExp(`^${cols} x ${rows} – ✓`));
      await shows(here, new RegExp(`^${cols} x ${rows} – ✓`));
      const plain = (lines: string[]) => lines.map((line) => line.replace(/✓ \d+/, '✓'));
      // What is drawn may arrive in parts.
      await vi.waitFor(async () => {
        const screen = plain(await there.screen());
        expect(screen).toEqual(plain(await here.screen()));
        expect(screen.at(-2)?.endsWith('Ecke')).toBe(true);
      }, soon);
    }
    const second = await view(`id=${there.frames[0].terminal.pty_id}`, { cols: 40, rows: 10 });
    await shows(second, /Ecke/);
    await vi.waitFor(async () => expect(await second.cells()).toBe(await there.cells()), soon);
    there.type('q');
    expect(await there.exit).toEqual({ exit_code: 0, signal: null });
    expect(await second.exit).toEqual({ exit_code: 0, signal: null });
  });

  test("a program is the agent's, and can open its terminal by name", { timeout: LONG }, async () => {
    const { stdout: agent } = await worker.commands.run('id -u; id -G; pwd');
    const line = 'id -u; id -G; pwd; echo by name > "$(tty)"; cat /proc/self/status | grep CapEff';
    const client = await view(`command=${encodeURIComponent(line)}`);
    expect(await client.exit).toEqual({ exit_code: 0, signal: null });
    const lines = client.bytes().toString().replaceAll('\r', '').split('\n');
    expect(`${lines.slice(0, 3).join('\n')}\n`).toBe(agent);
    expect(lines[3]).toBe('by name');
    if (runtime === 'docker') expect(lines[4]).toMatch(/^CapEff:\s+0+$/);
  });

  test('`wm exec -it` is a terminal here, and survives kill -9 of the manager', {
    timeout: LONG,
  }, async () => {
    const shell = wm('exec', '-it', '-e', 'PS1=> ', 'seat', '--', 'bash', '--norc');
    await shows(shell, /^>$/m);
    shell.resize(91, 28);
    // A signal and what is typed after it arrive in any order.
    await expect.poll(newest, soon).toMatchObject({ cols: 91, rows: 28 });
    shell.type('stty size\r');
    await shows(shell, /^28 91$/m);
    shell.type('kept=42; echo "grün $kept"\r');
    await shows(shell, /^grün 42$/m);
    manager.kill('SIGKILL');
    await manager.exited;
    manager = await startManager(options());
    await expect.poll(newest, soon).toMatchObject({ viewers: 1 });
    shell.type('echo "still $kept"\r');
    await shows(shell, /^still 42$/m);
    shell.type('exit 3\r');
    expect(await shell.exit).toBe(3);
  });

  test('Ctrl-P Ctrl-Q detaches, and `wm attach -t` shows the terminal again', { timeout: LONG }, async () => {
    const shell = wm('exec', '-it', '-e', 'PS1=> ', 'seat', '--', 'bash', '--norc');
    await shows(shell, /^>$/m);
    shell.type('left=here\r');
    await shows(shell, /left=here/);
    shell.type('\x10\x11');
    expect(await shell.exit).toBe(0);
    await shows(shell, /Detached/);
    const again = wm('attach', '-t', 'seat');
    await shows(again, /left=here/);
    again.type('\x15echo "is $left"; kill -9 $$\r');
    await shows(again, /^is here$/m);
    expect(await again.exit).toBe(137);
    const none = wm('attach', '-t', 'seat');
    await shows(none, /has no open terminal/);
    expect(await none.exit).toBe(1);
  });

  test('a refusal is an error of the API', { timeout: LONG }, async () => {
    await expect(view('id=00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ status: 404 });
    await expect(view('cols=abc')).rejects.toMatchObject({ status: 400 });
    await expect(view('wait_seconds=abc')).rejects.toMatchObject({ status: 400 });
    const plain = await fetch(`${manager.url}/v1/workers/seat/pty`, { headers: manager.headers });
    expect(plain.status).toBe(426);
    const stranger = openTerminal(`${manager.url.replace('http', 'ws')}/v1/workers/seat/pty`);
    await expect(stranger).rejects.toMatchObject({ status: 401 });
    const missing = wm('exec', '-it', 'seat', '--', 'no-such-program');
    await shows(missing, /no-such-program: not found/);
    expect(await missing.exit).toBe(127);
  });
});
