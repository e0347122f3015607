/** Joins a terminal of a worker with an emulator, until its program ends. */
import type { Terminal } from '@xterm/xterm';
import { TerminalCollection, type WindowSize } from '../../src/client/terminals.ts';
import type { TerminalEnd } from '../../src/client/types.ts';
import { api } from '../live/session.ts';

/** For how long a broken connection is opened again: as long as a manager takes to be replaced. */
const POLICY = { retries: 2, reconnectSeconds: 60 };
/** A browser cannot make a WebSocket wait, so a viewer that is so far behind leaves, and gets the screen instead. */
const BEHIND_BYTES = 4_000_000;

/** Where a person sees a terminal: its emulator, and the size of the window that it is in. */
export interface TerminalWindow {
  emulator: Terminal;
  size: () => WindowSize;
  /** Calls back after each change of the window's size, until the signal. */
  watch: (onResize: (size: WindowSize) => void, signal: AbortSignal) => void;
}

/** Resolves with the end of the program; rejects if the terminal cannot be viewed, or with the signal's reason. */
export async function followTerminal(
  { workerId, ptyId }: { workerId: string; ptyId: string },
  { emulator, size, watch }: TerminalWindow,
  signal: AbortSignal,
): Promise<TerminalEnd> {
  const terminals = new TerminalCollection({ transport: api, policy: POLICY }, workerId);
  let waiting = 0;
  for (;;) {
    signal.throwIfAborted();
    const behind = new AbortController();
    const { cols, rows } = size();
    const handle = await terminals.connect(ptyId, {
      cols,
      rows,
      signal: AbortSignal.any([signal, behind.signal]),
      // A terminal is as large as its smallest viewer. What was written before is drawn for the size before.
      onResize: (actual) => emulator.write('', () => emulator.resize(actual.cols, actual.rows)),
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
    const left = new AbortController();
    const parts = [
      emulator.onData((text) => handle.sendInput(text)),
      emulator.onBinary((text) =>
        handle.sendInput(Uint8Array.from(text, (character) => character.charCodeAt(0))),
      ),
    ];
    watch((changed) => handle.resize(changed), left.signal);
    // It may have changed while the connection was opened.
    handle.resize(size());
    try {
      return await handle.wait();
    } catch (error) {
      if (!behind.signal.aborted) throw error;
    } finally {
      left.abort();
      for (const part of parts) part.dispose();
    }
    await new Promise<void>((resolve) => emulator.write('', resolve));
  }
}
