/** Joins a terminal of a worker with an emulator, until its program ends. */
import type { Terminal } from '@xterm/xterm';
import { TerminalCollection } from '../../src/client/terminals.ts';
import type { TerminalEnd } from '../../src/client/types.ts';
import { api } from '../live/session.ts';

/** For how long a broken connection is opened again: as long as a manager takes to be replaced. */
const POLICY = { retries: 2, reconnectSeconds: 60 };
/** A browser cannot make a WebSocket wait, so a viewer that is so far behind leaves, and gets the screen instead. */
const BEHIND_BYTES = 4_000_000;

/** Resolves with the end of the program; rejects if the terminal cannot be viewed, or with the signal's reason. */
export async function followTerminal(
  { workerId, ptyId }: { workerId: string; ptyId: string },
  emulator: Terminal,
  signal: AbortSignal,
): Promise<TerminalEnd> {
  const terminals = new TerminalCollection({ transport: api, policy: POLICY }, workerId);
  let waiting = 0;
  for (;;) {
    signal.throwIfAborted();
    const behind = new AbortController();
    const { cols, rows } = emulator;
    const handle = await terminals.connect(ptyId, {
      cols,
      rows,
      signal: AbortSignal.any([signal, behind.signal]),
      onData(bytes) {
        if (behind.signal.aborted) return;
        waiting += bytes.length;
        emulator.write(bytes, () => {
          waiting -= bytes.length;
        });
        if (waiting > BEHIND_BYTES) behind.abort();
      },
    });
    if (signal.aborted) handle.disconnect();
    const parts = [
      emulator.onData((text) => handle.sendInput(text)),
      emulator.onBinary((text) =>
        handle.sendInput(Uint8Array.from(text, (character) => character.charCodeAt(0))),
      ),
      emulator.onResize((size) => handle.resize(size)),
    ];
    // The window may have changed meanwhile.
    if (emulator.cols !== cols || emulator.rows !== rows) handle.resize(emulator);
    try {
      return await handle.wait();
    } catch (error) {
      if (!behind.signal.aborted) throw error;
    } finally {
      for (const part of parts) part.dispose();
    }
    await new Promise<void>((resolve) => emulator.write('', resolve));
  }
}
