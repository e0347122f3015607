/** A program in a terminal of this machine, shown on an emulated screen. */
import headless from '@xterm/headless';
import { openPty } from '../../worker-base/terminal/native.ts';
import { readCells, readScreen } from './screen.ts';

export interface LocalTerminal {
  screen(): Promise<string[]>;
  cells(): Promise<string>;
  type(text: string): void;
  resize(cols: number, rows: number): void;
  /** Its exit code; 128 and the signal if one ended it. */
  exit: Promise<number>;
  kill(): void;
}

export function openLocalTerminal(
  argv: string[],
  {
    env,
    cwd = process.cwd(),
    cols = 80,
    rows = 24,
  }: { env: Record<string, string>; cwd?: string; cols?: number; rows?: number },
): LocalTerminal {
  const terminal = new headless.Terminal({ cols, rows, allowProposedApi: true });
  const exited = Promise.withResolvers<number>();
  const { pid, stream, resize } = openPty({
    argv,
    cwd,
    env: { TERM: 'xterm-256color', ...env },
    cols,
    rows,
    onExit: ({ exitCode, signal }) => exited.resolve(signal === 0 ? exitCode : 128 + signal),
  });
  stream.on('data', (bytes: Buffer) => terminal.write(bytes));
  stream.on('error', () => {});
  terminal.onData((answer) => stream.write(answer));
  return {
    screen: () => readScreen(terminal),
    cells: () => readCells(terminal),
    type: (text) => void stream.write(text),
    resize(width, height) {
      terminal.resize(width, height);
      resize(width, height);
    },
    exit: exited.promise,
    kill() {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    },
  };
}
