/**
 * Pseudoterminals from zigpty's prebuilt addon, which has no dependency on a C library's version and exists for glibc and
 * musl. Its JavaScript is not used: it discards what a program writes just before its end.
 */
import { createRequire } from 'node:module';
import { arch, platform } from 'node:os';
import { ReadStream } from 'node:tty';

interface Addon {
  fork(
    file: string,
    args: string[],
    env: string[],
    cwd: string,
    cols: number,
    rows: number,
    uid: number,
    gid: number,
    utf8: boolean,
    onExit: (end: { exitCode: number; signal: number }) => void,
  ): { fd: number; pid: number; pty: string };
  resize(fd: number, cols: number, rows: number, width: number, height: number): void;
}

export interface Pty {
  pid: number;
  /** Its path, such as `/dev/pts/0`. */
  path: string;
  /** What the program writes and reads. It fails with EIO when no process has the terminal open. */
  stream: ReadStream;
  resize(cols: number, rows: number): void;
}

export interface PtyOptions {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  cols: number;
  rows: number;
  /** Called once, perhaps before all output was read; `signal` is 0 if it exited. */
  onExit: (end: { exitCode: number; signal: number }) => void;
}

let addon: Addon | undefined;

/** Throws an error if the addon does not run on this system. */
function loadAddon(): Addon {
  if (addon) return addon;
  const require = createRequire(import.meta.url);
  // Beside the bundle; for the sources, in the last one.
  const name = `${import.meta.url.endsWith('.ts') ? '../../dist' : '.'}/zigpty.${platform()}-${arch()}`;
  try {
    addon = require(`${name}.node`) as Addon;
  } catch (error) {
    if (platform() !== 'linux') throw error;
    addon = require(`${name}-musl.node`) as Addon;
  }
  return addon;
}

/** Starts a program on a new pseudoterminal, as the leader of a session of its own. */
export function openPty({ argv, cwd, env, cols, rows, onExit }: PtyOptions): Pty {
  const native = loadAddon();
  const [program = '', ...args] = argv;
  const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const { fd, pid, pty } = native.fork(program, args, pairs, cwd, cols, rows, -1, -1, true, onExit);
  const stream = new ReadStream(fd);
  return {
    pid,
    path: pty,
    stream,
    resize(width, height) {
      if (!stream.destroyed) native.resize(fd, width, height, 0, 0);
    },
  };
}
