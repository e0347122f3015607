/**
 * What a terminal shows, for clients that attach later: output goes through a terminal emulator, and the state of that is
 * written as the bytes that produce it.
 */
import { SerializeAddon } from '@xterm/addon-serialize';
import headless from '@xterm/headless';
import { drawScreen } from './draw-screen.ts';

/** Lines above the screen that are kept. */
const SCROLLBACK = 1000;
/** Resets modes and leaves the alternate screen, then clears: what the client showed before is not this terminal's. */
const CLEAR = '\x1b[!p\x1b[?1049l\x1b[H\x1b[2J';

export class Screen {
  readonly #terminal: headless.Terminal;
  readonly #serializer = new SerializeAddon();
  #unfinished: Uint8Array = new Uint8Array();

  /** `reply` gets the answers to a program's queries, such as that for the cursor's position. */
  constructor(cols: number, rows: number, reply: (text: string) => void) {
    this.#terminal = new headless.Terminal({ cols, rows, scrollback: SCROLLBACK, allowProposedApi: true });
    this.#terminal.loadAddon(this.#serializer as unknown as headless.ITerminalAddon);
    this.#terminal.onData(reply);
  }

  /** Calls back when the emulator has read it. */
  write(bytes: Uint8Array, done: () => void): void {
    this.#unfinished = unfinishedCharacter(Buffer.concat([this.#unfinished, bytes]));
    this.#terminal.write(bytes, done);
  }

  resize(cols: number, rows: number): void {
    this.#terminal.resize(cols, rows);
  }

  /**
   * The bytes that draw the screen with the last lines above it. What is written after this call is not in it, and
   * continues it.
   */
  draw(): Promise<Uint8Array> {
    const rest = this.#unfinished;
    return new Promise((resolve) =>
      this.#terminal.write('', () => {
        const text = drawScreen(this.#terminal, this.#serializer, SCROLLBACK);
        resolve(Buffer.concat([Buffer.from(`${CLEAR}${text}`), rest]));
      }),
    );
  }

  close(): void {
    this.#terminal.dispose();
  }
}

/** The beginning of a character of UTF-8 at the end of some bytes. */
export function unfinishedCharacter(bytes: Uint8Array): Uint8Array {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.slice(bytes.length - back) : new Uint8Array();
  }
  return new Uint8Array();
}
