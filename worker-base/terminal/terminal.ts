/**
 * One terminal of the host: a program, what its screen shows, and the clients that view it.
 *
 * Invariants: all clients see the same screen, as large as the smallest of them; the program waits only if all of them are
 * slow; everything that it wrote is sent before its end is reported.
 */
import { chmodSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import type { TerminalReport } from '../../src/model/doors/terminal-report.ts';
import { isRealTime, realTimeName } from '../agent/exit.ts';
import type { TerminalSize, TerminalStart } from './messages.ts';
import { openPty, type Pty } from './native.ts';
import { Screen } from './screen.ts';
import { Viewer } from './viewer.ts';

/** Bytes that the emulator has not read yet, above which the program waits. */
const UNREAD_BYTES = 1024 ** 2;
/** Input that the program has not read yet, above which clients wait. */
const INPUT_BYTES = 256 * 1024;
/** Processes that a program leaves behind may write for this time after its end, in milliseconds. */
const LEFTOVER_MS = 250;
/** A program that writes nothing for this time is not in the middle of a control sequence. */
const QUIET_MS = 5;
const LONGEST_QUIET_MS = 200;
const CHECK_MS = 20;
/** The first viewer gets all output if it attaches within this time; until then, nothing is read. Milliseconds. */
const FIRST_VIEWER_MS = 10_000;

export interface TerminalEvents {
  active(): void;
  expired(): void;
  ended(): void;
}

export class Terminal {
  readonly #start: TerminalStart;
  readonly #events: TerminalEvents;
  readonly #pty: Pty;
  readonly #screen: Screen;
  readonly #viewers = new Set<Viewer>();
  readonly #started = new Date().toISOString();
  readonly #closed: Promise<void>;
  /** Resolves when output is read. */
  readonly #released: Promise<void>;
  #release: () => void = () => {};
  #size: { cols: number; rows: number };
  #unread = 0;
  #written = 0;
  #lastOutput = 0;
  #end: { exit_code: number; signal: string | null; ended_at: string } | undefined;
  #linger: NodeJS.Timeout | undefined;
  #balance: NodeJS.Timeout | undefined;

  constructor(start: TerminalStart, events: TerminalEvents) {
    const { argv, cwd, env, cols, rows } = start;
    this.#start = start;
    this.#events = events;
    this.#size = { cols, rows };
    this.#pty = openPty({ argv, cwd, env, cols, rows, onExit: (end) => void this.#finish(end) });
    const { stream, path } = this.#pty;
    // Programs such as tmux and gpg open their terminal by its name, and it belongs to the wrapper's user.
    if (start.otherUser) chmodSync(path, 0o666);
    this.#screen = new Screen(cols, rows, (text) => {
      if (this.#viewers.size === 0) stream.write(text);
    });
    this.#released = new Promise((resolve) => {
      this.#release = resolve;
    });
    const unviewed = setTimeout(this.#release, FIRST_VIEWER_MS);
    void this.#released.then(() => {
      clearTimeout(unviewed);
      stream.on('data', (bytes: Buffer) => this.#receive(bytes));
    });
    stream.on('drain', () => {
      for (const viewer of this.#viewers) viewer.resume();
    });
    // EIO is the end of a terminal.
    stream.on('error', () => {});
    this.#closed = new Promise((resolve) => stream.once('close', () => resolve()));
    this.#wait();
  }

  get ended(): boolean {
    return this.#end !== undefined;
  }

  report(): TerminalReport {
    const { id, command, cwd } = this.#start;
    return {
      pty_id: id,
      status: this.#end ? 'ended' : 'running',
      command,
      cwd,
      pid: this.#pty.pid,
      ...this.#size,
      viewers: this.#viewers.size,
      started_at: this.#started,
      ...this.#end,
    };
  }

  /** A client views it from now on. */
  async attach(socket: WebSocket, size: TerminalSize): Promise<void> {
    const viewer = new Viewer(socket, size, {
      input: (bytes) => this.#input(bytes),
      resize: () => this.#fit(),
      behind: () => void viewer.draw(this.#screen.draw()),
      leave: () => {
        this.#viewers.delete(viewer);
        this.#fit();
        this.#wait();
      },
    });
    viewer.report({ terminal: this.report() });
    await this.#quiet();
    if (socket.readyState !== socket.OPEN) return;
    clearTimeout(this.#linger);
    this.#fit(viewer);
    this.#viewers.add(viewer);
    this.#release();
    if (this.#written > 0) await viewer.draw(this.#screen.draw());
    if (this.#end) this.#tellEnd(viewer);
  }

  #receive(bytes: Buffer): void {
    this.#lastOutput = performance.now();
    this.#written += bytes.length;
    this.#unread += bytes.length;
    this.#events.active();
    this.#screen.write(bytes, () => {
      this.#unread -= bytes.length;
    });
    const slow = [...this.#viewers].filter((viewer) => viewer.isBehind);
    for (const viewer of this.#viewers) viewer.send(bytes);
    if (slow.length > 0 && slow.length < this.#viewers.size) for (const viewer of slow) viewer.skip();
    if (this.#mustWait()) {
      this.#pty.stream.pause();
      this.#balance ??= setInterval(() => {
        if (this.#mustWait()) return;
        clearInterval(this.#balance);
        this.#balance = undefined;
        this.#pty.stream.resume();
      }, CHECK_MS);
    }
  }

  #mustWait(): boolean {
    const viewers = [...this.#viewers];
    return this.#unread > UNREAD_BYTES || (viewers.length > 0 && viewers.every(({ isBehind }) => isBehind));
  }

  #input(bytes: Buffer): boolean {
    const { stream } = this.#pty;
    if (this.#end || stream.destroyed) return true;
    this.#events.active();
    stream.write(bytes);
    return stream.writableLength < INPUT_BYTES;
  }

  /** As large as the smallest client; without one it stays as it is. */
  #fit(joining?: Viewer): void {
    const viewers = [...this.#viewers, ...(joining ? [joining] : [])];
    const sized = viewers.filter(({ cols, rows }) => cols !== undefined && rows !== undefined);
    if (sized.length === 0 || this.#end) return;
    const cols = Math.min(...sized.map((viewer) => viewer.cols ?? Number.POSITIVE_INFINITY));
    const rows = Math.min(...sized.map((viewer) => viewer.rows ?? Number.POSITIVE_INFINITY));
    if (cols !== this.#size.cols || rows !== this.#size.rows) {
      this.#size = { cols, rows };
      this.#screen.resize(cols, rows);
      this.#pty.resize(cols, rows);
    }
    for (const viewer of viewers) viewer.report({ resize: { cols, rows } });
  }

  /** Waits for a moment in which the program does not write. */
  async #quiet(): Promise<void> {
    const until = performance.now() + LONGEST_QUIET_MS;
    for (
      let now = performance.now();
      now - this.#lastOutput < QUIET_MS && now < until;
      now = performance.now()
    )
      await delay(QUIET_MS);
  }

  async #finish({ exitCode, signal }: { exitCode: number; signal: number }): Promise<void> {
    await this.#released;
    // All that it wrote is still to be read, unless its children keep the terminal open.
    for (let quiet = 0; quiet < LEFTOVER_MS && !this.#pty.stream.destroyed; ) {
      const before = this.#written;
      await Promise.race([this.#closed, delay(CHECK_MS)]);
      quiet = this.#written === before && !this.#balance ? quiet + CHECK_MS : 0;
    }
    this.#pty.stream.destroy();
    clearTimeout(this.#linger);
    const name = signal === 0 ? null : signalName(signal);
    const exit_code = signal === 0 ? exitCode : 128 + signal;
    this.#end = { exit_code, signal: name, ended_at: new Date().toISOString() };
    for (const viewer of this.#viewers) this.#tellEnd(viewer);
    this.#events.ended();
  }

  #tellEnd(viewer: Viewer): void {
    const { exit_code, signal } = this.#end ?? {};
    viewer.report({ exit: { exit_code, signal } });
    viewer.end();
  }

  #wait(): void {
    if (this.#viewers.size > 0 || this.#end) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.#events.expired(), this.#start.lingerMs);
  }
}

function signalName(signal: number): string {
  if (isRealTime(signal)) return realTimeName(signal);
  const found = Object.entries(constants.signals).find(([, number]) => number === signal);
  return found?.[0] ?? `SIG${signal}`;
}
